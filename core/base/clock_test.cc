// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace bess {
namespace {

TEST(ClockTest, CyclesFollowTheSteadyClock) {
  const uint64_t from = Cycles();
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double cycles = static_cast<double>(Cycles() - from);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_NEAR(cycles / CyclesPerSecond() / seconds, 1.0, 0.1);
}

TEST(ClockTest, NanosecondsConvert) {
  EXPECT_NEAR(static_cast<double>(NanosecondsToCycles(1e9)), CyclesPerSecond(), 1e3);
}

TEST(ClockTest, NanosecondsAndSecondsAgree) {
  EXPECT_NEAR(static_cast<double>(WallNanoseconds()) * 1e-9, WallSeconds(), 1.0);
}

}  // namespace
}  // namespace bess
