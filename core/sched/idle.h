// SPDX-License-Identifier: Apache-2.0
//
// What a worker does when there is no work: spin for a while, since work usually comes back at
// once, then sleep in short naps so that an idle daemon leaves its core to others.
#pragma once

#include <cstdint>
#include <ctime>

namespace bess {

class IdlePolicy {
 public:
  // With `spin` it never sleeps: for dedicated cores.
  explicit IdlePolicy(bool spin) : spin_(spin) {}

  // Naps are this precise only after PrepareThread, called once by the worker's thread.
  static void PrepareThread();

  // To be called after each round with whether it found work.
  void Round(bool worked) {
    if (worked) [[likely]] {
      idle_rounds_ = 0;
      return;
    }
    Idle();
  }

 private:
  static constexpr uint32_t kSpinRounds = 20000;
  static constexpr long kNapNanoseconds = 50000;

  void Idle() {
    if (spin_ || idle_rounds_ < kSpinRounds) {
      // One vain question among busy rounds costs nothing.
      if (idle_rounds_++ > 0) __builtin_ia32_pause();
      return;
    }
    const timespec nap = {0, kNapNanoseconds};
    nanosleep(&nap, nullptr);
  }

  const bool spin_;
  uint32_t idle_rounds_ = 0;
};

}  // namespace bess
