// SPDX-License-Identifier: Apache-2.0
//
// Keeps workers out of a device while a control thread stops, changes and starts it. Passing costs
// a worker two plain stores and a load; whoever closes the doorway pays for the memory barrier of
// all CPUs (membarrier(2)).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace bess {

class Doorway {
 public:
  // Closed at first. Lanes are numbered 0..lanes-1; one thread at a time passes by each.
  explicit Doorway(uint32_t lanes);

  // Whether the caller may pass; it must then call Leave. Thread: the one of the lane.
  bool Enter(uint32_t lane) {
    std::atomic<bool>& inside = lanes_[lane].inside;
    if (barrier_needed_) [[unlikely]] {
      inside.store(true, std::memory_order_seq_cst);
    } else {
      inside.store(true, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    if (open_.load(std::memory_order_seq_cst)) [[likely]]
      return true;
    inside.store(false, std::memory_order_release);
    return false;
  }
  void Leave(uint32_t lane) { lanes_[lane].inside.store(false, std::memory_order_release); }

  // What use() returns inside, or `closed` when the doorway is. Thread: the one of the lane.
  template <typename Result, typename Use>
  Result Pass(uint32_t lane, Result closed, Use use) {
    if (!Enter(lane)) [[unlikely]]
      return closed;
    const Result result = use();
    Leave(lane);
    return result;
  }

  // Returns when nobody is inside any more, which takes one burst. Thread: control.
  void Close();
  void Open() { open_.store(true, std::memory_order_release); }
  bool is_open() const { return open_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Lane {
    std::atomic<bool> inside{false};
  };

  std::atomic<bool> open_{false};
  const bool barrier_needed_;  // the kernel has no membarrier for us
  const uint32_t count_;
  std::unique_ptr<Lane[]> lanes_;
};

}  // namespace bess
