// SPDX-License-Identifier: Apache-2.0
//
// NFPort: a network function in a process of its own, at the other end of rings in shared memory.
#pragma once

#include <cstdint>
#include <memory>

#include "core/port/nf_server.h"
#include "core/port/port.h"
#include "ports/nf_port.pb.h"

namespace bess {

class NFPort final : public Port, private Gauge {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "NFPort",
      .help = "exchanges packets with a network function through shared memory",
      .template_name = "nf_port"};

  // EINVAL for more queues than BESS_NF_MAX_QUEUES, or a path or a domain that cannot be; else as
  // UnixListener::Open.
  absl::Status Init(const pb::NFPortArg& arg);

  // Up while an NF is attached.
  LinkStatus link() const override { return {.up = server_->attached()}; }

  Brake* brake() override { return braking_ ? &brake_ : nullptr; }
  int wake_fd(uint32_t queue) const override { return server_->wake_fd(queue); }
  bool Await(uint32_t queue) override { return server_->Await(queue); }

  const NfServer& server() const { return *server_; }

 private:
  Passed Take(uint32_t queue, Packet** packets, uint32_t max) override {
    return server_->Receive(queue, packets, max);
  }
  Passed Give(uint32_t queue, Packet** packets, uint32_t n) override {
    const Passed sent = server_->Send(queue, packets, n);
    if (braking_) [[unlikely]]
      brake_.Filled(server_->Waiting(queue));
    return sent;
  }
  uint64_t LostByDevice() const override {
    const NfSessionCounters& traffic = server_->traffic();
    return traffic.no_buffers.load(std::memory_order_relaxed) +
           traffic.unreceived.load(std::memory_order_relaxed);
  }

  // What waits in the fullest ring.
  uint64_t Read() override;

  bool braking_ = false;
  Brake brake_{this};
  PortPools::DomainLease domain_;
  std::unique_ptr<NfServer> server_;
};

}  // namespace bess
