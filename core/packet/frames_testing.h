// SPDX-License-Identifier: Apache-2.0
//
// Frames for tests, as strings, with right lengths and IPv4 checksums.
//
//   EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.protocol = kProtoUdp}, UdpSegment(1, 2)))
#pragma once

#include <cstdint>
#include <string>

#include "core/packet/headers.h"

namespace bess {

// The low `bytes` bytes, 0..8, of a number in network order.
inline std::string Be(uint64_t value, size_t bytes) {
  std::string out;
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
  return out;
}

// The MAC address whose six bytes are the number.
inline std::string Mac(uint64_t number) { return Be(number, 6); }

inline std::string EthernetFrame(uint16_t type, const std::string& payload,
                                 const std::string& destination = Mac(0x02000000000b),
                                 const std::string& source = Mac(0x02000000000a)) {
  return destination + source + Be(type, 2) + payload;
}

// RFC 1071, word by word.
inline uint16_t SlowChecksum(const std::string& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<uint8_t>(bytes[i]) * (i % 2 == 0 ? 256u : 1u);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

struct Ipv4Fields {
  uint32_t source = 0x0a000001;
  uint32_t destination = 0x0a000002;
  uint8_t protocol = kProtoUdp;
  uint8_t ttl = 64;
  uint16_t fragment = 0;     // flags and offset
  std::string options = {};  // a multiple of 4 bytes
};

inline std::string Ipv4Packet(const Ipv4Fields& fields, const std::string& payload) {
  const size_t header = 20 + fields.options.size();
  const std::string front = Be(0x40 | header / 4, 1) + Be(0, 1) + Be(header + payload.size(), 2) +
                            Be(1, 2) + Be(fields.fragment, 2) + Be(fields.ttl, 1) +
                            Be(fields.protocol, 1);
  const std::string back = Be(fields.source, 4) + Be(fields.destination, 4) + fields.options;
  return front + Be(SlowChecksum(front + Be(0, 2) + back), 2) + back + payload;
}

struct Ipv6Fields {
  std::string source = Be(0x20010db800000000, 8) + Be(1, 8);
  std::string destination = Be(0x20010db800000000, 8) + Be(2, 8);
  uint8_t next_header = kProtoUdp;
  uint8_t hop_limit = 64;
};

inline std::string Ipv6Packet(const Ipv6Fields& fields, const std::string& payload) {
  return Be(0x60000000, 4) + Be(payload.size(), 2) + Be(fields.next_header, 1) +
         Be(fields.hop_limit, 1) + fields.source + fields.destination + payload;
}

// Without a checksum.
inline std::string UdpSegment(uint16_t source, uint16_t destination,
                              const std::string& payload = "") {
  return Be(source, 2) + Be(destination, 2) + Be(8 + payload.size(), 2) + Be(0, 2) + payload;
}

inline std::string TcpSegment(uint16_t source, uint16_t destination, uint8_t flags,
                              const std::string& payload = "") {
  return Be(source, 2) + Be(destination, 2) + Be(1, 4) + Be(2, 4) + Be(0x50, 1) + Be(flags, 1) +
         Be(0xffff, 2) + Be(0, 4) + payload;
}

}  // namespace bess
