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

constexpr int kSpins = 20000;

// A round without work, and the nap after it. Returns how long that was to be, in ns.
int64_t VainRound(IdlePolicy& idle, bool timed = false) {
  const int64_t nap = idle.Round(false, timed);
  const timespec time = {.tv_sec = 0, .tv_nsec = nap};
  if (nap > 0) nanosleep(&time, nullptr);
  return nap;
}

// Runs idle rounds for a while and returns the share of that time the CPU was used.
double BusyShare(bool spin) {
  IdlePolicy idle(spin);
  for (int i = 0; i < kSpins + 200; ++i) VainRound(idle);
  const auto start = std::chrono::steady_clock::now();
  const double cpu = ThreadCpuSeconds();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(200)) {
    VainRound(idle);
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
  for (int i = 0; i < kSpins; ++i) EXPECT_EQ(VainRound(idle, /*timed=*/true), 0);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(VainRound(idle, /*timed=*/true), IdlePolicy::kShortestNap);
  }
}

TEST(IdleTest, IsDrowsyAfterTenMillisecondsOfNaps) {
  IdlePolicy idle(/*spin=*/false);
  for (int i = 0; i < kSpins; ++i) EXPECT_EQ(VainRound(idle), 0);
  int64_t napped = 0;
  while (!idle.drowsy()) napped += VainRound(idle);
  EXPECT_GE(napped, 10'000'000);
  EXPECT_LT(napped, 10'000'000 + IdlePolicy::kLongestNap);
  VainRound(idle);
  EXPECT_TRUE(idle.drowsy()) << "nothing happened since";
  idle.Stir();
  EXPECT_FALSE(idle.drowsy());
}

TEST(IdleTest, SpinNeverSleeps) {
  rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  IdlePolicy idle(/*spin=*/true);
  for (int i = 0; i < 100000; ++i) VainRound(idle);
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(after.ru_nvcsw, before.ru_nvcsw);
}

TEST(IdleTest, WorkStartsTheSpinningAnew) {
  IdlePolicy idle(/*spin=*/false);
  for (int i = 0; i < 100000; ++i) {
    EXPECT_EQ(idle.Round(i % 100 == 0, /*timed=*/false), 0) << "there is work";
  }
}

}  // namespace
}  // namespace bess
