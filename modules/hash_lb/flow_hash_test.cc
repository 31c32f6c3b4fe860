// SPDX-License-Identifier: Apache-2.0
#include "modules/hash_lb/flow_hash.h"

#include <gtest/gtest.h>

#include <array>

namespace bess {
namespace {

TEST(FlowHashTest, PicksOnlyWhatThereIs) {
  EXPECT_EQ(PickByHash(0, 1), 0u);
  EXPECT_EQ(PickByHash(~uint64_t{0}, 1), 0u);
  for (uint64_t i = 0; i < 100000; ++i) ASSERT_LT(PickByHash(MixHash(0, i), 16384), 16384u);
}

// Two balancers in a row: what the first sends one way, the second spreads over all its gates.
TEST(FlowHashTest, SeedsAreIndependent) {
  std::array<int, 4> picked{};
  int seen = 0;
  for (uint64_t flow = 0; flow < 16000; ++flow) {
    if (PickByHash(MixHash(1, flow), 4) != 0) continue;
    ++seen;
    ++picked[PickByHash(MixHash(2, flow), 4)];
  }
  for (const int n : picked) EXPECT_NEAR(n, seen / 4, seen / 20);
}

}  // namespace
}  // namespace bess
