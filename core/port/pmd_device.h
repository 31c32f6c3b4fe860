// SPDX-License-Identifier: Apache-2.0
//
// The right to one of DPDK's Ethernet devices: found or made, marked as taken, and given back.
#pragma once

#include <rte_ethdev.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bess {

// Thread: control, one at a time.
class PmdDevice {
 public:
  // `port` is the name of the port that takes the device. ENODEV when there is none, EBUSY naming
  // the port that has it, EINVAL for an address that cannot be read; else what DPDK says.
  static absl::StatusOr<std::unique_ptr<PmdDevice>> OpenId(uint64_t id, std::string_view port);
  // The device is probed if it was not yet.
  static absl::StatusOr<std::unique_ptr<PmdDevice>> OpenPci(std::string_view address,
                                                            std::string_view port);
  // In DPDK's notation, such as "net_null0,size=60". The device is made, and gone afterwards.
  static absl::StatusOr<std::unique_ptr<PmdDevice>> OpenVdev(std::string_view text,
                                                             std::string_view port);

  // Stops the device, and removes it if it was probed here.
  ~PmdDevice();
  PmdDevice(const PmdDevice&) = delete;
  PmdDevice& operator=(const PmdDevice&) = delete;

  uint16_t id() const { return id_; }
  const rte_eth_dev_info& info() const { return info_; }
  std::string_view driver() const { return info_.driver_name; }
  bool is_virtual() const;
  // Whether it takes packets of several segments, and whether it can make them of frames longer
  // than a buffer.
  bool sends_chains() const;
  bool receives_chains() const;
  // The largest MTU that the device, or DPDK on its behalf, takes.
  uint32_t max_mtu() const;
  // Bytes in front of and behind the IP packet that the device counts towards a frame.
  uint32_t overhead() const { return RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * RTE_VLAN_HLEN; }

 private:
  PmdDevice(uint16_t id, bool remove) : id_(id), remove_(remove) {}

  static absl::StatusOr<std::unique_ptr<PmdDevice>> Take(uint16_t id, std::string_view port,
                                                         bool remove);
  static absl::StatusOr<std::unique_ptr<PmdDevice>> Probe(std::string_view bus,
                                                          const std::string& name,
                                                          const std::string& arguments,
                                                          std::string_view port);

  const uint16_t id_;
  const bool remove_;
  rte_eth_dev_owner owner_{};
  rte_eth_dev_info info_{};
};

}  // namespace bess
