// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "core/graph/burst.h"
#include "core/graph/module.h"
#include "core/graph/port_user.h"
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
  static Commands<PortInc> commands() {
    return {{"set_burst", &PortInc::SetBurst, CommandKind::kSets}};
  }

  absl::Status Init(const pb::PortIncArg& arg) {
    port_name_ = arg.port();
    BESS_ASSIGN_OR_RETURN(lease_, LeaseNamedPort(host(), port_name_, Direction::kReceive, name()));
    const uint32_t queues = lease_->port().rx_queues();
    if (queues > kMaxTasksPerModule) {
      return Error(EINVAL, "port '", port_name_, "' has ", queues,
                   " receive queues; one PortInc can serve 1..", kMaxTasksPerModule);
    }
    receivers_ = std::vector<QueueReceiver>(queues);
    for (uint32_t queue = 0; queue < queues; ++queue) {
      receivers_[queue].Use(lease_->port(), queue, arg.prefetch());
      BESS_RETURN_IF_ERROR(AddTask(queue));
    }
    return absl::OkStatus();
  }

  absl::Status SetBurst(const pb::PortIncCommandSetBurstArg& arg) {
    return burst_.Set(arg.burst());
  }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t queue) {
    return receivers_[queue].Run(context, batch, burst_.Get());
  }

  std::string Description() const override { return port_name_; }
  uint64_t numa_nodes() const override { return lease_->port().numa_nodes(); }
  int wake_fd(uint64_t queue) const override { return receivers_[queue].wake_fd(); }
  const Brake* source_brake() const override { return receivers_[0].brake(); }
  bool Await(uint64_t queue) override { return receivers_[queue].Await(); }

  uint64_t Discard() override {
    lease_.reset();
    return 0;
  }

 private:
  std::string port_name_;
  std::unique_ptr<PortLease> lease_;
  std::vector<QueueReceiver> receivers_;  // by queue
  Burst burst_;
};

REGISTER_MODULE(PortInc);

}  // namespace
}  // namespace bess
