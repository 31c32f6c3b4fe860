// SPDX-License-Identifier: Apache-2.0
//
// Which rule of an ordered list matches a packet first. The list is flat and searched in order;
// whoever wants rte_acl instead changes this class alone.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "core/base/parse.h"
#include "core/packet/packet_view.h"

namespace bess {

// What rules look at, as words that a rule compares under a mask: source and destination address
// (IPv4 in the first word, the rest zero), ports, and what kind of packet it is.
struct AclKey {
  static constexpr size_t kWords = 5;
  uint64_t words[kWords] = {};

  // Anything but whole IP headers makes a key that only rules without conditions match. Ports are
  // there where a whole TCP or UDP header is, and never in a later fragment.
  static AclKey Of(PacketView packet);
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

class AclRuleSet {
 public:
  static constexpr uint32_t kNoRule = UINT32_MAX;

  void Append(const AclRule& rule);
  size_t size() const { return rules_.size(); }

  // Writes the index of the first rule that matches each key, or kNoRule.
  void Match(absl::Span<const AclKey> keys, uint32_t* rules) const;
  bool drops(uint32_t rule) const { return drops_[rule]; }

 private:
  // Matches a key when (key ^ value) & mask is zero in every word.
  struct Pattern {
    AclKey value;
    AclKey mask;
  };

  uint32_t MatchOne(const AclKey& key) const;

  std::vector<Pattern> rules_;
  std::vector<bool> drops_;
};

}  // namespace bess
