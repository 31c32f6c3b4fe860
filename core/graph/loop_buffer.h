// SPDX-License-Identifier: Apache-2.0
//
// Where a cycle of the graph is cut. Packets that would run back to a node upstream wait here for
// the worker's next round, so that a round always ends; what does not fit is dropped as loop_full.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "core/graph/context.h"

namespace bess {

class LoopBuffer {
 public:
  static constexpr uint32_t kCapacity = 8 * kBatchSize;

  LoopBuffer() = default;
  ~LoopBuffer() { Discard(); }

  // Thread: the worker it belongs to.
  static void Process(void* self, Context& context, Batch& batch);
  // Moves up to a batch of packets to `batch`.
  void Take(Batch& batch);

  // Thread: any.
  uint32_t held() const { return held_.load(std::memory_order_relaxed); }
  // Frees what it holds, and says how many. Thread: whoever owns it, after the worker let go.
  uint64_t Discard();

 private:
  std::array<Packet*, kCapacity> packets_;
  uint32_t head_ = 0;
  std::atomic<uint32_t> held_{0};
};

// A cut cycle in a worker's plan.
struct LoopSlot {
  LoopBuffer* buffer = nullptr;
  Node* root = nullptr;  // its one output is where the buffered packets go on
};

// Sends on all that waits when it is called; what runs back meanwhile is for the next round.
// Leaving some behind would let packets that need the buffer no more overtake it. Returns whether
// there was any. Thread: the worker's, between batches.
bool RunLoop(Context& context, const LoopSlot& slot);

// One connection's buffers, a worker each. A connection gets one when a plan first cuts a cycle
// there, and every later plan goes on emptying it.
class Edge {
 public:
  // Thread: control.
  LoopBuffer& MakeLoop(uint32_t worker);
  // nullptr if there is none.
  LoopBuffer* loop(uint32_t worker) const { return loops_[worker].load(std::memory_order_acquire); }
  // A bit for each worker that has one.
  uint64_t workers() const { return workers_.load(std::memory_order_acquire); }
  uint64_t held() const;
  uint64_t Discard();

  Edge() = default;
  ~Edge();

 private:
  std::array<std::atomic<LoopBuffer*>, kMaxWorkers> loops_{};
  static_assert(kMaxWorkers <= 64);
  std::atomic<uint64_t> workers_{0};
};

}  // namespace bess
