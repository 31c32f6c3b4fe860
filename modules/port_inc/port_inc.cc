// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/spin_lock.h"
#include "core/graph/module.h"
#include "core/graph/port_user.h"
#include "core/packet/wire_bits.h"
#include "modules/port_inc.pb.h"

namespace bess {
namespace {

class PortInc final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "PortInc",
      .help = "receives packets from all queues of a port",
      .igates = 0,
  };
  static Commands<PortInc> commands() { return {{"set_burst", &PortInc::SetBurst}}; }

  absl::Status Init(const pb::PortIncArg& arg) {
    port_name_ = arg.port();
    prefetch_ = arg.prefetch();
    BESS_ASSIGN_OR_RETURN(lease_, LeaseNamedPort(host(), port_name_, Direction::kReceive, name()));
    port_ = &lease_->port();
    const uint32_t queues = port_->rx_queues();
    if (queues > kMaxTasksPerModule) {
      return Error(EINVAL, "port '", port_name_, "' has ", queues,
                   " receive queues; one PortInc can serve 1..", kMaxTasksPerModule);
    }
    polling_ = std::vector<SpinLock>(queues);
    for (uint32_t queue = 0; queue < queues; ++queue) BESS_RETURN_IF_ERROR(AddTask(queue));
    return absl::OkStatus();
  }

  absl::Status SetBurst(const pb::PortIncCommandSetBurstArg& arg) {
    if (arg.burst() > kBatchSize) {
      return Error(EINVAL, "'burst' must be 0..", kBatchSize, " packets, not ", arg.burst());
    }
    burst_.store(static_cast<uint32_t>(arg.burst()), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t queue) {
    batch.set_size(Receive(static_cast<uint32_t>(queue), batch.begin()));
    if (batch.empty()) return {.blocked = true};
    if (prefetch_) {
      for (Packet* packet : batch) __builtin_prefetch(packet->data());
    }
    const TaskResult result = {.packets = batch.size(), .bits = WireBits(batch)};
    context.ledger().created.Add(batch.size());
    context.Emit(0, batch);
    return result;
  }

  std::string Description() const override { return port_name_; }

  uint64_t Discard() override {
    lease_.reset();
    return 0;
  }

 private:
  // While a task moves to another worker, both may run it for a moment: one of them waits for its
  // next turn.
  uint32_t Receive(uint32_t queue, Packet** packets) {
    const std::unique_lock polling(polling_[queue], std::try_to_lock);
    if (!polling) return 0;
    return port_->Receive(queue, packets, burst_.load(std::memory_order_relaxed));
  }

  std::string port_name_;
  bool prefetch_ = false;
  std::unique_ptr<PortLease> lease_;
  PortQueues* port_ = nullptr;
  std::vector<SpinLock> polling_;  // by queue
  std::atomic<uint32_t> burst_{kBatchSize};
};

REGISTER_MODULE(PortInc);

}  // namespace
}  // namespace bess
