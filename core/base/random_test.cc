// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

namespace bess {
namespace {

constexpr int kDraws = 1000000;

// Counts of equal chance are off by more than 6 standard deviations once in 5e8 times. The seeds
// are fixed: a test that passes once passes for ever.
void ExpectAlike(const std::map<uint64_t, int>& counts, uint64_t kinds) {
  const double mean = static_cast<double>(kDraws) / static_cast<double>(kinds);
  EXPECT_EQ(counts.size(), kinds);
  for (const auto& [number, count] : counts) {
    EXPECT_NEAR(count, mean, 6 * std::sqrt(mean)) << number;
  }
}

TEST(RandomTest, EveryNumberBelowIsAsLikely) {
  for (const uint64_t kinds : {1u, 2u, 3u, 7u, 64u, 1000u}) {
    Random random(kinds);
    std::map<uint64_t, int> counts;
    for (int i = 0; i < kDraws; ++i) ++counts[random.Below(kinds)];
    EXPECT_LT(counts.rbegin()->first, kinds);
    ExpectAlike(counts, kinds);
  }
}

TEST(RandomTest, ReachesBothEndsOfWideRanges) {
  constexpr uint64_t kRange = uint64_t{3} << 30;
  Random random;
  uint64_t lowest = kRange, highest = 0;
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t number = random.Below(kRange);
    lowest = std::min(lowest, number);
    highest = std::max(highest, number);
  }
  EXPECT_LT(lowest, kRange / 10000);
  EXPECT_LT(highest, kRange);
  EXPECT_GT(highest, kRange - kRange / 10000);
}

TEST(RandomTest, EachBitIsSetHalfOfTheTime) {
  Random random(1);
  std::map<uint64_t, int> set;
  for (int i = 0; i < kDraws; ++i) {
    for (uint64_t bits = random.Next(); bits != 0; bits &= bits - 1) {
      ++set[static_cast<uint64_t>(std::countr_zero(bits))];
    }
  }
  EXPECT_EQ(set.size(), 64u);
  for (const auto& [bit, count] : set) EXPECT_NEAR(count, kDraws / 2, 3000) << bit;
}

TEST(ChanceTest, IsExactAtBothEndsAndRightBetween) {
  for (const double probability : {0.0, 0.001, 0.05, 0.5, 0.999, 1.0}) {
    Random random;
    const Chance chance(probability);
    int happened = 0;
    for (int i = 0; i < kDraws; ++i) happened += chance.Happens(random) ? 1 : 0;
    const double deviation = std::sqrt(kDraws * probability * (1 - probability));
    EXPECT_NEAR(happened, kDraws * probability, 6 * deviation) << probability;
  }
}

TEST(WorkerRandomsTest, NamesAndWorkersDoNotAgree) {
  std::set<uint64_t> first;
  for (const char* name : {"", "a", "b", "ab", "ba"}) {
    WorkerRandoms randoms;
    randoms.Seed(name);
    for (uint32_t worker = 0; worker <= kMaxWorkers; ++worker) {
      first.insert(randoms.At(worker).Next());
    }
  }
  EXPECT_EQ(first.size(), 5 * (kMaxWorkers + 1));
}

TEST(WorkerRandomsTest, TheSameNameGivesTheSameNumbers) {
  WorkerRandoms one, other;
  one.Seed("name");
  other.Seed("name");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(one.At(3).Next(), other.At(3).Next());
}

}  // namespace
}  // namespace bess
