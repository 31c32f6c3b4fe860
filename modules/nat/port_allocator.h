// SPDX-License-Identifier: Apache-2.0
//
// The external ports nobody uses. Taking one and giving one back are a few instructions each,
// however many are left: the free ports of an address lie in an array, and a random one of them
// changes places with the last. So ports are hard to guess (RFC 6056), and running out of them
// costs nothing.
//
//   PortAllocator ports({{.address = 0xc0000201, .ranges = {{1024, 65535}}}}, seed);
//   std::optional<Endpoint> outside = ports.Take(Protocol::kUdp, hash_of_the_inside_host);
//   ports.Give(*outside);
//
// Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/random.h"
#include "modules/nat/endpoint.h"

namespace bess::nat {

struct PortRange {
  uint32_t begin = 0;
  uint32_t end = 0;  // the port after the last one
  bool suspended = false;
};

struct ExternalAddress {
  uint32_t address = 0;           // host order
  std::vector<PortRange> ranges;  // ports in a suspended one are not free, whatever others say
};

class PortAllocator {
 public:
  // The addresses must differ. Port 0 is never free: it means "no port".
  PortAllocator(std::vector<ExternalAddress> addresses, uint64_t seed);

  // A free port, in random order. A host (any hash of it) is given ports of the same address as
  // long as that has any (RFC 4787, REQ-2), then those of others.
  std::optional<Endpoint> Take(Protocol protocol, uint32_t host);
  // Must have come from Take.
  void Give(Endpoint endpoint);

  // Whether this address is one of ours.
  bool Owns(Be32 address) const {
    return address.value() - lowest_ <= span_ && Find(address.value()) != addresses_.size();
  }
  // Free ports of all addresses; `total` as it was before any was taken.
  uint64_t free(Protocol protocol) const { return free_[static_cast<size_t>(protocol)]; }
  uint64_t total() const { return total_; }
  size_t addresses() const { return addresses_.size(); }

 private:
  struct Pool {
    std::vector<uint16_t> free;
    uint32_t place_in_open = 0;
  };
  struct PerProtocol {
    std::vector<Pool> pools;     // by address
    std::vector<uint32_t> open;  // the addresses whose pool is not empty, in any order
  };

  size_t Find(uint32_t address) const;
  void Open(PerProtocol& ports, uint32_t address);
  void Close(PerProtocol& ports, uint32_t address);

  std::vector<uint32_t> addresses_;  // host order, increasing
  uint32_t lowest_ = 0;
  uint32_t span_ = 0;
  std::array<PerProtocol, kNumProtocols> protocols_;
  std::array<uint64_t, kNumProtocols> free_{};
  uint64_t total_ = 0;
  Random random_;
};

}  // namespace bess::nat
