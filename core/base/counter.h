// SPDX-License-Identifier: Apache-2.0
//
// Counters of the packet path: one writer, any readers, no locked instruction.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace bess {

class Counter {
 public:
  // Thread: the one writer.
  void Add(uint64_t n) { value_.store(Get() + n, std::memory_order_relaxed); }
  // Thread: any.
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

inline constexpr uint32_t kMaxWorkers = 64;
// The cell of whoever acts while no worker does: the control plane.
inline constexpr uint32_t kControlCell = kMaxWorkers;

// A T for each worker, on cache lines of its own, made when the worker first needs it.
// Thread: At() from the control plane, one at a time; the others from any.
template <typename T>
class PerWorker {
 public:
  PerWorker() = default;
  ~PerWorker() {
    for (auto& cell : cells_) delete cell.load(std::memory_order_relaxed);
  }
  PerWorker(const PerWorker&) = delete;
  PerWorker& operator=(const PerWorker&) = delete;

  T& At(uint32_t worker) {
    std::atomic<Cell*>& slot = cells_[worker];
    Cell* cell = slot.load(std::memory_order_acquire);
    if (cell == nullptr) {
      cell = new Cell;
      slot.store(cell, std::memory_order_release);
    }
    return cell->value;
  }

  // Calls visit(T&), or visit(const T&), for each cell there is.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (auto& slot : cells_) {
      if (Cell* cell = slot.load(std::memory_order_acquire)) visit(cell->value);
    }
  }
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const auto& slot : cells_) {
      if (const Cell* cell = slot.load(std::memory_order_acquire)) visit(cell->value);
    }
  }

 private:
  struct alignas(64) Cell {
    T value{};
  };
  std::array<std::atomic<Cell*>, kMaxWorkers + 1> cells_{};
};

}  // namespace bess
