// SPDX-License-Identifier: Apache-2.0
#include "core/port/pmd_port.h"

#include <rte_errno.h>
#include <rte_lcore.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

#include "core/base/status.h"
#include "core/port/eal.h"
#include "core/port/pmd_flow.h"

namespace bess {
namespace {

// "cannot <what>: <reason>", with the reason DPDK gave in its log where there is one.
absl::Status DeviceError(int error, std::string_view what, const DpdkComplaints& complaints) {
  const int code = error < -1 ? -error : EIO;
  return Error(code, "the device cannot ", what, ": ",
               complaints.first().empty() ? std::string(rte_strerror(code)) : complaints.first());
}

// --- offloads -----------------------------------------------------------------------------------

constexpr uint64_t kRxChecksums =
    RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
constexpr uint64_t kTxChecksums =
    RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;

absl::Status Want(uint64_t offload, uint64_t capable, const char* field, uint64_t* offloads) {
  if ((offload & ~capable) != 0) return Error(ENOTSUP, "the device cannot do '", field, "'");
  *offloads |= offload;
  return absl::OkStatus();
}

absl::Status ChooseOffloads(const pb::PMDPortArg& arg, const rte_eth_dev_info& info,
                            rte_eth_conf* conf) {
  const auto receive = [&](bool wanted, uint64_t offload, const char* field) {
    return wanted ? Want(offload, info.rx_offload_capa, field, &conf->rxmode.offloads)
                  : absl::OkStatus();
  };
  BESS_RETURN_IF_ERROR(
      receive(arg.vlan_offload_rx_strip(), RTE_ETH_RX_OFFLOAD_VLAN_STRIP, "vlan_offload_rx_strip"));
  BESS_RETURN_IF_ERROR(receive(arg.vlan_offload_rx_filter(), RTE_ETH_RX_OFFLOAD_VLAN_FILTER,
                               "vlan_offload_rx_filter"));
  BESS_RETURN_IF_ERROR(
      receive(arg.vlan_offload_rx_qinq(), RTE_ETH_RX_OFFLOAD_QINQ_STRIP, "vlan_offload_rx_qinq"));
  BESS_RETURN_IF_ERROR(receive(arg.hwcksum(), kRxChecksums, "hwcksum"));
  conf->txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  if (!arg.hwcksum()) return absl::OkStatus();
  return Want(kTxChecksums, info.tx_offload_capa, "hwcksum", &conf->txmode.offloads);
}

void ChooseSpreading(uint32_t rx_queues, const rte_eth_dev_info& info, rte_eth_conf* conf) {
  constexpr uint64_t kFlows = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
  const uint64_t flows = info.flow_type_rss_offloads & kFlows;
  if (rx_queues == 1 || flows == 0) return;
  conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf->rx_adv_conf.rss_conf.rss_hf = flows;
}

absl::Status CheckQueues(const PortShape& shape, const rte_eth_dev_info& info) {
  if (shape.rx_queues > info.max_rx_queues) {
    return Error(EINVAL, "the device has at most ", info.max_rx_queues, " receive queues, not ",
                 shape.rx_queues);
  }
  if (shape.tx_queues > info.max_tx_queues) {
    return Error(EINVAL, "the device has at most ", info.max_tx_queues, " transmit queues, not ",
                 shape.tx_queues);
  }
  return absl::OkStatus();
}

// By its name, as the device may wait for its peer for ever when it is made.
absl::Status CheckVdev(std::string_view vdev) {
  if (!vdev.starts_with("net_virtio_user") && !vdev.starts_with("virtio_user")) {
    return absl::OkStatus();
  }
  return Error(ENOTSUP,
               "net_virtio_user cannot send: its peer does not map packet memory; "
               "use net_vhost or net_memif");
}

}  // namespace

// --- start and end ------------------------------------------------------------------------------

absl::Status PmdPort::Init(const pb::PMDPortArg& arg) {
  for (const uint32_t profile : arg.flow_profiles()) {
    if (!IsFlowProfile(profile)) {
      return Error(EINVAL, "'flow_profiles' are 3, 6 and 9, not ", profile);
    }
  }
  BESS_RETURN_IF_ERROR(OpenDevice(arg));
  first_tx_lane_ = rx_queues();
  door_.emplace(rx_queues() + tx_queues());
  BESS_RETURN_IF_ERROR(ConfigureDevice(arg));
  BESS_RETURN_IF_ERROR(SetUpAddressing(arg));
  absl::MutexLock lock(&device_mutex_);
  BESS_RETURN_IF_ERROR(StartDevice());
  BESS_RETURN_IF_ERROR(InstallFlows(arg));
  absl::MutexLock known(&known_mutex_);
  known_settings_ = ReadSettings();
  return absl::OkStatus();
}

absl::Status PmdPort::OpenDevice(const pb::PMDPortArg& arg) {
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<PmdDevice>> {
    switch (arg.port_case()) {
      case pb::PMDPortArg::kPortId:
        return PmdDevice::OpenId(arg.port_id(), name());
      case pb::PMDPortArg::kPci:
        return PmdDevice::OpenPci(arg.pci(), name());
      case pb::PMDPortArg::kVdev:
        BESS_RETURN_IF_ERROR(CheckVdev(arg.vdev()));
        return PmdDevice::OpenVdev(arg.vdev(), name());
      case pb::PMDPortArg::PORT_NOT_SET:
        break;
    }
    return Error(EINVAL, "one of 'port_id', 'pci' and 'vdev' must say which device");
  };
  BESS_ASSIGN_OR_RETURN(device_, open());
  return absl::OkStatus();
}

PmdPort::~PmdPort() {
  if (door_) door_->Close();
  for (rte_flow* rule : rules_) rte_flow_destroy(id(), rule, nullptr);
}

absl::Status PmdPort::ConfigureDevice(const pb::PMDPortArg& arg) {
  const rte_eth_dev_info& info = device_->info();
  BESS_RETURN_IF_ERROR(CheckQueues(shape(), info));
  rte_eth_conf& conf = configuration_;
  if (arg.loopback()) {
    // Virtual devices ignore the setting without a word.
    if (device_->is_virtual()) return Error(ENOTSUP, "the device cannot do 'loopback'");
    conf.lpbk_mode = 1;
  }
  BESS_RETURN_IF_ERROR(ChooseOffloads(arg, info, &conf));
  ChooseSpreading(rx_queues(), info, &conf);
  BESS_RETURN_IF_ERROR(ChooseSocket(arg));
  BESS_RETURN_IF_ERROR(ChoosePool(arg));
  return ApplyConfiguration();
}

// Also for a device that has been stopped, to change what only a new start changes.
absl::Status PmdPort::ApplyConfiguration() {
  DpdkComplaints complaints;
  const int error = rte_eth_dev_configure(id(), static_cast<uint16_t>(rx_queues()),
                                          static_cast<uint16_t>(tx_queues()), &configuration_);
  if (error != 0) return DeviceError(error, "be configured so", complaints);
  return SetUpQueues();
}

absl::Status PmdPort::ChooseSocket(const pb::PMDPortArg& arg) {
  socket_ = rte_eth_dev_socket_id(id());
  if (arg.socket_case() == pb::PMDPortArg::kSocketId) {
    socket_ = arg.socket_id();
    bool known = socket_ == SOCKET_ID_ANY;
    for (unsigned i = 0; i < rte_socket_count(); ++i) known |= rte_socket_id_by_idx(i) == socket_;
    if (!known) return Error(EINVAL, "there is no NUMA node ", socket_, " ('socket_id')");
  }
  if (socket_ < 0) socket_ = SOCKET_ID_ANY;
  return absl::OkStatus();
}

absl::Status PmdPort::ChoosePool(const pb::PMDPortArg& arg) {
  if (!arg.domain().empty() && device_->driver() == "net_ring") {
    return Error(EINVAL, "net_ring receives what it was sent, whatever 'domain' that is of");
  }
  // net_af_xdp gives the pool's own memory to the kernel as its ring memory; a network card reads
  // and writes only memory that DPDK allocated and mapped for it.
  const bool needs_plain = device_->driver() == "net_af_xdp" || !device_->is_virtual();
  if (!needs_plain) return absl::OkStatus();
  // What the rings hold, af_xdp's fill ring being as long again, and what travels meanwhile.
  constexpr uint32_t kShortest = 2048;
  constexpr uint32_t kTravelling = 8192;
  const uint32_t rx = rx_queues() * std::max(shape().rx_size, kShortest) * 2;
  const uint32_t tx = tx_queues() * std::max(shape().tx_size, kShortest);
  BESS_ASSIGN_OR_RETURN(plain_, pools().TakePlain(rx + tx + kTravelling));
  return absl::OkStatus();
}

absl::Status PmdPort::SetUpReceiveQueues(uint16_t size) {
  const auto socket = static_cast<unsigned>(socket_);
  if (device_->driver() == "net_af_xdp") xdp_sockets_.emplace(AF_XDP);
  DpdkComplaints complaints;
  int error = 0;
  for (uint16_t queue = 0; queue < rx_queues() && error == 0; ++queue) {
    error = rte_eth_rx_queue_setup(id(), queue, size, socket, nullptr, ReceivePool().mempool());
  }
  if (xdp_sockets_) xdp_sockets_->Settle();
  return error == 0 ? absl::OkStatus() : DeviceError(error, "set up a receive queue", complaints);
}

absl::Status PmdPort::SetUpQueues() {
  auto rx_size = static_cast<uint16_t>(shape().rx_size);
  auto tx_size = static_cast<uint16_t>(shape().tx_size);
  const auto socket = static_cast<unsigned>(socket_);
  DpdkComplaints complaints;
  if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(id(), &rx_size, &tx_size); error != 0) {
    return DeviceError(error, "have queues of this size", complaints);
  }
  BESS_RETURN_IF_ERROR(SetUpReceiveQueues(rx_size));
  for (uint16_t queue = 0; queue < tx_queues(); ++queue) {
    const int error = rte_eth_tx_queue_setup(id(), queue, tx_size, socket, nullptr);
    if (error != 0) return DeviceError(error, "set up a transmit queue", complaints);
  }
  return absl::OkStatus();
}

