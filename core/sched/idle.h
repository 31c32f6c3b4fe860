// SPDX-License-Identifier: Apache-2.0
//
// What a worker does when there is no work: spin for a while, since work usually comes back at
// once, then take short naps so that an idle daemon leaves its core to others. After some time of
// that it may as well sleep until it is woken, if everything that could bring work wakes it.
//
// What a nap costs differs widely: 2 us of CPU time where timers are cheap, 40 us in some virtual
// machines. So a nap is as short as a bounded share of the core allows.
#pragma once

#include <algorithm>
#include <cstdint>

namespace bess {

class IdlePolicy {
 public:
  static constexpr int64_t kShortestNap = 50'000;  // ns
  static constexpr int64_t kLongestNap = 2'000'000;

  // With `spin` it never sleeps: for dedicated cores.
  explicit IdlePolicy(bool spin) : spin_(spin) {}

  // Naps are this precise only after PrepareThread, called once by the worker's thread.
  static void PrepareThread();

  // To be called after each round with whether it found work, and whether time alone may bring
  // some, so that naps must stay short. Returns how long a nap to take now, in ns; 0 is none.
  int64_t Round(bool worked, bool timed) {
    if (worked) [[likely]] {
      idle_rounds_ = 0;
      return 0;
    }
    if (spin_ || idle_rounds_ < kSpinRounds) {
      // One vain question among busy rounds costs nothing.
      if (idle_rounds_++ > 0) __builtin_ia32_pause();
      napped_ = 0;
      return 0;
    }
    return Nap(timed);
  }
  // Whether there were naps enough to sleep in the place of the next.
  bool drowsy() const { return napped_ >= kNapsBeforeSleep; }
  // Something happened, so more may follow: no long sleep for now.
  void Stir() { napped_ = 0; }

 private:
  static constexpr uint32_t kSpinRounds = 20000;
  static constexpr int64_t kNapsBeforeSleep = 10'000'000;  // ns in all
  static constexpr int64_t kRestPerCost = 25;              // some 4 % of the core
  static constexpr int64_t kCostsAveraged = 8;

  int64_t Nap(bool timed);

  const bool spin_;
  uint32_t idle_rounds_ = 0;
  int64_t napped_ = 0;    // ns since something happened
  int64_t cost_ = 0;      // of a nap and the questions before it, ns of CPU time, on average
  int64_t cpu_time_ = 0;  // of the thread when the last nap began, ns
};

}  // namespace bess
