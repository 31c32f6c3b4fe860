// SPDX-License-Identifier: Apache-2.0
//
// A bounded queue between one thread that fills slots and one that empties them. Slots are made
// once and stay where they are; nobody waits, locks or allocates.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

namespace bess {

template <typename T, uint32_t kSlots>
class SlotRing {
 public:
  static_assert(std::has_single_bit(kSlots));

  // The slot to fill next; nullptr when all are full. Thread: the one that fills.
  T* Empty() {
    const uint32_t filled = filled_.load(std::memory_order_relaxed);
    if (filled - emptied_.load(std::memory_order_acquire) == kSlots) return nullptr;
    return &slots_[filled % kSlots];
  }
  // Hands over the slot Empty() gave.
  void PutFull() {
    filled_.store(filled_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  // The slot that was filled first; nullptr when none is full. Thread: the one that empties.
  T* Full() {
    const uint32_t emptied = emptied_.load(std::memory_order_relaxed);
    if (emptied == filled_.load(std::memory_order_acquire)) return nullptr;
    return &slots_[emptied % kSlots];
  }
  // Gives back the slot Full() gave.
  void PutEmpty() {
    emptied_.store(emptied_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

 private:
  std::unique_ptr<T[]> slots_ = std::make_unique<T[]>(kSlots);
  alignas(64) std::atomic<uint32_t> filled_{0};
  alignas(64) std::atomic<uint32_t> emptied_{0};
};

}  // namespace bess
