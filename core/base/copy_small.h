// SPDX-License-Identifier: Apache-2.0
//
// memcpy for a few bytes whose number is known only at run time: a few moves in line, where memcpy
// would be a call. Exactly `n` bytes are read and written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bess {

inline constexpr size_t kMaxCopySmall = 32;

namespace copy_small_internal {

// kHalf..2 * kHalf bytes as two moves that overlap in the middle.
template <size_t kHalf>
inline void CopyHalves(uint8_t* to, const uint8_t* from, size_t n) {
  uint8_t first[kHalf], last[kHalf];
  std::memcpy(first, from, kHalf);
  std::memcpy(last, from + n - kHalf, kHalf);
  std::memcpy(to, first, kHalf);
  std::memcpy(to + n - kHalf, last, kHalf);
}

}  // namespace copy_small_internal

// `n` must be 0..kMax, and kMax at most kMaxCopySmall.
template <size_t kMax = kMaxCopySmall>
inline void CopySmall(uint8_t* to, const uint8_t* from, size_t n) {
  using copy_small_internal::CopyHalves;
  static_assert(kMax >= 8 && kMax <= kMaxCopySmall);
  if constexpr (kMax >= 16) {
    if (n >= 16) return CopyHalves<16>(to, from, n);
  }
  if (n >= 8) return CopyHalves<8>(to, from, n);
  if (n >= 4) return CopyHalves<4>(to, from, n);
  if (n >= 2) return CopyHalves<2>(to, from, n);
  if (n == 1) *to = *from;
}

}  // namespace bess
