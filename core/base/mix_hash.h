// SPDX-License-Identifier: Apache-2.0
//
// A hash that begins with a seed and takes in one word after another; each costs a multiplication,
// and compilers do eight of them at once.
#pragma once

#include <cstdint>

namespace bess {

inline uint64_t MixHash(uint64_t hash, uint64_t word) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  hash = (hash ^ word) * kOdd;
  // The high bits depend on all of the word; the low ones, which tables use, take them in.
  return hash ^ hash >> 32 ^ hash >> 48;
}

}  // namespace bess
