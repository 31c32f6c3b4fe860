// SPDX-License-Identifier: Apache-2.0
#include "core/base/mix_hash.h"

#include <gtest/gtest.h>

#include <set>

namespace bess {
namespace {

TEST(MixHashTest, SpreadsNeighboursAndMultiplesOverItsLowBits) {
  for (const uint32_t shift : {0, 8, 24, 32, 40, 48}) {
    std::set<uint64_t> used;
    for (uint64_t i = 0; i < 65536; ++i) used.insert(MixHash(0, i << shift) % 65536);
    // Throwing 65536 balls into as many bins leaves 37 % of them empty.
    EXPECT_GT(used.size(), 39000u) << shift;
  }
}

TEST(MixHashTest, TakesInEveryWordInItsPlace) {
  EXPECT_NE(MixHash(MixHash(0, 1), 2), MixHash(MixHash(0, 2), 1));
  EXPECT_NE(MixHash(MixHash(0, 1), 2), MixHash(MixHash(1, 1), 2));
}

}  // namespace
}  // namespace bess
