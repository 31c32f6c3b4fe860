// SPDX-License-Identifier: Apache-2.0
#include "core/port/port.h"

#include <utility>

#include "core/base/status.h"
#include "core/packet/segments.h"
#include "core/port/fit_first.h"

namespace bess {
namespace {

struct Sums {
  void Add(const Packet& packet) {
    bytes += packet.total_length();
    segments += packet.segments();
  }

  uint64_t bytes = 0;
  uint32_t segments = 0;
};

Sums Sum(Packet* const* packets, uint32_t n) {
  Sums sums;
  for (uint32_t i = 0; i < n; ++i) sums.Add(*packets[i]);
  return sums;
}

// Whether modules may see the packet: with its headers in the first segment.
bool MakeFit(Packet& packet) {
  const uint32_t length = packet.total_length();
  return length <= kMaxPacketLength && PullUp(packet, std::min(length, kHeaderRoom));
}

// Keeps the packets that are fit, in order, and frees the others; returns how many are kept.
uint32_t KeepFit(Packet** packets, uint32_t n) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (MakeFit(*packets[i])) {
      packets[kept++] = packets[i];
    } else {
      FreePackets(&packets[i], 1);
    }
  }
  return kept;
}

}  // namespace

Passed Port::Receive(uint32_t queue, Packet** packets, uint32_t max) {
  const Passed passed = Take(queue, packets, max);
  rx_counters_[queue]->Count(max, passed);
  return passed;
}

Passed Port::Take(uint32_t queue, Packet** packets, uint32_t max) {
  uint32_t n = DoReceive(queue, packets, max);
  Sums sums;
  for (uint32_t i = 0; i < n; ++i) {
    packets[i]->ForgetLayout();
    sums.Add(*packets[i]);
  }
  if (sums.segments != n) [[unlikely]] {
    const uint32_t kept = KeepFit(packets, n);
    rx_counters_[queue]->dropped.Add(n - kept);
    n = kept;
    sums = Sum(packets, n);
  }
  return {.packets = n, .bytes = sums.bytes};
}

uint32_t Port::Send(uint32_t queue, Packet** packets, uint32_t n) {
  const Passed passed = Give(queue, packets, n);
  QueueCounters& counters = *tx_counters_[queue];
  if (passed.packets < n) counters.dropped.Add(n - passed.packets);
  counters.Count(n, passed);
  return passed.packets;
}

Passed Port::Give(uint32_t queue, Packet** packets, uint32_t n) {
  // Before the packets are gone.
  Sums sums = Sum(packets, n);
  const bool unfit = sums.segments != n && !SendsChains();
  const uint32_t sent = DoSend(queue, packets, unfit ? FitFirst(packets, n, MakeLinear) : n);
  if (sent < n) sums.bytes -= Sum(packets + sent, n - sent).bytes;
  return {.packets = sent, .bytes = sums.bytes};
}

void Port::QueueCounters::AddTo(PortStats& stats) const {
  stats.packets += packets.Get();
  stats.bytes += bytes.Get();
  stats.dropped += dropped.Get();
  for (uint32_t requested = 0; requested <= kBatchSize; ++requested) {
    for (uint32_t actual = 0; actual <= requested; ++actual) {
      const uint64_t n = calls[requested][actual].Get();
      stats.requested[requested] += n;
      stats.actual[actual] += n;
      stats.diff[requested - actual] += n;
    }
  }
}

PortStats Port::Stats(Direction direction) const {
  PortStats stats;
  const bool receive = direction == Direction::kReceive;
  for (const auto& counters : receive ? rx_counters_ : tx_counters_) counters->AddTo(stats);
  if (receive) stats.dropped += LostByDevice();
  return stats;
}

absl::Status Port::Configure(const PortChange& change) {
  if (!change.mac && !change.mtu && change.admin_up.value_or(true)) return absl::OkStatus();
  return Error(ENOTSUP, "ports of ", driver_->info.name, " have no settings to change");
}

absl::StatusOr<std::unique_ptr<Port>> DriverClass::Create(std::string_view name,
                                                          const PortShape& shape, PortPools& pools,
                                                          const google::protobuf::Any& any) const {
  std::unique_ptr<Port> port = make();
  port->name_ = std::string(name);
  port->driver_ = this;
  port->pools_ = &pools;
  port->pool_ = &pools.shareable();
  port->shape_ = shape;
  for (uint32_t i = 0; i < shape.rx_queues; ++i) {
    port->rx_counters_.push_back(std::make_unique<Port::QueueCounters>());
  }
  for (uint32_t i = 0; i < shape.tx_queues; ++i) {
    port->tx_counters_.push_back(std::make_unique<Port::QueueCounters>());
  }
  BESS_RETURN_IF_ERROR(init(*port, any));
  port->domain_.Serve();
  return port;
}

absl::Status DriverClass::EnterDomain(Port& port, std::string_view domain) {
  if (domain.empty()) return absl::OkStatus();
  BESS_ASSIGN_OR_RETURN(port.domain_, port.pools_->Domain(domain));
  port.pool_ = &port.domain_.get()->pool();
  return absl::OkStatus();
}

BESS_DEFINE_REGISTRY(DriverClass);

// A linker takes from an archive only what something refers to.
extern const bool kLinkedNFPort;
extern const bool kLinkedPcapPort;
extern const bool kLinkedPmdPort;
extern const bool kLinkedUnixSocketPort;
extern const bool kLinkedVPort;
[[gnu::used]] static const bool* const kDrivers[] = {
    &kLinkedNFPort, &kLinkedPcapPort, &kLinkedPmdPort, &kLinkedUnixSocketPort, &kLinkedVPort};

}  // namespace bess
