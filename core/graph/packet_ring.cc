// SPDX-License-Identifier: Apache-2.0
#include "core/graph/packet_ring.h"

#include <algorithm>
#include <new>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

// Rings whose packets have not all left; a client that keeps changing the size of a queue nobody
// empties gets no further.
constexpr size_t kMaxRings = 64;

constexpr std::align_val_t kAlignment{RTE_CACHE_LINE_SIZE};

rte_ring* MakeRing(uint32_t size) {
  // With an exact size the ring has one slot more than it has room, rounded up.
  const auto bytes = static_cast<size_t>(rte_ring_get_memsize(size * 2));
  auto* ring = static_cast<rte_ring*>(::operator new(bytes, kAlignment));
  rte_ring_init(ring, "queue", size, RING_F_SC_DEQ | RING_F_EXACT_SZ);
  return ring;
}

}  // namespace

void PacketRing::Free::operator()(rte_ring* ring) const { ::operator delete(ring, kAlignment); }

PacketRing::PacketRing(uint32_t size) : ring_(MakeRing(size)) {}

// The ring moves pointers as if they were numbers. That these two are functions of a file of their
// own keeps the compiler from concluding that the caller's array of Packet* is not meant.
uint32_t PacketRing::Put(Packet* const* packets, uint32_t n) {
  const void* pointers = packets;
  return rte_ring_mp_enqueue_burst(ring_.get(), static_cast<void* const*>(pointers), n, nullptr);
}

uint32_t PacketRing::Take(Packet** packets, uint32_t n) {
  void* pointers = packets;
  return rte_ring_sc_dequeue_burst(ring_.get(), static_cast<void**>(pointers), n, nullptr);
}

// rte_ring_count promises no order between this and what the caller reads next.
uint32_t PacketRing::count() const {
  return __atomic_load_n(&ring_->prod.tail, __ATOMIC_ACQUIRE) - ring_->cons.tail;
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
