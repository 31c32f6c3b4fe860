// SPDX-License-Identifier: Apache-2.0
//
// PMDPort: whatever DPDK has a poll-mode driver for.
#pragma once

#include <rte_ethdev.h>
#include <rte_flow.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/port/doorway.h"
#include "core/port/new_sockets.h"
#include "core/port/pmd_device.h"
#include "core/port/port.h"
#include "ports/pmd_port.pb.h"

namespace bess {

class PmdPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "PMDPort",
      .help = "a network card or virtual device that DPDK drives by polling",
      .template_name = "pmd_port"};
  PmdPort() = default;
  ~PmdPort() override;

  // As the message says, and what the driver of the device says.
  absl::Status Init(const pb::PMDPortArg& arg);

  // What they were before while Configure is at work on the device.
  LinkStatus link() const override;
  PortSettings settings() const override;

  absl::Status Configure(const PortChange& change) override;
  uint64_t numa_nodes() const override;

 private:
  uint32_t DoReceive(uint32_t queue, Packet** packets, uint32_t max) override;
  uint32_t DoSend(uint32_t queue, Packet** packets, uint32_t n) override;
  bool SendsChains() const override { return device_->sends_chains(); }
  uint64_t LostByDevice() const override;

  absl::Status OpenDevice(const pb::PMDPortArg& arg);
  absl::Status ConfigureDevice(const pb::PMDPortArg& arg);
  absl::Status ChooseSocket(const pb::PMDPortArg& arg);
  absl::Status ApplyConfiguration();
  absl::Status SetUpQueues();
  absl::Status SetUpReceiveQueues(uint16_t size);
  absl::Status ChoosePool(const pb::PMDPortArg& arg);
  PacketPool& ReceivePool() const { return plain_.get() != nullptr ? *plain_.get() : pool(); }
  absl::Status SetUpAddressing(const pb::PMDPortArg& arg);
  absl::Status InstallFlows(const pb::PMDPortArg& arg);
  absl::Status StartDevice();
  void StopDevice();
  absl::Status CheckChange(const PortChange& change) const;
  uint32_t MtuOfBuffers() const;
  absl::Status SetMtu(uint32_t mtu);
  absl::Status SetMac(const MacAddress& mac);
  PortSettings ReadSettings() const;
  uint16_t id() const { return device_->id(); }

  PortPools::PlainPool plain_;             // outlives the device's queues
  std::optional<NewSockets> xdp_sockets_;  // outlives the device, which may forget them
  std::unique_ptr<PmdDevice> device_;
  std::optional<Doorway> door_;  // lanes: receive queues, then transmit queues
  uint32_t first_tx_lane_ = 0;
  int socket_ = SOCKET_ID_ANY;
  rte_eth_conf configuration_{};
  std::vector<rte_flow*> rules_;

  // The device itself is one control thread's at a time. A reader that finds it taken answers
  // with what was known last.
  mutable absl::Mutex device_mutex_;
  mutable absl::Mutex known_mutex_;
  mutable LinkStatus known_link_ ABSL_GUARDED_BY(known_mutex_);
  mutable PortSettings known_settings_ ABSL_GUARDED_BY(known_mutex_);
  mutable uint64_t known_lost_ ABSL_GUARDED_BY(known_mutex_) = 0;
};

}  // namespace bess
