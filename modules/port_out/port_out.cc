// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "core/graph/module.h"
#include "core/graph/port_user.h"
#include "modules/port_out.pb.h"

namespace bess {
namespace {

class PortOut final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "PortOut",
      .help = "sends packets to a port",
      .igates = kMaxGates,
      .ogates = 0,
  };

  absl::Status Init(const pb::PortOutArg& arg) {
    port_name_ = arg.port();
    BESS_ASSIGN_OR_RETURN(lease_, LeaseNamedPort(host(), port_name_, Direction::kSend, name()));
    port_ = &lease_->port();
    return absl::OkStatus();
  }

  // Neighbouring workers get neighbouring queues. They begin at the first worker's number so that
  // several modules, on workers of their own, do not all begin at the same queue.
  void Placed(absl::Span<const uint32_t> workers) override {
    for (size_t i = 0; i < workers.size(); ++i) {
      const auto queue = static_cast<uint32_t>((workers[0] + i) % port_->tx_queues());
      queues_[workers[i]].store(queue, std::memory_order_relaxed);
    }
  }

  void Process(Context& context, Batch& batch) {
    const uint32_t queue = queues_[context.worker()].load(std::memory_order_relaxed);
    SendToQueue(*port_, queue, context, batch);
  }

  std::string Description() const override { return port_name_; }
  Brake* brake() override { return port_->brake(); }
  uint64_t numa_nodes() const override { return lease_->port().numa_nodes(); }

  uint64_t Discard() override {
    lease_.reset();
    return 0;
  }

 private:
  std::string port_name_;
  std::unique_ptr<PortLease> lease_;
  PortQueues* port_ = nullptr;
  std::array<std::atomic<uint32_t>, kMaxWorkers + 1> queues_{};  // by worker
};

REGISTER_MODULE(PortOut);

}  // namespace
}  // namespace bess
