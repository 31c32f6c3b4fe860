// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <mutex>

#include "bess/util.pb.h"
#include "core/base/spin_lock.h"
#include "core/graph/module.h"
#include "core/packet/wire_bits.h"
#include "modules/queue.pb.h"
#include "modules/queue/packet_ring.h"

namespace bess {
namespace {

constexpr uint32_t kMinSize = 4;
constexpr uint32_t kMaxSize = 16384;
constexpr uint32_t kDefaultSize = 1024;

absl::StatusOr<uint32_t> CheckSize(uint64_t size) {
  if (size < kMinSize || size > kMaxSize || !std::has_single_bit(size)) {
    return Error(EINVAL, "'size' must be a power of two, ", kMinSize, "..", kMaxSize, ", not ",
                 size);
  }
  return static_cast<uint32_t>(size);
}

class Queue final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Queue",
      .help = "holds packets until its own task passes them on",
      .holds_packets = true,
  };
  static Commands<Queue> commands() {
    return {{"set_burst", &Queue::SetBurst},
            {"set_size", &Queue::SetSize},
            {"get_status", &Queue::GetStatus},
            {"get_runtime_config", &Queue::GetRuntimeConfig},
            {"set_runtime_config", &Queue::SetRuntimeConfig}};
  }

  absl::Status Init(const pb::QueueArg& arg) {
    BESS_RETURN_IF_ERROR(SetRuntimeConfig(arg));
    return AddTask(0);
  }

  absl::Status SetBurst(const pb::QueueCommandSetBurstArg& arg) {
    if (arg.burst() > kBatchSize) {
      return Error(EINVAL, "'burst' must be 0..", kBatchSize, " packets, not ", arg.burst());
    }
    burst_.store(static_cast<uint32_t>(arg.burst()), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  absl::Status SetSize(const pb::QueueCommandSetSizeArg& arg) {
    BESS_ASSIGN_OR_RETURN(const uint32_t size, CheckSize(arg.size()));
    return Resize(size);
  }

  absl::StatusOr<pb::QueueCommandGetStatusResponse> GetStatus(const pb::QueueCommandGetStatusArg&) {
    pb::QueueCommandGetStatusResponse status;
    status.set_dequeued(dequeued_.Get());
    status.set_enqueued(std::max(enqueued(), status.dequeued()));
    status.set_count(status.enqueued() - status.dequeued());
    status.set_size(size_);
    status.set_dropped(totals().dropped[static_cast<size_t>(DropReason::kQueueFull)]);
    return status;
  }

  absl::StatusOr<pb::QueueArg> GetRuntimeConfig(const pb::EmptyArg&) {
    pb::QueueArg config;
    config.set_size(size_);
    config.set_prefetch(prefetch_.load(std::memory_order_relaxed));
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::QueueArg& arg) {
    if (arg.backpressure()) return Error(ENOTSUP, "'backpressure' must be false, for now");
    BESS_ASSIGN_OR_RETURN(const uint32_t size,
                          CheckSize(arg.size() == 0 ? kDefaultSize : arg.size()));
    BESS_RETURN_IF_ERROR(Resize(size));
    prefetch_.store(arg.prefetch(), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const uint32_t put = ring_.Put(batch.begin(), batch.size());
    enqueued_[context.worker()].count.Add(put);
    std::copy(batch.begin() + put, batch.end(), batch.begin());
    batch.set_size(batch.size() - put);
    if (!batch.empty()) [[unlikely]]
      context.Drop(batch, DropReason::kQueueFull);
  }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    batch.set_size(Take(batch.begin(), burst_.load(std::memory_order_relaxed)));
    if (batch.empty()) return {.blocked = true};
    if (prefetch_.load(std::memory_order_relaxed)) {
      for (Packet* packet : batch) __builtin_prefetch(packet->data());
    }
    const TaskResult result = {.packets = batch.size(), .bits = WireBits(batch)};
    context.Emit(0, batch);
    return result;
  }

  uint64_t held() const override {
    const uint64_t dequeued = dequeued_.Get();
    return std::max(enqueued(), dequeued) - dequeued;
  }

  uint64_t Discard() override {
    const uint64_t discarded = held();
    Batch batch;
    while (held() != 0) {
      batch.set_size(Take(batch.begin(), kBatchSize));
      FreeBatch(batch);
    }
    return discarded;
  }

 private:
  struct alignas(64) Cell {
    Counter count;
  };

  absl::Status Resize(uint32_t size) {
    if (size != size_) BESS_RETURN_IF_ERROR(ring_.Resize(host(), size));
    size_ = size;
    return absl::OkStatus();
  }

  // While the task moves to another worker, both may run it for a moment: one of them waits for
  // its next turn.
  uint32_t Take(Packet** packets, uint32_t n) {
    const std::unique_lock taking(taking_, std::try_to_lock);
    if (!taking) return 0;
    const uint32_t taken = ring_.Take(packets, n);
    dequeued_.Add(taken);
    return taken;
  }

  uint64_t enqueued() const {
    uint64_t sum = 0;
    for (const Cell& cell : enqueued_) sum += cell.count.Get();
    return sum;
  }

  ResizableRing ring_{kDefaultSize};
  uint32_t size_ = kDefaultSize;  // for control threads
  std::atomic<bool> prefetch_{false};
  std::atomic<uint32_t> burst_{kBatchSize};
  std::array<Cell, kMaxWorkers + 1> enqueued_;  // by worker
  SpinLock taking_;
  Counter dequeued_;
};

REGISTER_MODULE(Queue);

}  // namespace
}  // namespace bess
