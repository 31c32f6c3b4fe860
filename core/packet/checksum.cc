// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.h"

#include <cstddef>
#include <cstring>

namespace bess {
namespace {

ChecksumSum SumHeader(const Ipv4Header& ip) {
  return SumBytes({reinterpret_cast<const uint8_t*>(&ip), ip.header_length()});
}

constexpr size_t kLanes = 8;
using Lanes __attribute__((vector_size(kLanes * sizeof(uint64_t)))) = uint64_t;

// Of less than a vector.
ChecksumSum SumTail(const uint8_t* at, size_t left) {
  ChecksumSum sum = 0;
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

}  // namespace

// Vector registers' worth at a time: each 64-bit lane adds up its two halves apart, so nothing can
// overflow.
ChecksumSum SumBytes(absl::Span<const uint8_t> bytes) {
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  ChecksumSum sum = 0;
  if (left >= sizeof(Lanes)) {
    Lanes even{}, odd{};
    for (; left >= sizeof(Lanes); left -= sizeof(Lanes), at += sizeof(Lanes)) {
      Lanes lanes;
      std::memcpy(&lanes, at, sizeof(lanes));
      even += lanes & 0xffffffff;
      odd += lanes >> 32;
    }
    even += odd;
    for (size_t i = 0; i < kLanes; ++i) sum += even[i];
  }
  return sum + SumTail(at, left);
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
