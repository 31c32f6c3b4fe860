// SPDX-License-Identifier: Apache-2.0
#include "core/graph/brake.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

TEST(BrakeTest, IsOnFromTheHighMarkToTheLowOne) {
  Brake brake;
  brake.Arm(100);
  brake.Filled(89);
  EXPECT_FALSE(brake.on());
  brake.Filled(90);
  EXPECT_TRUE(brake.on());
  brake.Emptied(16);
  EXPECT_TRUE(brake.on());
  brake.Filled(20);
  brake.Emptied(15);
  EXPECT_FALSE(brake.on());
  brake.Emptied(0);
  brake.Filled(89);
  EXPECT_FALSE(brake.on());
}

TEST(BrakeTest, TheSmallestSizesBrakeToo) {
  Brake brake;
  brake.Arm(4);
  brake.Filled(3);
  EXPECT_TRUE(brake.on());
  brake.Emptied(1);
  EXPECT_TRUE(brake.on());
  brake.Emptied(0);
  EXPECT_FALSE(brake.on());
}

TEST(BrakeTest, NeverBrakesUnlessArmed) {
  Brake brake;
  brake.Filled(UINT32_MAX);
  EXPECT_FALSE(brake.on());
  brake.Arm(4);
  brake.Filled(4);
  brake.Disarm();
  EXPECT_FALSE(brake.on());
  brake.Filled(4);
  EXPECT_FALSE(brake.on());
}

// Who puts something in may be overtaken by who takes it out before it puts the brake on.
TEST(BrakeTest, ABrakeThatCameTooLateIsLetGo) {
  Brake brake;
  brake.Arm(100);
  brake.Filled(95);
  brake.Emptied(0);
  EXPECT_FALSE(brake.on());
}

class TestGauge final : public Gauge {
 public:
  uint64_t Read() override { return value; }
  uint64_t value = 0;
};

TEST(BrakeTest, WhatNobodyReportsIsLookedAt) {
  TestGauge gauge;
  Brake brake(&gauge);
  brake.Arm(100);
  brake.Filled(95);
  gauge.value = 16;
  EXPECT_TRUE(brake.Holds());
  gauge.value = 15;
  EXPECT_TRUE(brake.on()) << "nobody has looked yet";
  EXPECT_FALSE(brake.Holds());
  EXPECT_FALSE(brake.on());
}

TEST(BrakeTest, WithoutAGaugeItHoldsUntilItIsToldToLetGo) {
  Brake brake;
  brake.Arm(100);
  brake.Filled(95);
  EXPECT_TRUE(brake.Holds());
  brake.Emptied(0);
  EXPECT_FALSE(brake.Holds());
}

}  // namespace
}  // namespace bess
