// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.h"

#include <cstring>

namespace bess {

ChecksumSum SumBytes(absl::Span<const uint8_t> bytes) {
  ChecksumSum sum = 0;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const auto word = LoadUnaligned<uint64_t>(at);
    sum += (word & 0xffffffff) + (word >> 32);
  }
  uint64_t last = 0;
  if (left > 0) std::memcpy(&last, at, left);
  return sum + (last & 0xffffffff) + (last >> 32);
}

Be16 Ipv4HeaderChecksum(const Ipv4Header& ip) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&ip);
  const ChecksumSum sum = SumBytes({bytes, ip.header_length()});
  return FinishChecksum(sum + static_cast<uint16_t>(~ip.checksum.raw()));
}

ChecksumSum PseudoHeaderSum(const Ipv4Header& ip, uint8_t protocol, uint32_t length) {
  return ChecksumSum{ip.source.raw()} + ip.destination.raw() + Be16(protocol).raw() +
         Be32(length).raw();
}

ChecksumSum PseudoHeaderSum(const Ipv6Header& ip, uint8_t protocol, uint32_t length) {
  return SumBytes(ip.source) + SumBytes(ip.destination) + Be16(protocol).raw() + Be32(length).raw();
}

}  // namespace bess
