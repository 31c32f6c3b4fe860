// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/port_allocator.h"

#include <algorithm>

namespace bess::nat {
namespace {

std::vector<uint16_t> FreePorts(const std::vector<PortRange>& ranges) {
  std::vector<bool> usable(1 << 16);
  uint32_t first = 1 << 16, last = 0;
  for (const bool suspended : {false, true}) {
    for (const PortRange& range : ranges) {
      if (range.suspended != suspended) continue;
      std::fill(usable.begin() + range.begin, usable.begin() + range.end, !suspended);
      first = std::min(first, range.begin);
      last = std::max(last, range.end);
    }
  }
  std::vector<uint16_t> ports;
  for (uint32_t port = std::max(first, 1u); port < last; ++port) {
    if (usable[port]) ports.push_back(static_cast<uint16_t>(port));
  }
  ports.shrink_to_fit();
  return ports;
}

}  // namespace

PortAllocator::PortAllocator(std::vector<ExternalAddress> addresses, uint64_t seed)
    : random_(seed) {
  // Each address keeps its own ranges, in whatever order they were given.
  std::sort(addresses.begin(), addresses.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
  for (const ExternalAddress& external : addresses) {
    const auto index = static_cast<uint32_t>(addresses_.size());
    addresses_.push_back(external.address);
    const std::vector<uint16_t> ports = FreePorts(external.ranges);
    for (size_t protocol = 0; protocol < kNumProtocols; ++protocol) {
      protocols_[protocol].pools.push_back({.free = ports});
      protocols_[protocol].open.reserve(addresses.size());
      if (!ports.empty()) Open(protocols_[protocol], index);
      free_[protocol] += ports.size();
      total_ += ports.size();
    }
  }
  if (addresses_.empty()) return;
  lowest_ = addresses_.front();
  span_ = addresses_.back() - lowest_;
}

std::optional<Endpoint> PortAllocator::Take(Protocol protocol, uint32_t host) {
  PerProtocol& ports = protocols_[static_cast<size_t>(protocol)];
  if (ports.open.empty()) return std::nullopt;
  auto address = static_cast<uint32_t>(uint64_t{host} * addresses_.size() >> 32);
  if (ports.pools[address].free.empty()) address = ports.open[random_.Below(ports.open.size())];
  std::vector<uint16_t>& free = ports.pools[address].free;
  std::swap(free[random_.Below(free.size())], free.back());
  const uint16_t port = free.back();
  free.pop_back();
  if (free.empty()) Close(ports, address);
  --free_[static_cast<size_t>(protocol)];
  return Endpoint(Be32(addresses_[address]), Be16(port), protocol);
}

void PortAllocator::Give(Endpoint endpoint) {
  const auto protocol = static_cast<size_t>(endpoint.protocol());
  PerProtocol& ports = protocols_[protocol];
  const auto address = static_cast<uint32_t>(Find(endpoint.address().value()));
  std::vector<uint16_t>& free = ports.pools[address].free;
  if (free.empty()) Open(ports, address);
  free.push_back(endpoint.port().value());
  ++free_[protocol];
}

// Its place, or addresses_.size() if it is not ours.
size_t PortAllocator::Find(uint32_t address) const {
  const auto it = std::lower_bound(addresses_.begin(), addresses_.end(), address);
  if (it == addresses_.end() || *it != address) return addresses_.size();
  return static_cast<size_t>(it - addresses_.begin());
}

void PortAllocator::Open(PerProtocol& ports, uint32_t address) {
  ports.pools[address].place_in_open = static_cast<uint32_t>(ports.open.size());
  ports.open.push_back(address);
}

void PortAllocator::Close(PerProtocol& ports, uint32_t address) {
  const uint32_t place = ports.pools[address].place_in_open;
  const uint32_t moved = ports.open.back();
  ports.open[place] = moved;
  ports.pools[moved].place_in_open = place;
  ports.open.pop_back();
}

}  // namespace bess::nat
