// SPDX-License-Identifier: Apache-2.0
//
// How who makes work for a resting leaf tells the worker that runs it. The leaf's door says whether
// it rests; if it does, a knock leaves a note on the worker's board, which the worker looks at once
// a decision, and rings the worker's bell in case it sleeps. A knock that is missed in a race is
// made good when the leaf is asked again anyway.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bell.h"

namespace bess {

class WakeBoard {
 public:
  explicit WakeBoard(size_t leaves) : words_((leaves + 63) / 64) {}

  // Thread: any worker.
  void Post(uint32_t leaf) {
    words_[leaf / 64].fetch_or(uint64_t{1} << (leaf % 64), std::memory_order_release);
    posted_.store(true, std::memory_order_seq_cst);
    if (Bell* bell = bell_.load(std::memory_order_acquire)) bell->Ring();
  }

  // Whose bell to ring; nullptr when the worker leaves. Thread: the worker that runs the leaves.
  void SetBell(Bell* bell) { bell_.store(bell, std::memory_order_release); }
  // Whether there are notes to take. Thread: any.
  bool posted() const { return posted_.load(std::memory_order_seq_cst); }

  // Calls wake(leaf) for each note, once. Thread: the worker that runs the leaves.
  template <typename Wake>
  void Take(Wake wake) {
    if (!posted_.load(std::memory_order_relaxed)) [[likely]]
      return;
    posted_.exchange(false, std::memory_order_acquire);
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i].load(std::memory_order_relaxed) == 0) continue;
      uint64_t notes = words_[i].exchange(0, std::memory_order_acquire);
      for (; notes != 0; notes &= notes - 1) {
        wake(static_cast<uint32_t>(i * 64 + static_cast<size_t>(std::countr_zero(notes))));
      }
    }
  }

 private:
  std::atomic<bool> posted_{false};
  std::atomic<Bell*> bell_{nullptr};
  std::vector<std::atomic<uint64_t>> words_;
};

// Of one leaf. Thread: the leaf's worker opens and closes it, any worker knocks.
class LeafDoor {
 public:
  LeafDoor(WakeBoard& board, uint32_t leaf) : board_(board), leaf_(leaf) {}

  void Knock() {
    if (resting_.load(std::memory_order_relaxed)) board_.Post(leaf_);
  }
  void SetResting(bool resting) { resting_.store(resting, std::memory_order_relaxed); }
  bool resting() const { return resting_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> resting_{false};
  WakeBoard& board_;
  const uint32_t leaf_;
};

}  // namespace bess
