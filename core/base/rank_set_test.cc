// SPDX-License-Identifier: Apache-2.0
#include "core/base/rank_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace bess {
namespace {

class RankSetTest : public testing::TestWithParam<uint32_t> {};

// The same random inserts and erases into a std::set must give the same ends.
TEST_P(RankSetTest, AgreesWithStdSet) {
  const uint32_t capacity = GetParam();
  RankSet set(capacity);
  std::set<uint32_t> reference;
  std::mt19937 random(capacity);
  for (int step = 0; step < 20000; ++step) {
    const uint32_t rank = random() % capacity;
    if (random() % 2 != 0) {
      set.Insert(rank);
      reference.insert(rank);
    } else {
      set.Erase(rank);
      reference.erase(rank);
    }
    ASSERT_EQ(set.empty(), reference.empty());
    if (reference.empty()) continue;
    ASSERT_EQ(set.Min(), *reference.begin());
    ASSERT_EQ(set.Max(), *reference.rbegin());
  }
}

INSTANTIATE_TEST_SUITE_P(Capacities, RankSetTest,
                         testing::Values(1, 63, 64, 65, 4096, 4097, 10000));

}  // namespace
}  // namespace bess
