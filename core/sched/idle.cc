// SPDX-License-Identifier: Apache-2.0
#include "core/sched/idle.h"

#include <sys/prctl.h>

#include <ctime>

namespace bess {
namespace {

int64_t CpuTime() {
  timespec used = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

}  // namespace

void IdlePolicy::PrepareThread() {
  // The kernel rounds sleeps up by 50 us unless told otherwise.
  prctl(PR_SET_TIMERSLACK, 1000);
}

int64_t IdlePolicy::Nap(bool timed) {
  const int64_t cpu_time = CpuTime();
  // What was spun before the first nap is no cost of napping.
  if (napped_ > 0) cost_ += (cpu_time - cpu_time_ - cost_) / kCostsAveraged;
  cpu_time_ = cpu_time;
  const int64_t longest = timed ? kShortestNap : kLongestNap;
  const int64_t nap = std::clamp(cost_ * kRestPerCost, kShortestNap, longest);
  napped_ = std::min(napped_ + nap, kNapsBeforeSleep);
  return nap;
}

}  // namespace bess