absl::Status PmdPort::SetUpAddressing(const pb::PMDPortArg& arg) {
  if (!arg.promiscuous_mode()) return absl::OkStatus();
  DpdkComplaints complaints;
  const int error = rte_eth_promiscuous_enable(id());
  // Devices that know no other mode say so.
  if (error == 0 || error == -ENOTSUP) return absl::OkStatus();
  return DeviceError(error, "do 'promiscuous_mode'", complaints);
}

absl::Status PmdPort::InstallFlows(const pb::PMDPortArg& arg) {
  for (const uint32_t profile : arg.flow_profiles()) {
    BESS_RETURN_IF_ERROR(InstallFlowProfile(id(), profile, rx_queues(), &rules_));
  }
  return absl::OkStatus();
}

absl::Status PmdPort::StartDevice() {
  DpdkComplaints complaints;
  if (const int error = rte_eth_dev_start(id()); error != 0) {
    return DeviceError(error, "start", complaints);
  }
  door_->Open();
  return absl::OkStatus();
}

void PmdPort::StopDevice() {
  door_->Close();
  if (const int error = rte_eth_dev_stop(id()); error != 0) {
    spdlog::warn("port {} did not stop: {}", name(), rte_strerror(-error));
  }
}

// --- packets ------------------------------------------------------------------------------------

