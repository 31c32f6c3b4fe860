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
  for (int i = 0; i < 30000; ++i) idle.Round(false);
  const auto start = std::chrono::steady_clock::now();
  const double cpu = ThreadCpuSeconds();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(200)) {
    idle.Round(false);
  }
  return (ThreadCpuSeconds() - cpu) / 0.2;
}

TEST(IdleTest, AdaptiveLeavesTheCore) {
  std::thread([] {
    IdlePolicy::PrepareThread();
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1000);
    EXPECT_LT(BusyShare(/*spin=*/false), 0.5);
  }).join();
}

TEST(IdleTest, SpinNeverSleeps) {
  rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  IdlePolicy idle(/*spin=*/true);
  for (int i = 0; i < 100000; ++i) idle.Round(false);
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(after.ru_nvcsw, before.ru_nvcsw);
}

TEST(IdleTest, WorkStartsTheSpinningAnew) {
  rusage before, after;
  IdlePolicy idle(/*spin=*/false);
  getrusage(RUSAGE_THREAD, &before);
  for (int i = 0; i < 100000; ++i) idle.Round(i % 100 == 0);
  getrusage(RUSAGE_THREAD, &after);
  EXPECT_EQ(after.ru_nvcsw, before.ru_nvcsw) << "it slept though there was work";
}

}  // namespace
}  // namespace bess
