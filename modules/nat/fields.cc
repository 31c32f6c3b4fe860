// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/fields.h"

namespace bess::nat {
namespace {

// Bytes an L4 header has at least; 0 for protocols that NAT does not translate.
size_t LeastHeader(uint8_t protocol) {
  switch (protocol) {
    case kProtoTcp:
      return sizeof(TcpHeader);
    case kProtoUdp:
      return sizeof(UdpHeader);
    case kProtoIcmp:
      return sizeof(IcmpHeader);
    default:
      return 0;
  }
}

// Why the layout found no L3 header.
DropReason WhyNoIpv4(PacketView packet) {
  const size_t offset = packet.layout().l3_offset;
  const uint8_t* type = packet.Bytes(offset - sizeof(Be16), sizeof(Be16));
  if (LoadUnaligned<Be16>(type).value() != kEtherTypeIpv4) return DropReason::kUnsupported;
  const uint8_t* bytes = packet.Bytes(offset, sizeof(Ipv4Header));
  if (bytes == nullptr) return DropReason::kTruncated;
  const auto ip = LoadUnaligned<Ipv4Header>(bytes);
  const bool sane = ip.version() == 4 && ip.header_length() >= sizeof(ip) &&
                    ip.total_length.value() >= ip.header_length();
  return sane ? DropReason::kTruncated : DropReason::kMalformed;
}

}  // namespace

DropReason WhyRefused(PacketView packet) {
  if (packet.Ethernet() == nullptr) return DropReason::kTruncated;
  const Ipv4Header* ip = packet.Ipv4();
  if (ip == nullptr) return WhyNoIpv4(packet);
  const size_t least = LeastHeader(ip->protocol);
  if (least == 0 || packet.layout().fragment) return DropReason::kUnsupported;
  if (packet.L4Bytes().size() < least) return DropReason::kTruncated;
  // What is left is a TCP header that contradicts itself, or ICMP of a type we do not know.
  return packet.Icmp() != nullptr ? DropReason::kUnsupported : DropReason::kMalformed;
}

}  // namespace bess::nat
