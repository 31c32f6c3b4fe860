// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule.h"

namespace bess {
namespace {

uint64_t PortWord(uint16_t source, uint16_t destination) {
  return uint64_t{source} << AclKey::kSourcePortShift | uint64_t{destination}
                                                            << AclKey::kDestinationPortShift;
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
    SetFamily(AclKey::kIsIpv4);
  }
  void operator()(const Ipv6Prefix& prefix) const {
    SetIpv6(value, word, prefix.address);
    SetIpv6(mask, word, prefix.mask());
    SetFamily(AclKey::kIsIpv6);
  }
  void SetFamily(uint64_t bit) const {
    value.words[AclKey::kRest] |= bit;
    mask.words[AclKey::kRest] |= bit;
  }
};

}  // namespace

AclKey AclKey::Of(PacketView packet) {
  AclKey key;
  uint64_t& rest = key.words[kRest];
  const Headers headers = packet.headers();
  if (const Ipv4Header* ip = headers.Ipv4()) {
    key.words[kSource] = ip->source.value();
    key.words[kDestination] = ip->destination.value();
    rest = kIsIpv4;
  } else if (const Ipv6Header* ip6 = headers.Ipv6()) {
    SetIpv6(key, kSource, ip6->source);
    SetIpv6(key, kDestination, ip6->destination);
    rest = kIsIpv6;
  }
  if (const TcpHeader* tcp = headers.Tcp()) {
    rest |= kHasPorts | PortWord(tcp->source_port.value(), tcp->destination_port.value());
    if ((tcp->flags & (kTcpAck | kTcpRst)) != 0) rest |= kIsEstablished;
  } else if (const UdpHeader* udp = headers.Udp()) {
    rest |= kHasPorts | PortWord(udp->source_port.value(), udp->destination_port.value());
  }
  return key;
}

AclPattern::AclPattern(const AclRule& rule) {
  std::visit(SetPrefix{value, mask, AclKey::kSource}, rule.source);
  std::visit(SetPrefix{value, mask, AclKey::kDestination}, rule.destination);
  uint64_t bits = 0;
  if (rule.source_port != 0 || rule.destination_port != 0) bits |= AclKey::kHasPorts;
  if (rule.established) bits |= AclKey::kIsEstablished;
  value.words[AclKey::kRest] |= bits | PortWord(rule.source_port, rule.destination_port);
  mask.words[AclKey::kRest] |= bits | PortWord(rule.source_port != 0 ? UINT16_MAX : 0,
                                               rule.destination_port != 0 ? UINT16_MAX : 0);
}

}  // namespace bess
