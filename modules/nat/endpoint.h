// SPDX-License-Identifier: Apache-2.0
//
// One end of a flow, as NAT sees it: an IPv4 address, a protocol, and a port. What ports are to
// TCP and UDP, the identifier is to ICMP queries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace bess::nat {

enum class Protocol : uint8_t { kTcp, kUdp, kIcmp };
inline constexpr size_t kNumProtocols = 3;

class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(Be32 address, Be16 port, Protocol protocol)
      : key_(address.raw() | uint64_t{port.raw()} << 32 | static_cast<uint64_t>(protocol) << 48) {}

  // No end of any flow.
  static Endpoint None() {
    Endpoint none;
    none.key_ = ~uint64_t{0};
    return none;
  }

  Be32 address() const { return Be32::FromRaw(static_cast<uint32_t>(key_)); }
  Be16 port() const { return Be16::FromRaw(static_cast<uint16_t>(key_ >> 32)); }
  Protocol protocol() const { return static_cast<Protocol>(key_ >> 48); }
  // All of it in one number, for hashing and ordering.
  uint64_t key() const { return key_; }

  bool operator==(const Endpoint&) const = default;

 private:
  uint64_t key_ = 0;
};

}  // namespace bess::nat
