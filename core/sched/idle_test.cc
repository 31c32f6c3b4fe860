// SPDX-License-Identifier: Apache-2.0
#include "core/sched/idle.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <chrono>
#include <thread>

namespace bess {
namespace {

double ThreadCpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Runs idle rounds for a while and returns the share of that time the CPU was used.
double BusyShare(bool spin) {
  IdlePolicy idle(spin);
  for (int i = 0; i < 20200; ++i) idle.Round(false, /*timed=*/false);
  const auto start = std::chrono::steady_clock::now();
  const double cpu = ThreadCpuSeconds();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(200)) {
    idle.Round(false, /*timed=*/false);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return (ThreadCpuSeconds() - cpu) / took.count();
}

TEST(IdleTest, AdaptiveLeavesTheCore) {
  std::thread([] {
    IdlePolicy::PrepareThread();
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1000);
    EXPECT_LT(BusyShare(/*spin=*/false), 0.1) << "4 % are meant";
  }).join();
}

// However dear naps are: 500 of the longest would take half a second.
TEST(IdleTest, NapsStayShortWhileTimeAloneMayBringWork) {
  IdlePolicy idle(/*spin=*/false);
  for (int i = 0; i < 20000; ++i) idle.Round(false, /*timed=*/true);
  double shortest = 1;
  for (int i = 0; i < 500; ++i) {
    const auto start = std::chrono::steady_clock::now();
    idle.Round(false, /*timed=*/true);
    const std::chrono::duration<double> nap = std::chrono::steady_clock::now() - start;
    if (i >= 400) shortest = std::min(shortest, nap.count());
  }
  EXPECT_GE(shortest, 1e-9 * IdlePolicy::kShortestNap);
  EXPECT_LT(shortest, 1e-9 * IdlePolicy::kLongestNap);
}

TEST(IdleTest, AsksForSleepAfterTenMillisecondsOfNaps) {
  IdlePolicy idle(/*spin=*/false);
  for (int i = 0; i < 20000; ++i) EXPECT_FALSE(idle.Round(false, /*timed=*/false));
  const auto start = std::chrono::steady_clock::now();
  while (!idle.Round(false, /*timed=*/false)) {
  }
  const std::chrono::duration<double> napped = std::chrono::steady_clock::now() - start;
  EXPECT_GE(napped.count(), 0.01);
  EXPECT_TRUE(idle.Round(false, /*timed=*/false)) << "nothing happened since";
  idle.Stir();
  EXPECT_FALSE(idle.Round(false, /*timed=*/false));
}

TEST(IdleTest, SpinNeverSleeps) {
  rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  IdlePolicy idle(/*spin=*/true);
  for (int i = 0; i < 100000; ++i) idle.Round(false, /*timed=*/false);
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(after.ru_nvcsw, before.ru_nvcsw);
}

TEST(IdleTest, WorkStartsTheSpinningAnew) {
  rusage before, after;
  IdlePolicy idle(/*spin=*/false);
  getrusage(RUSAGE_THREAD, &before);
  for (int i = 0; i < 100000; ++i) idle.Round(i % 100 == 0, /*timed=*/false);
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(after.ru_nvcsw, before.ru_nvcsw) << "it slept though there was work";
}

}  // namespace
}  // namespace bess
