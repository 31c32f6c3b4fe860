// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.h"

namespace bess {
namespace {

ChecksumSum SumHeader(const Ipv4Header& ip) {
  return SumBytes({reinterpret_cast<const uint8_t*>(&ip), ip.header_length()});
}

}  // namespace

ChecksumSum SumBytes(absl::Span<const uint8_t> bytes) {
  ChecksumSum sum = 0;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const auto word = LoadUnaligned<uint64_t>(at);
    sum += (word & 0xffffffff) + (word >> 32);
  }
  if ((left & 4) != 0) {
    sum += LoadUnaligned<uint32_t>(at);
    at += 4;
  }
  if ((left & 2) != 0) {
    sum += LoadUnaligned<uint16_t>(at);
    at += 2;
  }
  if ((left & 1) != 0) sum += *at;
  return sum;
}

Be16 Ipv4HeaderChecksum(const Ipv4Header& ip) {
  return FinishChecksum(SumHeader(ip) + static_cast<uint16_t>(~ip.checksum.raw()));
}

bool Ipv4ChecksumHolds(const Ipv4Header& ip) { return FinishChecksum(SumHeader(ip)).raw() == 0; }

ChecksumSum PseudoHeaderSum(const Ipv4Header& ip, uint8_t protocol, uint32_t length) {
  return ChecksumSum{ip.source.raw()} + ip.destination.raw() + Be16(protocol).raw() +
         Be32(length).raw();
}

ChecksumSum PseudoHeaderSum(const Ipv6Header& ip, uint8_t protocol, uint32_t length) {
  return SumBytes(ip.source) + SumBytes(ip.destination) + Be16(protocol).raw() + Be32(length).raw();
}

}  // namespace bess
