// SPDX-License-Identifier: Apache-2.0
//
// Time: a cycle counter for the packet path and seconds for people.
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace bess {

// The CPU's constant-rate time stamp counter.
inline uint64_t Cycles() { return __rdtsc(); }

// Cycles per second, measured once against CLOCK_MONOTONIC at first use (takes 10 ms).
double CyclesPerSecond();

inline uint64_t NanosecondsToCycles(double ns) {
  return static_cast<uint64_t>(ns * CyclesPerSecond() * 1e-9);
}

// Seconds since the epoch, as API timestamps carry them.
double WallSeconds();

// Nanoseconds since the epoch.
uint64_t WallNanoseconds();

}  // namespace bess
