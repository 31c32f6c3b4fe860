// SPDX-License-Identifier: Apache-2.0
#include "core/base/nanosecond_clock.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

TEST(NanosecondClockTest, ConvertsAnyCountOfCycles) {
  const NanosecondClock clock;
  EXPECT_EQ(clock.FromCycles(0), 0u);
  const auto second = static_cast<uint64_t>(CyclesPerSecond());
  for (const uint64_t seconds : {uint64_t{1}, uint64_t{3600}, uint64_t{100000000}}) {
    const double expected = static_cast<double>(seconds) * 1e9;
    EXPECT_NEAR(static_cast<double>(clock.FromCycles(seconds * second)), expected, expected * 1e-8);
  }
}

TEST(NanosecondClockTest, OnlyRises) {
  const NanosecondClock clock;
  uint64_t last = 0;
  for (int i = 0; i < 100000; ++i) {
    const uint64_t now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(NanosecondClockTest, AllClocksAgree) {
  const NanosecondClock one, other;
  EXPECT_EQ(one.FromCycles(uint64_t{1} << 60), other.FromCycles(uint64_t{1} << 60));
}

}  // namespace
}  // namespace bess
