// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "core/graph/module.h"
#include "core/graph/port_user.h"
#include "modules/queue_out.pb.h"

namespace bess {
namespace {

class QueueOut final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "QueueOut",
      .help = "sends packets to one queue of a port",
      .ogates = 0,
  };

  absl::Status Init(const pb::QueueOutArg& arg) {
    BESS_ASSIGN_OR_RETURN(lease_,
                          LeaseQueue(host(), arg.port(), Direction::kSend, name(), arg.qid()));
    description_ = absl::StrCat(arg.port(), ":", arg.qid());
    queue_ = static_cast<uint32_t>(arg.qid());
    port_ = &lease_->port();
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) { SendToQueue(*port_, queue_, context, batch); }

  std::string Description() const override { return description_; }
  Brake* brake() override { return port_->brake(); }
  uint64_t numa_nodes() const override { return lease_->port().numa_nodes(); }

  uint64_t Discard() override {
    lease_.reset();
    return 0;
  }

 private:
  std::string description_;
  std::unique_ptr<PortLease> lease_;
  PortQueues* port_ = nullptr;
  uint32_t queue_ = 0;
};

REGISTER_MODULE(QueueOut);

}  // namespace
}  // namespace bess
