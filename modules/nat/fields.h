// SPDX-License-Identifier: Apache-2.0
//
// The fields of a packet that NAT looks at and rewrites: one of its two ends, and the checksums
// that cover it.
#pragma once

#include <cstdint>

#include "core/packet/checksum.h"
#include "core/packet/drop_reason.h"
#include "core/packet/packet_view.h"
#include "modules/nat/endpoint.h"

namespace bess::nat {

enum class End : uint8_t { kSource, kDestination };

// Types of ICMP messages (RFC 792).
inline constexpr uint8_t kIcmpEchoReply = 0;
inline constexpr uint8_t kIcmpUnreachable = 3;
inline constexpr uint8_t kIcmpEcho = 8;
inline constexpr uint8_t kIcmpTimeExceeded = 11;
inline constexpr uint8_t kIcmpParameterProblem = 12;
inline constexpr uint8_t kIcmpTimestamp = 13;
inline constexpr uint8_t kIcmpTimestampReply = 14;

constexpr bool IsIcmpReply(uint8_t type) {
  return type == kIcmpEchoReply || type == kIcmpTimestampReply;
}
// Queries and their replies carry an identifier, which is translated as ports are.
constexpr bool IsIcmpQuery(uint8_t type) {
  return type == kIcmpEcho || type == kIcmpTimestamp || IsIcmpReply(type);
}
constexpr bool IsIcmpError(uint8_t type) {
  return type == kIcmpUnreachable || type == kIcmpTimeExceeded || type == kIcmpParameterProblem;
}

enum class Kind : uint8_t { kFlow, kIcmpError, kRefused };

// Without initial values, so that those of a whole batch cost nothing before they are read.
struct Fields {
  Kind kind;
  Protocol protocol;
  uint8_t tcp_flags;  // 0 for other protocols
  bool is_reply;      // an ICMP reply, which comes after a query and never begins a flow
  Ipv4Header* ip;
  // Of kFlow only: of the end that was asked for, and of the L4 header.
  Be32* address;
  Be16* port;
  Be16* checksum;

  Endpoint endpoint() const { return Endpoint(*address, *port, protocol); }
};

// Finds the fields of one end. What NAT cannot translate is kRefused: WhyRefused tells why.
template <End kEnd>
Fields ReadFields(PacketView packet);
DropReason WhyRefused(PacketView packet);

// Puts another address and port in their place and corrects the checksums (RFC 3022, 4.2).
void Rewrite(const Fields& fields, Endpoint to);

template <End kEnd>
inline Fields ReadFields(PacketView packet) {
  constexpr bool kSource = kEnd == End::kSource;
  const Layout layout = packet.layout();
  Fields fields{.kind = Kind::kRefused, .protocol = Protocol::kTcp, .ip = packet.Ipv4()};
  if (fields.ip == nullptr || layout.fragment) [[unlikely]]
    return fields;
  fields.address = kSource ? &fields.ip->source : &fields.ip->destination;
  fields.kind = Kind::kFlow;
  // The protocol is asked of the layout at hand: each question to the packet reads it again.
  if (layout.l4() == L4::kTcp) {
    TcpHeader* tcp = packet.Tcp();
    fields.port = kSource ? &tcp->source_port : &tcp->destination_port;
    fields.checksum = &tcp->checksum;
    fields.tcp_flags = tcp->flags;
  } else if (layout.l4() == L4::kUdp) {
    UdpHeader* udp = packet.Udp();
    fields.protocol = Protocol::kUdp;
    fields.port = kSource ? &udp->source_port : &udp->destination_port;
    fields.checksum = &udp->checksum;
  } else if (IcmpHeader* icmp = packet.Icmp(); icmp != nullptr && IsIcmpQuery(icmp->type)) {
    fields.protocol = Protocol::kIcmp;
    fields.is_reply = IsIcmpReply(icmp->type);
    fields.port = &icmp->id;
    fields.checksum = &icmp->checksum;
  } else {
    fields.kind = icmp != nullptr && IsIcmpError(icmp->type) ? Kind::kIcmpError : Kind::kRefused;
  }
  return fields;
}

inline void Rewrite(const Fields& fields, Endpoint to) {
  ChecksumDelta delta;
  delta.Change(*fields.address, to.address());
  *fields.address = to.address();
  fields.ip->checksum = delta.Apply(fields.ip->checksum);
  // ICMP has no pseudo-header: its checksum does not cover the addresses.
  if (fields.protocol == Protocol::kIcmp) delta = ChecksumDelta();
  delta.Change(*fields.port, to.port());
  *fields.port = to.port();
  if (fields.protocol != Protocol::kUdp) {
    *fields.checksum = delta.Apply(*fields.checksum);
  } else if (fields.checksum->raw() != 0) {  // 0: the sender made none (RFC 768)
    *fields.checksum = UdpChecksum(delta.Apply(*fields.checksum));
  }
}

}  // namespace bess::nat
