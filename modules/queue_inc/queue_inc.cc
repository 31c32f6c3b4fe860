// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "core/graph/burst.h"
#include "core/graph/module.h"
#include "core/graph/port_user.h"
#include "modules/queue_inc.pb.h"

namespace bess {
namespace {

class QueueInc final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "QueueInc",
      .help = "receives packets from one queue of a port",
      .igates = 0,
      .max_workers = 1,
  };
  static Commands<QueueInc> commands() {
    return {{"set_burst", &QueueInc::SetBurst, CommandKind::kSets}};
  }

  absl::Status Init(const pb::QueueIncArg& arg) {
    BESS_ASSIGN_OR_RETURN(lease_,
                          LeaseQueue(host(), arg.port(), Direction::kReceive, name(), arg.qid()));
    description_ = absl::StrCat(arg.port(), ":", arg.qid());
    receiver_.Use(lease_->port(), static_cast<uint32_t>(arg.qid()), arg.prefetch());
    return AddTask(0);
  }

  absl::Status SetBurst(const pb::QueueIncCommandSetBurstArg& arg) {
    return burst_.Set(arg.burst());
  }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    return receiver_.Run(context, batch, burst_.Get());
  }

  std::string Description() const override { return description_; }
  uint64_t numa_nodes() const override { return lease_->port().numa_nodes(); }
  int wake_fd(uint64_t) const override { return receiver_.wake_fd(); }
  const Brake* source_brake() const override { return receiver_.brake(); }
  bool Await(uint64_t) override { return receiver_.Await(); }

  uint64_t Discard() override {
    lease_.reset();
    return 0;
  }

 private:
  std::string description_;
  std::unique_ptr<PortLease> lease_;
  QueueReceiver receiver_;
  Burst burst_;
};

REGISTER_MODULE(QueueInc);

}  // namespace
}  // namespace bess
