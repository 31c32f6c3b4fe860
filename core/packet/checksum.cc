// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.h"

#include "core/base/word_vector.h"

namespace bess {
namespace {

ChecksumSum SumHeader(const Ipv4Header& ip) {
  return SumBytes({reinterpret_cast<const uint8_t*>(&ip), ip.header_length()});
}

// The sum of both halves of each word; of words side by side when Words is a vector. Adding whole
// words spares it to cut out their lower halves: the sum of those is far below 2^64, so it is what
// is left of the words' without their upper halves, whatever overflowed.
template <typename Words>
class HalfSums {
 public:
  void Add(Words words) {
    words_ += words;
    upper_ += words >> 32;
  }
  Words Total() const { return words_ - (upper_ << 32) + upper_; }

 private:
  Words words_{};
  Words upper_{};
};

}  // namespace

ChecksumSum SumBytes(absl::Span<const uint8_t> bytes) {
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  HalfSums<WordVector> vectors;
  for (; left >= 2 * kVectorBytes; left -= 2 * kVectorBytes, at += 2 * kVectorBytes) {
    vectors.Add(LoadUnaligned<WordVector>(at));
    vectors.Add(LoadUnaligned<WordVector>(at + kVectorBytes));
  }
  HalfSums<uint64_t> words;
  for (; left >= 8; left -= 8, at += 8) words.Add(LoadUnaligned<uint64_t>(at));
  ChecksumSum sum = words.Total();
  const WordVector totals = vectors.Total();
  for (int i = 0; i < kVectorWords; ++i) sum += totals[i];
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
