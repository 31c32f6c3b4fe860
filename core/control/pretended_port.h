// SPDX-License-Identifier: Apache-2.0
//
// A port that is not there. Modules can be made upon it that never run: for a commit that is only
// tried, while the device is left alone, and as copies of a module that has the real port.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/graph/host.h"
#include "core/port/port_table.h"

namespace bess {

class PretendedPort final : public PortQueues {
 public:
  PretendedPort(std::string name, const PortShape& shape) : name_(std::move(name)), shape_(shape) {}

  const std::string& name() const override { return name_; }
  uint32_t rx_queues() const override { return shape_.rx_queues; }
  uint32_t tx_queues() const override { return shape_.tx_queues; }
  Passed Receive(uint32_t /*queue*/, Packet** /*packets*/, uint32_t /*max*/) override { return {}; }
  uint32_t Send(uint32_t /*queue*/, Packet** /*packets*/, uint32_t /*n*/) override { return 0; }

 private:
  const std::string name_;
  const PortShape shape_;
};

// Keeps the port for as long as the module has it.
class PretendedLease final : public PortLease {
 public:
  explicit PretendedLease(std::shared_ptr<PretendedPort> port) : port_(std::move(port)) {}
  // EINVAL for a queue that the port does not have.
  static absl::StatusOr<std::unique_ptr<PortLease>> Take(std::shared_ptr<PretendedPort> port,
                                                         Direction direction, uint64_t queue) {
    BESS_RETURN_IF_ERROR(PortTable::CheckQueue(*port, direction, queue));
    return std::make_unique<PretendedLease>(std::move(port));
  }
  PortQueues& port() const override { return *port_; }

 private:
  const std::shared_ptr<PretendedPort> port_;
};

}  // namespace bess
