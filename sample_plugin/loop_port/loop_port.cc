// SPDX-License-Identifier: Apache-2.0
//
// A plugin as a sample: the port driver LoopPort, whose queues give back what was sent to them, in
// order. What there is no room for is not taken, and so counted as dropped.
#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include "bess/util.pb.h"
#include "core/base/spin_lock.h"
#include "core/base/status.h"
#include "core/graph/plugin.h"
#include "core/port/port.h"

namespace bess {
namespace {

class LoopPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "LoopPort", .help = "gives back what was sent to it", .template_name = "loop"};

  absl::Status Init(const pb::EmptyArg&) {
    if (rx_queues() != tx_queues()) {
      return Error(EINVAL, "'num_out_q' must be 'num_inc_q', ", rx_queues(), ", not ", tx_queues());
    }
    loops_ = std::vector<Loop>(rx_queues());
    return absl::OkStatus();
  }
  ~LoopPort() override {
    for (Loop& loop : loops_) {
      Packet* packet;
      while (loop.Take(&packet, 1) == 1) FreePackets(&packet, 1);
    }
  }

 private:
  // A ring, between a worker that sends and one that receives.
  class Loop {
   public:
    uint32_t Put(Packet* const* packets, uint32_t n) {
      const std::lock_guard lock(lock_);
      n = std::min(n, kRoom - count_);
      for (uint32_t i = 0; i < n; ++i) packets_[(first_ + count_++) % kRoom] = packets[i];
      return n;
    }
    uint32_t Take(Packet** packets, uint32_t n) {
      const std::lock_guard lock(lock_);
      n = std::min(n, count_);
      for (uint32_t i = 0; i < n; ++i) packets[i] = packets_[first_++ % kRoom];
      count_ -= n;
      return n;
    }

   private:
    static constexpr uint32_t kRoom = 1024;

    SpinLock lock_;
    std::array<Packet*, kRoom> packets_{};
    uint32_t first_ = 0;
    uint32_t count_ = 0;
  };

  uint32_t DoReceive(uint32_t queue, Packet** packets, uint32_t max) override {
    return loops_[queue].Take(packets, max);
  }
  uint32_t DoSend(uint32_t queue, Packet** packets, uint32_t n) override {
    return loops_[queue].Put(packets, n);
  }
  bool SendsChains() const override { return true; }

  std::vector<Loop> loops_;  // by queue
};

REGISTER_DRIVER(LoopPort);

}  // namespace
}  // namespace bess

BESS_PLUGIN("loop_port");
