// SPDX-License-Identifier: Apache-2.0
//
// What a module needs that takes packets in on any worker and gives them out by its task: a FIFO
// whose size can change, and what it holds in the books.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/counter.h"
#include "core/base/spin_lock.h"
#include "core/graph/context.h"
#include "core/graph/packet_ring.h"

namespace bess {

class PacketFifo {
 public:
  // Room for `size` packets, a power of two.
  explicit PacketFifo(uint32_t size) : ring_(size) {}

  // Takes in the batch; what there is no room for is dropped as queue_full. Thread: workers.
  void Put(Context& context, Batch& batch);
  // Writes up to `n` packets to `packets` and returns how many. While a task moves to another
  // worker, both may run it for a moment: one of them gets nothing until its next turn.
  // Thread: workers.
  uint32_t Take(Packet** packets, uint32_t n);

  // As ResizableRing has it.
  absl::Status Resize(Host& host, uint32_t size) { return ring_.Resize(host, size); }

  // How full it is: packets in the ring they come into now. Thread: workers.
  uint32_t fill() const { return ring_.fill(); }

  // Thread: any. A packet may have left before the worker that put it in counts it.
  uint64_t held() const;
  uint64_t enqueued() const;
  uint64_t dequeued() const { return dequeued_.Get(); }

  // Frees what it holds, and says how many. Thread: control, after all workers let go.
  uint64_t Discard();

 private:
  struct alignas(64) Cell {
    Counter count;
  };

  ResizableRing ring_;
  std::array<Cell, kMaxWorkers + 1> enqueued_;  // by worker
  SpinLock taking_;
  Counter dequeued_;
};

}  // namespace bess
