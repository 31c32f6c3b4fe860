// SPDX-License-Identifier: Apache-2.0
#include "core/tc/rate.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

constexpr uint64_t kHz = 3'000'000'000;

// Units used over `seconds` by someone who always has `run` more to use.
double Throughput(const Rate& rate, uint64_t run, uint64_t run_cycles, double seconds) {
  uint64_t now = kHz, used = 0;
  const uint64_t end = now + static_cast<uint64_t>(seconds * kHz);
  Uint128 paid = Uint128{now} << 32;
  while (now < end) {
    now += run_cycles;
    used += run;
    now = std::max(now, rate.Charge(paid, run, now));
  }
  return static_cast<double>(used) / (static_cast<double>(now - kHz) / kHz);
}

TEST(RateTest, HoldsFromOneUnitASecondToHundredsOfGigabits) {
  // A full batch of 1500-byte packets, in bits.
  constexpr uint64_t kBatch = 64 * 1500 * 8;
  for (const double limit : {1.0, 1e4, 1e6, 1e9, 1e10, 1e11, 5e11}) {
    const Rate rate(static_cast<uint64_t>(limit), 0, kHz);
    EXPECT_NEAR(Throughput(rate, kBatch, 1000, 2e7 / limit + 0.1) / limit, 1, 0.001) << limit;
  }
}

TEST(RateTest, SinglePacketsAtManyMillionsASecond) {
  for (const double limit : {1e6, 7e7, 1e8}) {
    const Rate rate(static_cast<uint64_t>(limit), 0, kHz);
    EXPECT_NEAR(Throughput(rate, 1, 10, 0.1) / limit, 1, 0.001) << limit;
  }
}

TEST(RateTest, ZeroIsNoLimit) {
  const Rate rate(0, 0, kHz);
  Uint128 paid = 0;
  for (uint64_t now = 1; now < 1000; ++now) EXPECT_EQ(rate.Charge(paid, UINT64_MAX, now), 0u);
}

TEST(RateTest, WhatPilesUpIsBoundedByTheBurst) {
  const Rate rate(1000, 300, kHz);
  Uint128 paid = Uint128{kHz} << 32;
  uint64_t now = 1000 * kHz;  // idle for a long time
  uint64_t used = 0;
  while (true) {
    ++used;
    if (rate.Charge(paid, 1, now) != 0) break;
  }
  // The run that finds the pile, the pile, and the run that goes beyond it.
  EXPECT_GE(used, 300u);
  EXPECT_LE(used, 302u);
}

TEST(RateTest, TheLargestNumbersOnlyWaitLong) {
  const Rate slow(1, 1'000'000'000'000'000, kHz);
  Uint128 paid = Uint128{kHz} << 32;
  const uint64_t ready = slow.Charge(paid, UINT64_MAX, kHz);
  EXPECT_GT(ready, uint64_t{1} << 60);
  EXPECT_LT(ready, uint64_t{1} << 63);
  const Rate fast(1'000'000'000'000'000, 0, kHz);
  Uint128 soon = Uint128{kHz} << 32;
  EXPECT_EQ(fast.Charge(soon, 1, kHz + 1), 0u);
}

TEST(RateTest, WaitsExactlyUntilWhatWasUsedIsPaid) {
  const Rate rate(1000, 0, kHz);
  Uint128 paid = Uint128{kHz} << 32;
  EXPECT_EQ(rate.Charge(paid, 5, kHz), kHz + 5 * kHz / 1000 + 1);
}

}  // namespace
}  // namespace bess
