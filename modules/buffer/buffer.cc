// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "core/base/clock.h"
#include "core/graph/module.h"
#include "core/graph/packet_fifo.h"
#include "core/packet/wire_bits.h"
#include "modules/buffer.pb.h"

namespace bess {
namespace {

constexpr uint32_t kRoom = 4096;
constexpr uint64_t kDefaultWait = 100;  // microseconds
constexpr uint64_t kMaxWait = 1000000;
// A task that gave out one batch each time would fall behind when several tasks fill the buffer.
constexpr uint32_t kMaxBurst = 16 * kBatchSize;

// The task alone gives packets out, so that what several workers put in stays in order. It also
// takes the time: a packet waits from when the task first sees it.
class Buffer final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Buffer",
      .help = "gathers packets until they fill a batch or have waited long enough",
      .holds_packets = true,
  };

  absl::Status Init(const pb::BufferArg& arg) {
    if (arg.max_wait_us() > kMaxWait) {
      return Error(EINVAL, "'max_wait_us' must be 0..", kMaxWait, " microseconds, not ",
                   arg.max_wait_us());
    }
    const uint64_t wait = arg.max_wait_us() == 0 ? kDefaultWait : arg.max_wait_us();
    max_wait_ = NanosecondsToCycles(static_cast<double>(wait) * 1e3);
    return AddTask(0);
  }

  void Process(Context& context, Batch& batch) { fifo_.Put(context, batch); }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    const uint64_t held = fifo_.held();
    if (held == 0) {
      waits_since_.store(kNothingWaits, std::memory_order_relaxed);
      return {.blocked = true};
    }
    if (held < kBatchSize && !WaitedLongEnough(context.now())) return {};
    waits_since_.store(context.now(), std::memory_order_relaxed);
    return GiveOut(context, batch);
  }

  uint64_t held() const override { return fifo_.held(); }
  uint64_t Discard() override { return fifo_.Discard(); }

 private:
  static constexpr uint64_t kNothingWaits = ~uint64_t{0};

  // Whether somebody has been waiting for so long; if nobody waited, somebody does from now on.
  bool WaitedLongEnough(uint64_t now) {
    const uint64_t since = waits_since_.load(std::memory_order_relaxed);
    if (since == kNothingWaits) waits_since_.store(now, std::memory_order_relaxed);
    return since != kNothingWaits && now - since >= max_wait_;
  }

  // A batch, full or not, and then whole ones only.
  TaskResult GiveOut(Context& context, Batch& batch) {
    batch.set_size(fifo_.Take(batch.begin(), kBatchSize));
    TaskResult result = {.packets = batch.size(), .bits = WireBits(batch)};
    context.Emit(0, batch);
    while (result.packets < kMaxBurst && fifo_.held() >= kBatchSize) {
      Batch more;
      more.set_size(fifo_.Take(more.begin(), kBatchSize));
      if (more.empty()) break;
      result.packets += more.size();
      result.bits += WireBits(more);
      for (Packet* packet : more) context.EmitOne(0, packet);
    }
    return result;
  }

  PacketFifo fifo_{kRoom};
  uint64_t max_wait_ = 0;  // cycles
  // When the task first saw the packet that is first now, in cycles. Two workers may run the task
  // for a moment while it moves: a wait that is a little off does no harm.
  std::atomic<uint64_t> waits_since_{kNothingWaits};
};

REGISTER_MODULE(Buffer);

}  // namespace
}  // namespace bess
