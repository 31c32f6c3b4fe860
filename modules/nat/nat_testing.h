// SPDX-License-Identifier: Apache-2.0
//
// Packets for the tests of NAT, made and taken apart byte by byte, with checksums computed in
// full and in the plainest way: nothing here is shared with what is tested.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "core/packet/headers.h"

namespace bess::nat {

inline void Put8(std::string& to, uint32_t value) { to.push_back(static_cast<char>(value)); }
inline void Put16(std::string& to, uint32_t value) {
  Put8(to, value >> 8);
  Put8(to, value);
}
inline void Put32(std::string& to, uint32_t value) {
  Put16(to, value >> 16);
  Put16(to, value);
}
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

inline uint32_t NaiveChecksum(const std::string& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += Get8(bytes, i) << (i % 2 == 0 ? 8 : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return ~sum & 0xffff;
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
  std::string bytes;
  Put32(bytes, s.source);
  Put32(bytes, s.destination);
  Put16(bytes, s.protocol);
  Put16(bytes, static_cast<uint32_t>(length));
  return bytes;
}

// The L4 header and payload, with its checksum.
inline std::string L4Of(const Sketch& s) {
  std::string l4;
  size_t checksum_at = 2;
  if (s.protocol == kProtoIcmp) {
    Put16(l4, uint32_t{s.flags} << 8);
    Put16(l4, 0);
    Put16(l4, s.source_port);
    Put16(l4, 7);
    l4 += s.payload;
    Set16(l4, 2, NaiveChecksum(l4));
    return l4;
  }
  Put16(l4, s.source_port);
  Put16(l4, s.destination_port);
  if (s.protocol == kProtoTcp) {
    Put32(l4, 0x01020304);
    Put32(l4, 0x05060708);
    Put16(l4, 0x5000u | s.flags);
    Put16(l4, 1000);
    Put32(l4, 0);
    checksum_at = 16;
  } else {
    Put16(l4, static_cast<uint32_t>(8 + s.payload.size()));
    Put16(l4, 0);
    checksum_at = 6;
  }
  l4 += s.payload;
  const uint32_t checksum = NaiveChecksum(PseudoHeader(s, l4.size()) + l4);
  Set16(l4, checksum_at, checksum == 0 && s.protocol == kProtoUdp ? 0xffff : checksum);
  return l4;
}

inline std::string Ipv4Of(const Sketch& s, const std::string& l4, uint32_t fragment = 0,
                          const std::string& options = "") {
  std::string ip;
  Put16(ip, (0x45u + static_cast<uint32_t>(options.size()) / 4) << 8);
  Put16(ip, static_cast<uint32_t>(20 + options.size() + l4.size()));
  Put16(ip, 0x1234);
  Put16(ip, fragment);
  Put8(ip, 64);
  Put8(ip, s.protocol);
  Put16(ip, 0);
  Put32(ip, s.source);
  Put32(ip, s.destination);
  ip += options;
  Set16(ip, 10, NaiveChecksum(ip));
  return ip + l4;
}

inline const std::string kEthernet("\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a\x08\0", 14);

inline std::string PacketOf(const Sketch& s) { return kEthernet + Ipv4Of(s, L4Of(s)); }

// The ICMP error of `type` that quotes `quoted`, from `source` to `destination`.
inline std::string ErrorOf(uint8_t type, uint32_t source, uint32_t destination,
                           const std::string& quoted) {
  std::string icmp;
  Put16(icmp, uint32_t{type} << 8 | 1);
  Put16(icmp, 0);
  Put32(icmp, 0);
  icmp += quoted;
  Set16(icmp, 2, NaiveChecksum(icmp));
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
