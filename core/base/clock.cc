// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"

#include <chrono>

namespace bess {
namespace {

double MeasureCyclesPerSecond() {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const uint64_t from = Cycles();
  while (Clock::now() - start < std::chrono::milliseconds(10)) {
  }
  const uint64_t to = Cycles();
  return static_cast<double>(to - from) /
         std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

double CyclesPerSecond() {
  static const double rate = MeasureCyclesPerSecond();
  return rate;
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

uint64_t WallNanoseconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

}  // namespace bess
