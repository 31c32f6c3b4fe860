// SPDX-License-Identifier: Apache-2.0
//
// VPort: a network interface for the kernel of this host or of a container, made by the port and
// gone with it.
#include <net/ethernet.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "core/base/status.h"
#include "core/graph/packet_ring.h"
#include "core/packet/segments.h"
#include "core/packet/vlan.h"
#include "core/port/kernel_link.h"
#include "core/port/port.h"
#include "core/port/tap_device.h"
#include "ports/vport.pb.h"

namespace bess {
namespace {

constexpr uint32_t kLeastMtu = ETH_MIN_MTU;
constexpr uint32_t kMostMtu = ETH_MAX_MTU - ETH_HLEN;
constexpr size_t kLongestFrame = kMostMtu + ETH_HLEN + 2 * sizeof(VlanTag);

class VPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {.name = "VPort",
                                       .help = "an interface for the kernel, in any namespace",
                                       .template_name = "vport"};

  // As the message says. Whatever fails, no interface is left.
  absl::Status Init(const pb::VPortArg& arg);
  ~VPort() override;

  LinkStatus link() const override { return {.up = AskKernel().running}; }
  PortSettings settings() const override;
  absl::Status Configure(const PortChange& change) override;
  int wake_fd(uint32_t queue) const override { return loops_.empty() ? tap_->fd(queue) : -1; }

 private:
  uint32_t DoReceive(uint32_t queue, Packet** packets, uint32_t max) override;
  uint32_t DoSend(uint32_t queue, Packet** packets, uint32_t n) override;
  bool SendsChains() const override { return true; }
  uint64_t LostByDevice() const override { return unfit_.Get() + AskKernel().kernel_dropped; }

  // --- start ---
  absl::StatusOr<std::string> ChooseName(const pb::VPortArg& arg) const;
  absl::Status CheckCores(const pb::VPortArg& arg) const;
  absl::Status TakeTags(const pb::VPortArg& arg);
  void MakeLoops();
  absl::Status MakeInterface(const pb::VPortArg& arg, const std::string& name,
                             const NetworkNamespace& space);

  // --- packets ---
  uint32_t ReadFrames(uint32_t queue, Packet** packets, uint32_t max);
  bool Complete(Packet& packet, size_t length, const uint8_t* rest);
  uint32_t Tag(Packet** packets, uint32_t n);

  // --- the kernel ---
  absl::Status WithLink(const std::function<absl::Status(KernelLink&)>& body) const;
  LinkState AskKernel() const;

