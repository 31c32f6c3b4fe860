// SPDX-License-Identifier: Apache-2.0
#include "core/graph/packet_ring.h"

#include <rte_pause.h>

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

// Rings whose packets have not all left; a client that keeps changing the size of a queue nobody
// empties gets no further.
constexpr size_t kMaxRings = 64;

}  // namespace

PacketRing::PacketRing(uint32_t size) : slots_(std::make_unique<Packet*[]>(size)), size_(size) {}

uint32_t PacketRing::Reserve(uint32_t n, uint32_t* first) {
  uint32_t start = reserved_.load(std::memory_order_acquire);
  uint32_t fits;
  do {
    // Who advanced `reserved_` to `start` knew a `taken_` that left room for it, and by the acquire
    // this one is no older. If it is past `start` already the exchange fails.
    fits = std::min(n, taken_.load(std::memory_order_acquire) + size_ - start);
    if (fits == 0) return 0;
  } while (!reserved_.compare_exchange_weak(start, start + fits, std::memory_order_acq_rel,
                                            std::memory_order_acquire));
  *first = start;
  return fits;
}

void PacketRing::CopyIn(uint32_t first, Packet* const* packets, uint32_t n) {
  const uint32_t at = first & (size_ - 1);
  const uint32_t straight = std::min(n, size_ - at);
  std::copy_n(packets, straight, &slots_[at]);
  std::copy_n(packets + straight, n - straight, &slots_[0]);
}

void PacketRing::CopyOut(uint32_t first, Packet** packets, uint32_t n) const {
  const uint32_t at = first & (size_ - 1);
  const uint32_t straight = std::min(n, size_ - at);
  std::copy_n(&slots_[at], straight, packets);
  std::copy_n(&slots_[0], n - straight, packets + straight);
}

uint32_t PacketRing::Put(Packet* const* packets, uint32_t n) {
  uint32_t first;
  const uint32_t fits = Reserve(n, &first);
  if (fits == 0) return 0;
  CopyIn(first, packets, fits);
  while (published_.load(std::memory_order_acquire) != first) rte_pause();
  published_.store(first + fits, std::memory_order_release);
  return fits;
}

uint32_t PacketRing::Take(Packet** packets, uint32_t n) {
  const uint32_t first = taken_.load(std::memory_order_relaxed);
  const uint32_t there = std::min(n, published_.load(std::memory_order_acquire) - first);
  CopyOut(first, packets, there);
  taken_.store(first + there, std::memory_order_release);
  return there;
}

// In this order the difference is never negative: what is taken was published before.
uint32_t PacketRing::count() const {
  const uint32_t taken = taken_.load(std::memory_order_acquire);
  return published_.load(std::memory_order_acquire) - taken;
}

ResizableRing::ResizableRing(uint32_t size)
    : rings_{std::make_shared<PacketRing>(size)}, head_(rings_[0].get()), tail_(rings_[0].get()) {}

// Whoever puts a packet into the next ring has put all earlier ones into this ring before. So what
// is in the next ring by now may follow once this one is found empty afterwards; what comes later
// may have predecessors still to be seen here.
uint32_t ResizableRing::TakeAcross(PacketRing& head, PacketRing& next, Packet** packets,
                                   uint32_t n) {
  const bool sealed = head.sealed_.load(std::memory_order_acquire);
  const uint32_t may_follow = next.count();
  uint32_t taken = head.Take(packets, n);
  if (taken == n) return taken;
  taken += next.Take(packets + taken, std::min(n - taken, may_follow));
  if (sealed) head_.store(&next, std::memory_order_release);
  return taken;
}

absl::Status ResizableRing::Resize(Host& host, uint32_t size) {
  const PacketRing* head = head_.load(std::memory_order_acquire);
  const auto in_use = std::find_if(rings_.begin(), rings_.end(),
                                   [=](const auto& ring) { return ring.get() == head; });
  rings_.erase(rings_.begin(), in_use);
  if (rings_.size() == kMaxRings) {
    return Error(EBUSY, "the packets of the last ", kMaxRings,
                 " sizes have not left the queue; does its task run?");
  }
  std::shared_ptr<PacketRing> old = rings_.back();
  rings_.push_back(std::make_shared<PacketRing>(size));
  PacketRing* fresh = rings_.back().get();
  old->next_.store(fresh, std::memory_order_release);
  tail_.store(fresh, std::memory_order_release);
  host.Retire([old = std::move(old)] { old->sealed_.store(true, std::memory_order_release); });
  return absl::OkStatus();
}

}  // namespace bess
