// SPDX-License-Identifier: Apache-2.0
#include "core/base/bell.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

namespace bess {
namespace {

constexpr absl::Duration kLong = absl::Seconds(20);  // a sleep that nothing ends

double SecondsOf(Bell& bell, std::vector<pollfd> others, absl::Duration longest) {
  const auto start = std::chrono::steady_clock::now();
  bell.Sleep(absl::MakeSpan(others), longest);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(BellTest, ARingWakesWhoLiesDown) {
  Bell bell;
  std::atomic<bool> work{false};
  bell.LieDown();
  std::thread other([&] {
    work.store(true);
    bell.Ring();
  });
  while (!work.load()) EXPECT_LT(SecondsOf(bell, std::vector<pollfd>(1), kLong), 10);
  bell.GetUp();
  other.join();
}

TEST(BellTest, ARingIsHeardOnceAndNotByWhoIsAwake) {
  Bell bell;
  bell.Ring();
  bell.LieDown();
  EXPECT_GE(SecondsOf(bell, std::vector<pollfd>(1), absl::Milliseconds(5)), 0.004)
      << "it was awake then";
  bell.Ring();
  EXPECT_TRUE(bell.GetUp());
  bell.LieDown();
  EXPECT_GE(SecondsOf(bell, std::vector<pollfd>(1), absl::Milliseconds(5)), 0.004)
      << "it got up for that one";
  EXPECT_FALSE(bell.GetUp());
}

TEST(BellTest, SomethingToReadWakesToo) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  Bell bell;
  bell.LieDown();
  std::vector<pollfd> others(2);
  others[1] = {.fd = ends[0], .events = POLLIN};
  EXPECT_LT(SecondsOf(bell, others, kLong), 10);
  bell.GetUp();
  close(ends[0]);
  close(ends[1]);
}

// A ring right before or right after each lying down: none may be slept over.
TEST(BellTest, NoRingIsSleptOver) {
  constexpr int kRings = 20000;
  Bell bell;
  std::atomic<int> wanted{0}, done{0};
  std::thread other([&] {
    for (int i = 1; i <= kRings; ++i) {
      wanted.store(i);
      bell.Ring();
      while (done.load() != i) std::this_thread::yield();
    }
  });
  std::vector<pollfd> others(1);
  while (done.load() != kRings) {
    bell.LieDown();
    if (wanted.load() == done.load()) {
      EXPECT_LT(SecondsOf(bell, others, kLong), 10);
    }
    bell.GetUp();
    done.store(wanted.load());
  }
  other.join();
}

}  // namespace
}  // namespace bess
