// SPDX-License-Identifier: Apache-2.0
//
// A FIFO of packets between workers that can be replaced by a larger or smaller one while they use
// it, without losing, stopping or reordering anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "core/graph/host.h"
#include "core/packet/packet.h"

namespace bess {

// Many may put, one takes. A producer reserves slots, fills them, and publishes them once all
// reserved before are published; that wait makes whoever sees its packets see theirs, which the
// multi-producer mode of DPDK 22.11's rte_ring leaves to x86's strong order.
class PacketRing {
 public:
  // Room for exactly `size` packets, a power of two.
  explicit PacketRing(uint32_t size);
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  // Each returns how many packets it took, or gave: the first ones.
  uint32_t Put(Packet* const* packets, uint32_t n);
  uint32_t Take(Packet** packets, uint32_t n);
  // Exact for who takes; for others how many there were a moment ago. Thread: workers.
  uint32_t count() const;

 private:
  friend class ResizableRing;

  // Of the first `n` slots that are free; `first` is where they begin. Thread: any producer.
  uint32_t Reserve(uint32_t n, uint32_t* first);
  void CopyIn(uint32_t first, Packet* const* packets, uint32_t n);
  void CopyOut(uint32_t first, Packet** packets, uint32_t n) const;

  // Positions count up for ever and wrap; a slot is its position modulo the size.
  const std::unique_ptr<Packet*[]> slots_;
  const uint32_t size_;
  alignas(64) std::atomic<uint32_t> reserved_{0};
  std::atomic<uint32_t> published_{0};
  alignas(64) std::atomic<uint32_t> taken_{0};
  alignas(64) std::atomic<bool> sealed_{false};  // nobody puts anything in any more
  std::atomic<PacketRing*> next_{nullptr};       // where later packets are
};

class ResizableRing {
 public:
  explicit ResizableRing(uint32_t size);

  // Thread: workers, between two points at which they hold no reference.
  uint32_t Put(Packet* const* packets, uint32_t n) {
    return tail_.load(std::memory_order_acquire)->Put(packets, n);
  }
  // Thread: one at a time.
  uint32_t Take(Packet** packets, uint32_t n) {
    PacketRing* head = head_.load(std::memory_order_relaxed);
    PacketRing* next = head->next_.load(std::memory_order_acquire);
    return next == nullptr ? head->Take(packets, n) : TakeAcross(*head, *next, packets, n);
  }

  // How many packets are in the ring that they come into now. Thread: as for Put.
  uint32_t fill() const { return tail_.load(std::memory_order_acquire)->count(); }

  // From now on packets go into a ring of `size`; those in the present one leave first. EBUSY when
  // too many earlier rings have not been emptied. Thread: control.
  absl::Status Resize(Host& host, uint32_t size);

 private:
  uint32_t TakeAcross(PacketRing& head, PacketRing& next, Packet** packets, uint32_t n);

  // From the oldest to the newest; `head_` and what is behind it is in use.
  std::vector<std::shared_ptr<PacketRing>> rings_;
  std::atomic<PacketRing*> head_;  // packets leave here
  std::atomic<PacketRing*> tail_;  // and come in here
};

}  // namespace bess
