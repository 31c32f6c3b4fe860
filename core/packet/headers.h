// SPDX-License-Identifier: Apache-2.0
//
// Protocol headers as they lie on the wire. All have alignment 1. Reach them through PacketView,
// which hands out a pointer only when the whole header is inside the packet.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/bytes.h"

namespace bess {

using MacAddress = std::array<uint8_t, 6>;

// EtherTypes (IANA ieee-802-numbers).
inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeVlan = 0x8100;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr uint16_t kEtherTypeQinQ = 0x88a8;

// IP protocol numbers (IANA protocol-numbers).
inline constexpr uint8_t kProtoIcmp = 1;
inline constexpr uint8_t kProtoTcp = 6;
inline constexpr uint8_t kProtoUdp = 17;
inline constexpr uint8_t kProtoIcmpv6 = 58;

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  Be16 type;
};
static_assert(sizeof(EthernetHeader) == 14);

// What follows a VLAN EtherType (IEEE 802.1Q).
struct VlanTag {
  Be16 tci;  // priority (3 bits), drop eligible (1), VLAN id (12)
  Be16 type;
};
static_assert(sizeof(VlanTag) == 4);

// RFC 826, for Ethernet and IPv4.
struct ArpHeader {
  Be16 hardware_type;
  Be16 protocol_type;
  uint8_t hardware_length;
  uint8_t protocol_length;
  Be16 operation;
  MacAddress sender_mac;
  Be32 sender_ip;
  MacAddress target_mac;
  Be32 target_ip;
};
static_assert(sizeof(ArpHeader) == 28);

// RFC 791.
struct Ipv4Header {
  uint8_t version_ihl;
  uint8_t tos;
  Be16 total_length;
  Be16 id;
  Be16 fragment;  // flags (3 bits) and offset in units of 8 bytes (13)
  uint8_t ttl;
  uint8_t protocol;
  Be16 checksum;
  Be32 source;
  Be32 destination;

  uint8_t version() const { return version_ihl >> 4; }
  // Bytes, options included.
  uint32_t header_length() const { return (version_ihl & 0x0fu) * 4u; }
  uint32_t fragment_offset() const { return (fragment.value() & 0x1fffu) * 8u; }
  bool more_fragments() const { return (fragment.value() & 0x2000u) != 0; }
};
static_assert(sizeof(Ipv4Header) == 20);

using Ipv6Address = std::array<uint8_t, 16>;

// RFC 8200.
struct Ipv6Header {
  Be32 version_class_flow;
  Be16 payload_length;
  uint8_t next_header;
  uint8_t hop_limit;
  Ipv6Address source;
  Ipv6Address destination;

  uint8_t version() const { return static_cast<uint8_t>(version_class_flow.value() >> 28); }
};
static_assert(sizeof(Ipv6Header) == 40);

// RFC 9293.
struct TcpHeader {
  Be16 source_port;
  Be16 destination_port;
  Be32 sequence;
  Be32 acknowledgement;
  uint8_t data_offset;  // upper 4 bits: header length in units of 4 bytes
  uint8_t flags;
  Be16 window;
  Be16 checksum;
  Be16 urgent;

  uint32_t header_length() const { return (data_offset >> 4) * 4u; }
};
static_assert(sizeof(TcpHeader) == 20);

inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpRst = 0x04;
inline constexpr uint8_t kTcpAck = 0x10;

// RFC 768.
struct UdpHeader {
  Be16 source_port;
  Be16 destination_port;
  Be16 length;
  Be16 checksum;
};
static_assert(sizeof(UdpHeader) == 8);

// RFC 792 and RFC 4443: the common first eight bytes.
struct IcmpHeader {
  uint8_t type;
  uint8_t code;
  Be16 checksum;
  Be16 id;  // echo: identifier
  Be16 sequence;
};
static_assert(sizeof(IcmpHeader) == 8);

}  // namespace bess
