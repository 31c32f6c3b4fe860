// SPDX-License-Identifier: Apache-2.0
//
// What a rule asks for and what a packet has to show.
#pragma once

#include <cstdint>
#include <variant>

#include "core/base/parse.h"
#include "core/packet/packet_view.h"

namespace bess {

// What rules look at, as words that a rule compares under a mask: source and destination address
// (IPv4 in the first word, the rest zero), ports, and what kind of packet it is.
struct AclKey {
  static constexpr size_t kWords = 5;
  static constexpr size_t kSource = 0;
  static constexpr size_t kDestination = 2;
  static constexpr size_t kRest = 4;
  uint64_t words[kWords] = {};

  // Anything but whole IP headers makes a key that only rules without conditions match. Ports are
  // there where a whole TCP or UDP header is, and never in a later fragment.
  static AclKey Of(PacketView packet);

  bool is_ipv4() const { return (words[kRest] & kIsIpv4) != 0; }
  bool is_ipv6() const { return (words[kRest] & kIsIpv6) != 0; }
  bool is_established() const { return (words[kRest] & kIsEstablished) != 0; }
  // Zero where there are none.
  uint16_t source_port() const { return static_cast<uint16_t>(words[kRest] >> kSourcePortShift); }
  uint16_t destination_port() const {
    return static_cast<uint16_t>(words[kRest] >> kDestinationPortShift);
  }

  static constexpr uint32_t kSourcePortShift = 48;
  static constexpr uint32_t kDestinationPortShift = 32;
  static constexpr uint64_t kIsIpv4 = 1;
  static constexpr uint64_t kIsIpv6 = 2;
  static constexpr uint64_t kHasPorts = 4;
  static constexpr uint64_t kIsEstablished = 8;
};

using AnyPrefix = std::variant<std::monostate, Ipv4Prefix, Ipv6Prefix>;

// A condition left at its default always holds.
struct AclRule {
  AnyPrefix source;
  AnyPrefix destination;  // of the same family, if both are there
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  bool established = false;
  bool drop = false;
};

// A rule as words: it matches a key when (key ^ value) & mask is zero in each.
struct AclPattern {
  explicit AclPattern(const AclRule& rule);
  bool Matches(const AclKey& key) const {
    uint64_t difference = 0;
    for (size_t word = 0; word < AclKey::kWords; ++word) {
      difference |= (key.words[word] ^ value.words[word]) & mask.words[word];
    }
    return difference == 0;
  }

  AclKey value;
  AclKey mask;
};

}  // namespace bess
