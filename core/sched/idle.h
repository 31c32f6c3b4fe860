// SPDX-License-Identifier: Apache-2.0
//
// What a worker does when there is no work: spin for a while, since work usually comes back at
// once, then sleep in short naps so that an idle daemon leaves its core to others. After some time
// of that it may as well sleep until it is woken, if everything that could bring work wakes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace bess {

class IdlePolicy {
 public:
  // With `spin` it never sleeps: for dedicated cores.
  explicit IdlePolicy(bool spin) : spin_(spin) {}

  // Naps are this precise only after PrepareThread, called once by the worker's thread.
  static void PrepareThread();

  // To be called after each round with whether it found work. Returns whether to sleep until
  // woken. That comes after a nap, so whoever is woken in vain does not spin.
  bool Round(bool worked) {
    if (worked) [[likely]] {
      idle_rounds_ = 0;
      return false;
    }
    return Idle();
  }
  // Something happened, so more may follow: no long sleep for now.
  void Stir() { idle_rounds_ = std::min(idle_rounds_, kSpinRounds); }

 private:
  static constexpr uint32_t kSpinRounds = 20000;
  static constexpr uint32_t kNaps = 200;
  static constexpr long kNapNanoseconds = 50000;

  bool Idle() {
    if (spin_ || idle_rounds_ < kSpinRounds) {
      // One vain question among busy rounds costs nothing.
      if (idle_rounds_++ > 0) __builtin_ia32_pause();
      return false;
    }
    const timespec nap = {0, kNapNanoseconds};
    nanosleep(&nap, nullptr);
    if (idle_rounds_ == kSpinRounds + kNaps) return true;
    ++idle_rounds_;
    return false;
  }

  const bool spin_;
  uint32_t idle_rounds_ = 0;
};

}  // namespace bess