uint32_t PmdPort::DoReceive(uint32_t queue, Packet** packets, uint32_t max) {
  return door_->Pass(queue, 0u, [&] {
    return rte_eth_rx_burst(id(), static_cast<uint16_t>(queue), Packet::AsMbufs(packets),
                            static_cast<uint16_t>(max));
  });
}

uint32_t PmdPort::DoSend(uint32_t queue, Packet** packets, uint32_t n) {
  return door_->Pass(first_tx_lane_ + queue, 0u, [&] {
    return rte_eth_tx_burst(id(), static_cast<uint16_t>(queue), Packet::AsMbufs(packets),
                            static_cast<uint16_t>(n));
  });
}

uint64_t PmdPort::LostByDevice() const {
  absl::MutexLock known(&known_mutex_);
  if (device_mutex_.TryLock()) {
    rte_eth_stats stats{};
    // What was not sent stays with the caller of Send and is counted there.
    if (rte_eth_stats_get(id(), &stats) == 0) known_lost_ = stats.imissed + stats.rx_nombuf;
    device_mutex_.Unlock();
  }
  return known_lost_;
}

// --- settings -----------------------------------------------------------------------------------

LinkStatus PmdPort::link() const {
  absl::MutexLock known(&known_mutex_);
  if (device_mutex_.TryLock()) {
    rte_eth_link link{};
    if (rte_eth_link_get_nowait(id(), &link) == 0) {
      const bool speed_known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
      known_link_ = {.speed = speed_known ? link.link_speed : 0,
                     .full_duplex = link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX,
                     .autoneg = link.link_autoneg == RTE_ETH_LINK_AUTONEG,
                     .up = link.link_status == RTE_ETH_LINK_UP};
    }
    device_mutex_.Unlock();
  }
  return known_link_;
}

