// SPDX-License-Identifier: Apache-2.0
//
// A lock for the few instructions in which two workers may meet: at a queue both send to, or at a
// task that one of them is just handing over to the other. It costs an uncontended exchange, some
// 20 cycles a batch, and has a cache line of its own.
#pragma once

#include <x86intrin.h>

#include <atomic>

namespace bess {

// Has the names std::lock_guard and std::unique_lock want.
class alignas(64) SpinLock {
 public:
  bool try_lock() { return !held_.exchange(true, std::memory_order_acquire); }
  void lock() {
    while (!try_lock()) {
      while (held_.load(std::memory_order_relaxed)) _mm_pause();
    }
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace bess
