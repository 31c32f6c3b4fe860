// SPDX-License-Identifier: Apache-2.0
//
// What a traffic class keeps from one plan to the next: what it has used, and the credit it has
// with its parent. A plan names the state, it does not own it.
//
// Threads: one worker at a time runs a class and writes here; the control plane sees to it that a
// class leaves one worker before another takes it up. Anyone may read the counters.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/counter.h"

namespace bess {

using Uint128 = unsigned __int128;

struct alignas(64) ClassState {
  // By which clock a child's pass counts. A new number makes all old passes void.
  static uint64_t NewClock() {
    static std::atomic<uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  Counter count;    // times run
  Counter cycles;   // of the CPU
  Counter packets;  // that tasks brought in
  Counter bits;     // of those packets

  // As a child: whose turn it is among siblings, least first.
  uint64_t pass = 0;
  uint64_t charge = 0;  // what its last run added to its pass
  uint64_t clock = 0;   // the clock its pass counts by

  // As a parent: the pass of the child that ran last, and how fine its clock ticks.
  uint64_t now = 0;
  uint64_t own_clock = NewClock();
  uint32_t precision = 0;
  uint32_t resource = 0;  // in what it counts

  // As a rate limit: when all that was used will be paid for, in cycles << 32; 0: never ran.
  Uint128 paid = 0;
  uint64_t price = 0;              // of one unit when it last ran, in cycles << 32; 0: no limit
  std::atomic<uint64_t> ready{0};  // when it may run again, in cycles. Thread: anyone reads
};

}  // namespace bess