  std::optional<TapDevice> tap_;
  std::vector<Be16> tags_;                          // the inner one first
  std::vector<std::unique_ptr<PacketRing>> loops_;  // by receive queue; empty without `loopback`
  std::vector<std::unique_ptr<uint8_t[]>>
      rests_;      // by receive queue: what of a frame fits no buffer
  Counter unfit_;  // no buffers for the frame, or no room for a tag
  mutable absl::Mutex known_mutex_;
  mutable LinkState known_ ABSL_GUARDED_BY(known_mutex_);  // what the kernel said last
};

// --- start and end ------------------------------------------------------------------------------

absl::StatusOr<NetworkNamespace> NamespaceOf(const pb::VPortArg& arg) {
  switch (arg.cpid_case()) {
    case pb::VPortArg::kDocker:
      return Error(ENOTSUP, "'docker' is not supported; give the 'container_pid' of '",
                   arg.docker(), "', as `docker inspect -f {{.State.Pid}}` prints it");
    case pb::VPortArg::kContainerPid:
      return NetworkNamespace::OfProcess(arg.container_pid());
    case pb::VPortArg::kNetns:
      return NetworkNamespace::At(arg.netns());
    case pb::VPortArg::CPID_NOT_SET:
      break;
  }
  return NetworkNamespace::Current();
}

absl::StatusOr<std::vector<LinkAddress>> AddressesOf(const pb::VPortArg& arg) {
  std::vector<LinkAddress> addresses;
  for (int i = 0; i < arg.ip_addrs_size(); ++i) {
    auto address = ParseLinkAddress(arg.ip_addrs(i));
    if (!address.ok()) return Error(EINVAL, "ip_addrs[", i, "]: ", address.status().message());
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

absl::Status CheckMtu(uint32_t mtu) {
  if (mtu >= kLeastMtu && mtu <= kMostMtu) return absl::OkStatus();
  return Error(EINVAL, "'mtu' must be ", kLeastMtu, "..", kMostMtu, ", not ", mtu);
}

absl::StatusOr<std::string> VPort::ChooseName(const pb::VPortArg& arg) const {
  const std::string& chosen = arg.ifname().empty() ? name() : arg.ifname();
  const absl::Status fit = CheckLinkName(chosen);
  if (!fit.ok()) return Error(EINVAL, "'ifname': ", fit.message());
  return chosen;
}

absl::Status VPort::CheckCores(const pb::VPortArg& arg) const {
  const auto cores = static_cast<uint32_t>(arg.rxq_cpus_size());
  if (cores == 0) return absl::OkStatus();
  if (cores != tx_queues() || cores > rx_queues()) {
    return Error(EINVAL, "'rxq_cpus' must name a core for each of the ", tx_queues(),
                 " output queues, at most ", rx_queues(), " as there are input queues, not ",
                 cores);
  }
  const int64_t known = sysconf(_SC_NPROCESSORS_CONF);
  for (const int64_t core : arg.rxq_cpus()) {
    if (core < 0 || core >= known) {
      return Error(EINVAL, "'rxq_cpus' are 0..", known - 1, ", not ", core);
    }
  }
  return absl::OkStatus();
}

absl::Status VPort::TakeTags(const pb::VPortArg& arg) {
  for (const auto& [field, tci] :
       {std::pair{"tx_tci", arg.tx_tci()}, std::pair{"tx_outer_tci", arg.tx_outer_tci()}}) {
    if (tci > UINT16_MAX) return Error(EINVAL, "'", field, "' must be 0..65535, not ", tci);
    if (tci != 0) tags_.emplace_back(static_cast<uint16_t>(tci));
  }
  return absl::OkStatus();
}

absl::Status VPort::Init(const pb::VPortArg& arg) {
  if (arg.loopback() && !arg.domain().empty()) {
    return Error(EINVAL,
                 "with 'loopback' it receives what it was sent, whatever 'domain' that is of");
  }
  BESS_ASSIGN_OR_RETURN(const std::string ifname, ChooseName(arg));
  BESS_RETURN_IF_ERROR(CheckCores(arg));
  BESS_RETURN_IF_ERROR(TakeTags(arg));
  if (arg.mtu() != 0) BESS_RETURN_IF_ERROR(CheckMtu(arg.mtu()));
  BESS_ASSIGN_OR_RETURN(const NetworkNamespace space, NamespaceOf(arg));
  BESS_RETURN_IF_ERROR(MakeInterface(arg, ifname, space));
  if (arg.loopback()) MakeLoops();
  for (uint32_t i = 0; i < rx_queues(); ++i) {
    rests_.push_back(std::make_unique<uint8_t[]>(kLongestFrame));
  }
  return absl::OkStatus();
}

absl::Status VPort::MakeInterface(const pb::VPortArg& arg, const std::string& ifname,
                                  const NetworkNamespace& space) {
  BESS_ASSIGN_OR_RETURN(const std::vector<LinkAddress> addresses, AddressesOf(arg));
  BESS_ASSIGN_OR_RETURN(tap_, TapDevice::Make(rx_queues()));
  for (int i = 0; i < arg.rxq_cpus_size(); ++i) {
    const auto queue = static_cast<uint32_t>(i);
    BESS_RETURN_IF_ERROR(tap_->SetCore(queue, static_cast<uint32_t>(arg.rxq_cpus(i))));
  }
  BESS_ASSIGN_OR_RETURN(const std::string passing, tap_->Name());
  BESS_ASSIGN_OR_RETURN(KernelLink made, KernelLink::Find(passing));
  BESS_RETURN_IF_ERROR(made.Move(space, ifname));
  LinkChange change{.queue_length = shape().rx_size};
  if (arg.mtu() != 0) change.mtu = arg.mtu();
  return space.Run([&]() -> absl::Status {
    BESS_ASSIGN_OR_RETURN(KernelLink link, KernelLink::Find(ifname));
    BESS_RETURN_IF_ERROR(link.Change(change));
    for (const LinkAddress& address : addresses) BESS_RETURN_IF_ERROR(link.Add(address));
    return link.Change({.up = true});
  });
}

void VPort::MakeLoops() {
  for (uint32_t i = 0; i < rx_queues(); ++i) {
    loops_.push_back(std::make_unique<PacketRing>(std::bit_ceil(shape().rx_size)));
  }
}

VPort::~VPort() {
  for (const auto& loop : loops_) {
    Packet* packet = nullptr;
    while (loop->Take(&packet, 1) == 1) FreePackets(&packet, 1);
  }
}

// --- packets ------------------------------------------------------------------------------------

uint32_t VPort::DoReceive(uint32_t queue, Packet** packets, uint32_t max) {
  const uint32_t n =
      loops_.empty() ? ReadFrames(queue, packets, max) : loops_[queue]->Take(packets, max);
  return tags_.empty() ? n : Tag(packets, n);
}

uint32_t VPort::ReadFrames(uint32_t queue, Packet** packets, uint32_t max) {
  max = std::min(max, kBatchSize);
  PacketPool& into = pool();
  if (!into.Alloc(packets, max, 0)) return 0;
  uint8_t* rest = rests_[queue].get();
  uint32_t n = 0;
  while (n < max) {
    const iovec room[] = {{.iov_base = packets[n]->data(), .iov_len = into.data_room()},
                          {.iov_base = rest, .iov_len = kLongestFrame}};
    const ssize_t length = readv(tap_->fd(queue), room, 2);
    if (length <= 0) break;
    if (Complete(*packets[n], static_cast<size_t>(length), rest)) {
      ++n;
    } else {
      unfit_.Add(1);
    }
  }
  FreePackets(packets + n, max - n);
  return n;
}

// Makes a packet of a buffer and what of the frame did not fit it; false when there are no buffers
// for that.
bool VPort::Complete(Packet& packet, size_t length, const uint8_t* rest) {
  const size_t first = std::min<size_t>(length, pool().data_room());
  Packet* tail = nullptr;
  if (const auto left = static_cast<uint32_t>(length - first); left > 0) {
    tail = pool().AllocLong(left);
    if (tail == nullptr) return false;
    WriteBytes(*tail, 0, {rest, left});
  }
  packet.Append(static_cast<uint16_t>(first));
  if (tail != nullptr) AddSegment(packet, tail);
  return true;
}

// Keeps those that there is room for tags on.
uint32_t VPort::Tag(Packet** packets, uint32_t n) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; ++i) {
    Packet& packet = *packets[i];
    const bool tagged =
        packet.length() >= sizeof(EthernetHeader) &&
        std::all_of(tags_.begin(), tags_.end(), [&](Be16 tci) { return PushVlanTag(packet, tci); });
    if (tagged) {
      packets[kept++] = &packet;
    } else {
      FreePackets(&packets[i], 1);
    }
  }
  unfit_.Add(n - kept);
  return kept;
}

enum class Fate { kTaken, kUnfit, kNotNow };

Fate Write(int fd, const Packet& packet) {
  std::array<iovec, kMaxPacketSegments> pieces;
  if (packet.segments() > pieces.size()) return Fate::kUnfit;
  int used = 0;
  for (const Packet* segment = &packet; segment != nullptr; segment = segment->next()) {
    pieces[used++] = {.iov_base = const_cast<uint8_t*>(segment->data()),
                      .iov_len = segment->length()};
  }
  const ssize_t written = writev(fd, pieces.data(), used);
  if (written > 0) return Fate::kTaken;
  // Of frames that are too short or too long the kernel says that they are wrong; all else is about
  // the interface, such as that it is down.
  return written == 0 || errno == EINVAL || errno == EMSGSIZE ? Fate::kUnfit : Fate::kNotNow;
}

uint32_t VPort::DoSend(uint32_t queue, Packet** packets, uint32_t n) {
  queue %= rx_queues();
  if (!loops_.empty()) return loops_[queue]->Put(packets, n);
  uint32_t sent = 0;
  for (uint32_t end = n; sent < end;) {
    const Fate fate = Write(tap_->fd(queue), *packets[sent]);
    if (fate == Fate::kNotNow) break;
    if (fate == Fate::kTaken) {
      ++sent;
    } else {
      std::rotate(packets + sent, packets + sent + 1, packets + end);
      --end;
    }
  }
  FreePackets(packets, sent);
  return sent;
}

// --- settings -----------------------------------------------------------------------------------

// The interface may have been moved and renamed since.
absl::Status VPort::WithLink(const std::function<absl::Status(KernelLink&)>& body) const {
  BESS_ASSIGN_OR_RETURN(const NetworkNamespace space, tap_->Namespace());
  return space.Run([&]() -> absl::Status {
    BESS_ASSIGN_OR_RETURN(const std::string ifname, tap_->Name());
    BESS_ASSIGN_OR_RETURN(KernelLink link, KernelLink::Find(ifname));
    return body(link);
  });
}

// An interface whose namespace is gone is down, and keeps what it counted.
LinkState VPort::AskKernel() const {
  LinkState now;
  const absl::Status asked = WithLink([&](KernelLink& link) {
    now = link.state();
    return absl::OkStatus();
  });
  absl::MutexLock lock(&known_mutex_);
  if (asked.ok()) {
    known_ = now;
  } else {
    known_.admin_up = known_.running = false;
  }
  return known_;
}

PortSettings VPort::settings() const {
  const LinkState state = AskKernel();
  return {.mac = state.mac, .mtu = state.mtu, .admin_up = state.admin_up};
}

absl::Status VPort::Configure(const PortChange& change) {
  if (change.mtu) BESS_RETURN_IF_ERROR(CheckMtu(*change.mtu));
  if (change.mac && (change.mac->at(0) & 1) != 0) {
    return Error(EINVAL, "'mac_addr' is a group address, which no port can have");
  }
  return WithLink([&](KernelLink& link) {
    const LinkState before = link.state();
    absl::Status changed =
        link.Change({.mac = change.mac, .mtu = change.mtu, .up = change.admin_up});
    if (!changed.ok()) {
      link.Change({.mac = before.mac, .mtu = before.mtu, .up = before.admin_up}).IgnoreError();
    }
    return changed;
  });
}

}  // namespace

REGISTER_DRIVER(VPort);

}  // namespace bess
