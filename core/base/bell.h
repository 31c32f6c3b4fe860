// SPDX-License-Identifier: Apache-2.0
//
// How to wake a thread that sleeps until somebody has work for it. Ringing costs one load while
// that thread is awake.
//
//   sleeper                            who has work
//     bell.LieDown();                    put the work where it is looked for (seq_cst)
//     if (there is no work) Sleep        bell.Ring();
//     bell.GetUp();
#pragma once

#include <poll.h>

#include <atomic>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace bess {

class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // Thread: any.
  void Ring() {
    if (asleep_.load(std::memory_order_seq_cst)) [[unlikely]]
      Wake();
  }

  // Whether the sleeper lies down. Thread: any.
  bool asleep() const { return asleep_.load(std::memory_order_relaxed); }

  // All below: the one thread that sleeps.

  // From here on Ring wakes: work that a look after this call does not find comes with a ring.
  void LieDown() { asleep_.store(true, std::memory_order_seq_cst); }
  // Until somebody rings, one of `others` has what it waits for, or the time is over. The first of
  // `others` is for the bell itself.
  void Sleep(absl::Span<pollfd> others, absl::Duration longest);
  // Whether somebody rang.
  bool GetUp();

 private:
  void Wake();

  std::atomic<bool> asleep_{false};
  const int event_;  // -1 if there was none to be had: then only time wakes
};

}  // namespace bess