PortSettings PmdPort::settings() const {
  absl::MutexLock known(&known_mutex_);
  return known_settings_;
}

PortSettings PmdPort::ReadSettings() const {
  PortSettings settings{.admin_up = door_->is_open()};
  rte_ether_addr mac{};
  if (rte_eth_macaddr_get(id(), &mac) == 0) {
    std::copy_n(mac.addr_bytes, settings.mac.size(), settings.mac.begin());
  }
  uint16_t mtu = 0;
  if (rte_eth_dev_get_mtu(id(), &mtu) == 0) settings.mtu = mtu;
  return settings;
}

absl::Status PmdPort::CheckChange(const PortChange& change) const {
  const uint32_t low = std::max<uint32_t>(device_->info().min_mtu, RTE_ETHER_MIN_MTU);
  const uint32_t device_high = device_->max_mtu();
  const uint32_t high =
      device_->receives_chains() ? device_high : std::min(device_high, MtuOfBuffers());
  if (change.mtu && (*change.mtu < low || *change.mtu > high)) {
    return Error(EINVAL, "'mtu' must be ", low, "..", high, ", not ", *change.mtu,
                 "; the device takes up to ", device_high, " and packet buffers (--buffer_size) ",
                 MtuOfBuffers());
  }
  if (change.mac && (change.mac->at(0) & 1) != 0) {
    return Error(EINVAL, "'mac_addr' is a group address, which no port can have");
  }
  return absl::OkStatus();
}

// The largest MTU whose frames, two VLAN tags included, fit a packet buffer.
uint32_t PmdPort::MtuOfBuffers() const { return ReceivePool().data_room() - device_->overhead(); }

absl::Status PmdPort::SetMtu(uint32_t mtu) {
  // Devices spread frames over several buffers at a price; they are told when it has to be.
  const uint64_t scatter = device_->info().rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  if (mtu > MtuOfBuffers() && (scatter & ~configuration_.rxmode.offloads) != 0) {
    configuration_.rxmode.offloads |= scatter;
    BESS_RETURN_IF_ERROR(ApplyConfiguration());
  }
  DpdkComplaints complaints;
  const int error = rte_eth_dev_set_mtu(id(), static_cast<uint16_t>(mtu));
  return error == 0 ? absl::OkStatus() : DeviceError(error, "have this MTU", complaints);
}

absl::Status PmdPort::SetMac(const MacAddress& mac) {
  DpdkComplaints complaints;
  rte_ether_addr address{};
  std::copy(mac.begin(), mac.end(), address.addr_bytes);
  const int error = rte_eth_dev_default_mac_addr_set(id(), &address);
  return error == 0 ? absl::OkStatus() : DeviceError(error, "have this MAC address", complaints);
}

absl::Status PmdPort::Configure(const PortChange& change) {
  BESS_RETURN_IF_ERROR(CheckChange(change));
  absl::MutexLock lock(&device_mutex_);
  const PortSettings before = ReadSettings();
  // Many devices change these only while they stand still.
  const bool stop =
      before.admin_up && (change.mac || change.mtu || !change.admin_up.value_or(true));
  if (stop) StopDevice();
  absl::Status result = change.mtu ? SetMtu(*change.mtu) : absl::OkStatus();
  if (result.ok() && change.mac) result = SetMac(*change.mac);
  if (!result.ok() && change.mtu) SetMtu(before.mtu).IgnoreError();
  const bool up = result.ok() ? change.admin_up.value_or(before.admin_up) : before.admin_up;
  if (up && !door_->is_open()) {
    if (const absl::Status started = StartDevice(); result.ok()) result = started;
  }
  absl::MutexLock known(&known_mutex_);
  known_settings_ = ReadSettings();
  return result;
}

uint64_t PmdPort::numa_nodes() const {
  const int node = rte_eth_dev_socket_id(id());
  return node < 0 || node >= 64 ? ~uint64_t{0} : uint64_t{1} << node;
}

REGISTER_DRIVER(PmdPort);

}  // namespace bess
