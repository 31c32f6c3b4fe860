// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule_set.h"

namespace bess {
namespace {

// Words 0-1 and 2-3 hold the addresses, word 4 the ports and these bits.
constexpr size_t kSource = 0;
constexpr size_t kDestination = 2;
constexpr size_t kRest = 4;
constexpr uint32_t kSourcePortShift = 48;
constexpr uint32_t kDestinationPortShift = 32;
constexpr uint64_t kIsIpv4 = 1;
constexpr uint64_t kIsIpv6 = 2;
constexpr uint64_t kHasPorts = 4;
constexpr uint64_t kIsEstablished = 8;

uint64_t PortWord(uint16_t source, uint16_t destination) {
  return uint64_t{source} << kSourcePortShift | uint64_t{destination} << kDestinationPortShift;
}

void SetIpv6(AclKey& key, size_t word, const Ipv6Address& address) {
  key.words[word] = LoadUnaligned<uint64_t>(&address[0]);
  key.words[word + 1] = LoadUnaligned<uint64_t>(&address[8]);
}

// One address condition, as words of a pattern.
struct SetPrefix {
  AclKey& value;
  AclKey& mask;
  size_t word;

  void operator()(std::monostate) const {}
  void operator()(const Ipv4Prefix& prefix) const {
    value.words[word] = prefix.address;
    mask.words[word] = prefix.mask();
    SetFamily(kIsIpv4);
  }
  void operator()(const Ipv6Prefix& prefix) const {
    SetIpv6(value, word, prefix.address);
    SetIpv6(mask, word, prefix.mask());
    SetFamily(kIsIpv6);
  }
  void SetFamily(uint64_t bit) const {
    value.words[kRest] |= bit;
    mask.words[kRest] |= bit;
  }
};

}  // namespace

AclKey AclKey::Of(PacketView packet) {
  AclKey key;
  uint64_t& rest = key.words[kRest];
  if (const Ipv4Header* ip = packet.Ipv4()) {
    key.words[kSource] = ip->source.value();
    key.words[kDestination] = ip->destination.value();
    rest = kIsIpv4;
  } else if (const Ipv6Header* ip6 = packet.Ipv6()) {
    SetIpv6(key, kSource, ip6->source);
    SetIpv6(key, kDestination, ip6->destination);
    rest = kIsIpv6;
  }
  if (const TcpHeader* tcp = packet.Tcp()) {
    rest |= kHasPorts | PortWord(tcp->source_port.value(), tcp->destination_port.value());
    if ((tcp->flags & (kTcpAck | kTcpRst)) != 0) rest |= kIsEstablished;
  } else if (const UdpHeader* udp = packet.Udp()) {
    rest |= kHasPorts | PortWord(udp->source_port.value(), udp->destination_port.value());
  }
  return key;
}

void AclRuleSet::Append(const AclRule& rule) {
  Pattern pattern;
  std::visit(SetPrefix{pattern.value, pattern.mask, kSource}, rule.source);
  std::visit(SetPrefix{pattern.value, pattern.mask, kDestination}, rule.destination);
  uint64_t& value = pattern.value.words[kRest];
  uint64_t& mask = pattern.mask.words[kRest];
  value |= PortWord(rule.source_port, rule.destination_port);
  mask |=
      PortWord(rule.source_port != 0 ? UINT16_MAX : 0, rule.destination_port != 0 ? UINT16_MAX : 0);
  uint64_t bits = 0;
  if (rule.source_port != 0 || rule.destination_port != 0) bits |= kHasPorts;
  if (rule.established) bits |= kIsEstablished;
  value |= bits;
  mask |= bits;
  rules_.push_back(pattern);
  drops_.push_back(rule.drop);
}

uint32_t AclRuleSet::MatchOne(const AclKey& key) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Pattern& rule = rules_[i];
    uint64_t difference = 0;
    for (size_t word = 0; word < AclKey::kWords; ++word) {
      difference |= (key.words[word] ^ rule.value.words[word]) & rule.mask.words[word];
    }
    if (difference == 0) return static_cast<uint32_t>(i);
  }
  return kNoRule;
}

void AclRuleSet::Match(absl::Span<const AclKey> keys, uint32_t* rules) const {
  for (size_t i = 0; i < keys.size(); ++i) rules[i] = MatchOne(keys[i]);
}

}  // namespace bess
