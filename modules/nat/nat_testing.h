// SPDX-License-Identifier: Apache-2.0
//
// Packets for the tests of NAT, made and taken apart byte by byte, with checksums computed in
// full: nothing here is shared with what is tested.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "core/packet/frames_testing.h"
#include "core/packet/headers.h"

namespace bess::nat {

inline uint32_t Get8(const std::string& from, size_t at) {
  return static_cast<uint8_t>(from.at(at));
}
inline uint32_t Get16(const std::string& from, size_t at) {
  return Get8(from, at) << 8 | Get8(from, at + 1);
}
inline uint32_t Get32(const std::string& from, size_t at) {
  return Get16(from, at) << 16 | Get16(from, at + 2);
}
inline void Set16(std::string& in, size_t at, uint32_t value) {
  in.at(at) = static_cast<char>(value >> 8);
  in.at(at + 1) = static_cast<char>(value);
}

// What a test says about a packet, and sees of it afterwards.
struct Sketch {
  uint8_t protocol = kProtoUdp;
  uint32_t source = 0;
  uint32_t source_port = 0;  // ICMP: the identifier, in both ports
  uint32_t destination = 0;
  uint32_t destination_port = 0;
  uint8_t flags = 0;  // TCP: flags. ICMP: the type
  std::string payload = {};

  bool operator==(const Sketch&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Sketch& s) {
  return out << std::hex << int{s.protocol} << " " << s.source << ":" << std::dec << s.source_port
             << " > " << std::hex << s.destination << ":" << std::dec << s.destination_port
             << " flags " << int{s.flags} << " + " << s.payload.size();
}

inline std::string PseudoHeader(const Sketch& s, size_t length) {
  return Be(s.source, 4) + Be(s.destination, 4) + Be(s.protocol, 2) + Be(length, 2);
}

// The L4 header and payload, with its checksum.
inline std::string L4Of(const Sketch& s) {
  if (s.protocol == kProtoIcmp) {
    std::string icmp = Be(s.flags, 1) + Be(0, 3) + Be(s.source_port, 2) + Be(7, 2) + s.payload;
    Set16(icmp, 2, SlowChecksum(icmp));
    return icmp;
  }
  const auto source = static_cast<uint16_t>(s.source_port);
  const auto destination = static_cast<uint16_t>(s.destination_port);
  const bool tcp = s.protocol == kProtoTcp;
  std::string l4 = tcp ? TcpSegment(source, destination, s.flags, s.payload)
                       : UdpSegment(source, destination, s.payload);
  const uint32_t checksum = SlowChecksum(PseudoHeader(s, l4.size()) + l4);
  Set16(l4, tcp ? 16 : 6, checksum == 0 && !tcp ? 0xffff : checksum);
  return l4;
}

inline std::string Ipv4Of(const Sketch& s, const std::string& l4, uint16_t fragment = 0,
                          const std::string& options = "") {
  return Ipv4Packet({.source = s.source,
                     .destination = s.destination,
                     .protocol = s.protocol,
                     .fragment = fragment,
                     .options = options},
                    l4);
}

inline const std::string kEthernet = EthernetFrame(kEtherTypeIpv4, "");

inline std::string PacketOf(const Sketch& s) { return kEthernet + Ipv4Of(s, L4Of(s)); }

// The ICMP error of `type` that quotes `quoted`, from `source` to `destination`.
inline std::string ErrorOf(uint8_t type, uint32_t source, uint32_t destination,
                           const std::string& quoted) {
  std::string icmp = Be(type, 1) + Be(1, 1) + Be(0, 6) + quoted;
  Set16(icmp, 2, SlowChecksum(icmp));
  const Sketch outer{.protocol = kProtoIcmp, .source = source, .destination = destination};
  return kEthernet + Ipv4Of(outer, icmp);
}

// Reads what PacketOf made. Nothing if anything else than what Sketch holds has changed, checksums
// included: so a packet is right exactly when its sketch is.
inline std::optional<Sketch> SketchOf(const std::string& packet) {
  constexpr size_t kIp = 14, kL4 = 34;
  if (packet.size() < kL4 + 8) return std::nullopt;
  Sketch s{.protocol = static_cast<uint8_t>(Get8(packet, kIp + 9)),
           .source = Get32(packet, kIp + 12),
           .source_port = Get16(packet, kL4),
           .destination = Get32(packet, kIp + 16),
           .destination_port = Get16(packet, kL4 + 2)};
  size_t header = 8;
  if (s.protocol == kProtoTcp) {
    header = 20;
    s.flags = static_cast<uint8_t>(Get8(packet, kL4 + 13));
  } else if (s.protocol == kProtoIcmp) {
    s.flags = static_cast<uint8_t>(Get8(packet, kL4));
    s.source_port = s.destination_port = Get16(packet, kL4 + 4);
  }
  s.payload = packet.substr(kL4 + header);
  return PacketOf(s) == packet ? std::optional(s) : std::nullopt;
}

}  // namespace bess::nat
