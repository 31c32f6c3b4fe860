// SPDX-License-Identifier: Apache-2.0
#include "core/port/pmd_device.h"

#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_pci.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/base/status.h"
#include "core/port/eal.h"

namespace bess {
namespace {

std::optional<uint16_t> FindByName(const std::string& name) {
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) return std::nullopt;
  return id;
}

absl::Status CheckFree(uint16_t id) {
  rte_eth_dev_owner owner{};
  if (rte_eth_dev_owner_get(id, &owner) != 0 || owner.id == RTE_ETH_DEV_NO_OWNER) {
    return absl::OkStatus();
  }
  return Error(EBUSY, "port '", owner.name, "' has this device already");
}

// Makes errno of what DPDK returns: negative ones, and -1 for no reason given.
int PositiveErrno(int code, int otherwise) { return code < -1 ? -code : otherwise; }

}  // namespace

absl::StatusOr<std::unique_ptr<PmdDevice>> PmdDevice::Take(uint16_t id, std::string_view port,
                                                           bool remove) {
  std::unique_ptr<PmdDevice> device(new PmdDevice(id, remove));
  rte_eth_dev_owner_new(&device->owner_.id);
  std::snprintf(device->owner_.name, sizeof(device->owner_.name), "%.*s",
                static_cast<int>(port.size()), port.data());
  if (const int error = rte_eth_dev_owner_set(id, &device->owner_); error != 0) {
    return Error(EBUSY, "cannot take device ", id, ": ", rte_strerror(-error));
  }
  if (const int error = rte_eth_dev_info_get(id, &device->info_); error != 0) {
    return Error(ENODEV, "cannot ask device ", id, " what it is: ", rte_strerror(-error));
  }
  return device;
}

absl::StatusOr<std::unique_ptr<PmdDevice>> PmdDevice::OpenId(uint64_t id, std::string_view port) {
  if (id >= RTE_MAX_ETHPORTS || rte_eth_dev_is_valid_port(static_cast<uint16_t>(id)) == 0) {
    return Error(ENODEV, "DPDK has no device ", id, "; it has ", rte_eth_dev_count_total());
  }
  BESS_RETURN_IF_ERROR(CheckFree(static_cast<uint16_t>(id)));
  return Take(static_cast<uint16_t>(id), port, false);
}

absl::StatusOr<std::unique_ptr<PmdDevice>> PmdDevice::Probe(std::string_view bus,
                                                            const std::string& name,
                                                            const std::string& arguments,
                                                            std::string_view port) {
  DpdkComplaints complaints;
  const int result = rte_eal_hotplug_add(std::string(bus).c_str(), name.c_str(), arguments.c_str());
  if (result == -EFAULT) return Error(ENODEV, "DPDK has no driver for '", name, "'");
  if (result != 0) {
    return Error(PositiveErrno(result, ENODEV), "cannot make device '", name, "'",
                 complaints.Reason());
  }
  const std::optional<uint16_t> id = FindByName(name);
  if (!id) {
    rte_eal_hotplug_remove(std::string(bus).c_str(), name.c_str());
    return Error(ENODEV, "'", name, "' is no Ethernet device");
  }
  return Take(*id, port, true);
}

absl::StatusOr<std::unique_ptr<PmdDevice>> PmdDevice::OpenPci(std::string_view address,
                                                              std::string_view port) {
  rte_pci_addr parsed{};
  if (rte_pci_addr_parse(std::string(address).c_str(), &parsed) != 0) {
    return Error(EINVAL, "'pci' must be like 0000:03:00.1 or 03:00.1, not '", address, "'");
  }
  char name[PCI_PRI_STR_SIZE + 1];
  rte_pci_device_name(&parsed, name, sizeof(name));
  if (const auto id = FindByName(name)) {
    BESS_RETURN_IF_ERROR(CheckFree(*id));
    return Take(*id, port, false);
  }
  return Probe("pci", name, "", port);
}

absl::StatusOr<std::unique_ptr<PmdDevice>> PmdDevice::OpenVdev(std::string_view text,
                                                               std::string_view port) {
  const size_t comma = text.find(',');
  const std::string name(text.substr(0, comma));
  const std::string arguments(comma == text.npos ? "" : text.substr(comma + 1));
  if (name.empty() || name.size() >= RTE_DEV_NAME_MAX_LEN) {
    return Error(EINVAL, "'vdev' must begin with a name of 1..", RTE_DEV_NAME_MAX_LEN - 1,
                 " bytes, such as net_null0, not '", name, "'");
  }
  if (const auto id = FindByName(name)) {
    BESS_RETURN_IF_ERROR(CheckFree(*id));
    return Error(EBUSY, "there is a device '", name, "' already");
  }
  return Probe("vdev", name, arguments, port);
}

PmdDevice::~PmdDevice() {
  rte_eth_dev_stop(id_);
  if (!remove_ || info_.device == nullptr) {
    rte_eth_dev_owner_unset(id_, owner_.id);
    return;
  }
  rte_eth_dev_close(id_);
  if (const int error = rte_dev_remove(info_.device); error != 0) {
    spdlog::warn("cannot remove DPDK device {}: {}", id_, rte_strerror(-error));
  }
}

// Drivers that know no largest MTU state the longest frame, preamble and VLAN tags left out.
uint32_t PmdDevice::max_mtu() const {
  constexpr uint32_t kFraming = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  if (info_.max_mtu != UINT16_MAX || info_.max_rx_pktlen <= kFraming) return info_.max_mtu;
  return std::min<uint32_t>(info_.max_mtu, info_.max_rx_pktlen - kFraming);
}

// Some drivers gather and scatter without saying so.
bool PmdDevice::sends_chains() const {
  return (info_.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0 || driver() == "net_null" ||
         driver() == "net_pcap";
}

bool PmdDevice::receives_chains() const {
  return (info_.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 || driver() == "net_memif" ||
         driver() == "net_pcap" || driver() == "net_vhost";
}

bool PmdDevice::is_virtual() const {
  const rte_bus* bus = rte_dev_bus(info_.device);
  return bus != nullptr && std::string_view(rte_bus_name(bus)) == "vdev";
}

}  // namespace bess
