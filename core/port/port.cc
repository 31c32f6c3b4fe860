// SPDX-License-Identifier: Apache-2.0
#include "core/port/port.h"

#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

// Keeps the packets that are, or can be made, of one segment; returns how many those are.
uint32_t Linearise(Packet** packets, uint32_t n) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; ++i) {
    rte_mbuf* mbuf = packets[i]->mbuf();
    if (mbuf->nb_segs == 1 || rte_pktmbuf_linearize(mbuf) == 0) {
      packets[kept++] = packets[i];
    } else {
      FreePackets(&packets[i], 1);
    }
  }
  return kept;
}

uint64_t TotalLength(Packet* const* packets, uint32_t n) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < n; ++i) bytes += packets[i]->total_length();
  return bytes;
}

}  // namespace

uint32_t Port::Receive(uint32_t queue, Packet** packets, uint32_t max) {
  uint32_t n = DoReceive(queue, packets, max);
  QueueCounters& counters = *rx_counters_[queue];
  uint64_t bytes = 0;
  uint32_t segments = 0;
  for (uint32_t i = 0; i < n; ++i) {
    packets[i]->ForgetLayout();
    bytes += packets[i]->total_length();
    segments += packets[i]->mbuf()->nb_segs;
  }
  if (segments != n) [[unlikely]] {
    const uint32_t kept = Linearise(packets, n);
    counters.dropped.Add(n - kept);
    n = kept;
    bytes = TotalLength(packets, n);
  }
  counters.Count(max, n, bytes);
  return n;
}

uint32_t Port::Send(uint32_t queue, Packet** packets, uint32_t n) {
  QueueCounters& counters = *tx_counters_[queue];
  // Before the packets are gone.
  uint64_t bytes = TotalLength(packets, n);
  const uint32_t sent = DoSend(queue, packets, n);
  if (sent < n) {
    bytes -= TotalLength(packets + sent, n - sent);
    counters.dropped.Add(n - sent);
  }
  counters.Count(n, sent, bytes);
  return sent;
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
  port->shape_ = shape;
  for (uint32_t i = 0; i < shape.rx_queues; ++i) {
    port->rx_counters_.push_back(std::make_unique<Port::QueueCounters>());
  }
  for (uint32_t i = 0; i < shape.tx_queues; ++i) {
    port->tx_counters_.push_back(std::make_unique<Port::QueueCounters>());
  }
  BESS_RETURN_IF_ERROR(init(*port, any));
  return port;
}

DriverRegistry& DriverRegistry::Get() {
  static DriverRegistry registry;
  return registry;
}

bool DriverRegistry::Add(DriverClass driver) {
  std::string name(driver.info.name);
  return drivers_.emplace(std::move(name), std::move(driver)).second;
}

const DriverClass* DriverRegistry::Find(std::string_view name) const {
  const auto it = drivers_.find(name);
  return it == drivers_.end() ? nullptr : &it->second;
}

// A linker takes from an archive only what something refers to.
extern const bool kLinkedPmdPort;
extern const bool kLinkedUnixSocketPort;
[[gnu::used]] static const bool* const kDrivers[] = {&kLinkedPmdPort, &kLinkedUnixSocketPort};

}  // namespace bess
