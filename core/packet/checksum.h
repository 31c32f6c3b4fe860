// SPDX-License-Identifier: Apache-2.0
//
// The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Sums are taken over the
// bytes as they lie; they come out right in either byte order, so nothing is swapped.
//
//   ip->checksum = Ipv4HeaderChecksum(*ip);
//   ip->checksum = UpdateChecksum(ip->checksum, old_address, new_address);
//   icmp->checksum = FinishChecksum(SumBytes(packet.L4Bytes()));     // its field was set to 0
#pragma once

#include <bit>
#include <cstdint>

#include "absl/types/span.h"
#include "core/base/bytes.h"
#include "core/packet/headers.h"

namespace bess {

// A one's complement sum that has not been folded to 16 bits yet. Sums are added with +.
using ChecksumSum = uint64_t;

// Adding the halves the other way round puts the carry of the lower sum into the upper one, which
// is what end-around carry wants.
inline uint16_t FoldHalf(uint32_t half) {
  return static_cast<uint16_t>((half + std::rotl(half, 16)) >> 16);
}
inline uint16_t FoldChecksum(ChecksumSum sum) {
  return FoldHalf(static_cast<uint32_t>((sum + std::rotl(sum, 32)) >> 32));
}

// What stands in a checksum field: the complement of the sum.
inline Be16 FinishChecksum(ChecksumSum sum) {
  return Be16::FromRaw(static_cast<uint16_t>(~FoldChecksum(sum)));
}

// The sum of at most 64 KB. An odd last byte counts as if a zero followed, so only the last piece
// of a message may be odd.
ChecksumSum SumBytes(absl::Span<const uint8_t> bytes);

// What a change of fields does to every checksum that covers them: computed once, applied to the
// IP and to the L4 checksum. Fields must lie at even offsets of what is summed.
class ChecksumDelta {
 public:
  void Change(Be16 from, Be16 to) { sum_ += static_cast<uint16_t>(~from.raw()) + to.raw(); }
  void Change(Be32 from, Be32 to) {
    sum_ += static_cast<uint64_t>(static_cast<uint32_t>(~from.raw())) + to.raw();
  }
  // HC' = ~(~HC + ~m + m'), RFC 1624, equation 3.
  Be16 Apply(Be16 checksum) const {
    return FinishChecksum(sum_ + static_cast<uint16_t>(~checksum.raw()));
  }

 private:
  ChecksumSum sum_ = 0;
};

// The checksum after one field it covers changed.
template <typename Field>
Be16 UpdateChecksum(Be16 checksum, Field from, Field to) {
  ChecksumDelta delta;
  delta.Change(from, to);
  return delta.Apply(checksum);
}

// Three words need no more than 18 bits.
inline Be16 UpdateChecksum(Be16 checksum, Be16 from, Be16 to) {
  const uint32_t sum = uint32_t{static_cast<uint16_t>(~checksum.raw())} +
                       static_cast<uint16_t>(~from.raw()) + to.raw();
  return Be16::FromRaw(static_cast<uint16_t>(~FoldHalf(sum)));
}

// UDP sends a checksum of zero as ones: zero says that there is none (RFC 768).
inline Be16 UdpChecksum(Be16 checksum) {
  return checksum.raw() == 0 ? Be16::FromRaw(0xffff) : checksum;
}

// The checksum of a header as PacketView::Ipv4() returned it, options included, whatever its
// checksum field holds now.
Be16 Ipv4HeaderChecksum(const Ipv4Header& ip);

// Whether the checksum of such a header is right.
bool Ipv4ChecksumHolds(const Ipv4Header& ip);

// The sum of the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293, 3.1; RFC 8200, 8.1). `length` is
// that of the L4 header and its payload.
ChecksumSum PseudoHeaderSum(const Ipv4Header& ip, uint8_t protocol, uint32_t length);
ChecksumSum PseudoHeaderSum(const Ipv6Header& ip, uint8_t protocol, uint32_t length);

// The TCP, UDP or ICMPv6 checksum over `l4`, whole: the L4 header and its payload. With the
// checksum field set to 0 it is what belongs there (UDP: UdpChecksum() of it); with a right
// checksum in the field it is 0.
template <typename IpHeader>
Be16 L4Checksum(const IpHeader& ip, uint8_t protocol, absl::Span<const uint8_t> l4) {
  return FinishChecksum(PseudoHeaderSum(ip, protocol, static_cast<uint32_t>(l4.size())) +
                        SumBytes(l4));
}

}  // namespace bess
