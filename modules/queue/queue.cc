// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <bit>

#include "bess/util.pb.h"
#include "core/graph/burst.h"
#include "core/graph/module.h"
#include "core/graph/packet_fifo.h"
#include "core/packet/wire_bits.h"
#include "modules/queue.pb.h"

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

uint64_t BurstOf(const pb::QueueArg& arg) { return arg.has_burst() ? arg.burst() : kBatchSize; }

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

  absl::Status SetBurst(const pb::QueueCommandSetBurstArg& arg) { return burst_.Set(arg.burst()); }

  absl::Status SetSize(const pb::QueueCommandSetSizeArg& arg) {
    BESS_ASSIGN_OR_RETURN(const uint32_t size, CheckSize(arg.size()));
    BESS_RETURN_IF_ERROR(Resize(size));
    SetBrake();
    return absl::OkStatus();
  }

  absl::StatusOr<pb::QueueCommandGetStatusResponse> GetStatus(const pb::QueueCommandGetStatusArg&) {
    pb::QueueCommandGetStatusResponse status;
    status.set_dequeued(fifo_.dequeued());
    status.set_enqueued(std::max(fifo_.enqueued(), status.dequeued()));
    status.set_count(status.enqueued() - status.dequeued());
    status.set_size(size_);
    status.set_dropped(totals().dropped[static_cast<size_t>(DropReason::kQueueFull)]);
    return status;
  }

  absl::StatusOr<pb::QueueArg> GetRuntimeConfig(const pb::EmptyArg&) {
    pb::QueueArg config;
    config.set_size(size_);
    config.set_prefetch(prefetch_.load(std::memory_order_relaxed));
    config.set_backpressure(backpressure_);
    if (burst_.Get() != kBatchSize) config.set_burst(burst_.Get());
    return config;
  }

  absl::Status SetRuntimeConfig(const pb::QueueArg& arg) {
    BESS_ASSIGN_OR_RETURN(const uint32_t size,
                          CheckSize(arg.size() == 0 ? kDefaultSize : arg.size()));
    BESS_RETURN_IF_ERROR(Burst::Check(BurstOf(arg)));
    BESS_RETURN_IF_ERROR(Resize(size));
    BESS_RETURN_IF_ERROR(burst_.Set(BurstOf(arg)));
    backpressure_ = arg.backpressure();
    SetBrake();
    prefetch_.store(arg.prefetch(), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    fifo_.Put(context, batch);
    brake_.Filled(fifo_.fill());
  }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    batch.set_size(fifo_.Take(batch.begin(), burst_.Get()));
    brake_.Emptied(fifo_.fill());
    if (batch.empty()) return {.blocked = true};
    if (prefetch_.load(std::memory_order_relaxed)) PrefetchBytes(batch);
    const TaskResult result = {.packets = batch.size(), .bits = WireBits(batch)};
    context.Emit(0, batch);
    return result;
  }

  Brake* brake() override { return &brake_; }
  uint64_t held() const override { return fifo_.held(); }
  uint64_t Discard() override { return fifo_.Discard(); }

 private:
  absl::Status Resize(uint32_t size) {
    if (size != size_) BESS_RETURN_IF_ERROR(fifo_.Resize(host(), size));
    size_ = size;
    return absl::OkStatus();
  }

  void SetBrake() { backpressure_ ? brake_.Arm(size_) : brake_.Disarm(); }

  PacketFifo fifo_{kDefaultSize};
  uint32_t size_ = kDefaultSize;  // for control threads
  bool backpressure_ = false;     // the same
  std::atomic<bool> prefetch_{false};
  Brake brake_;
  Burst burst_;
};

REGISTER_MODULE(Queue);

}  // namespace
}  // namespace bess
