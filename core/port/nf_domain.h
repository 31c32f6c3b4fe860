// SPDX-License-Identifier: Apache-2.0
//
// A trust domain: a shareable pool, and the book of who has which of its buffers. A buffer belongs
// to the switch or to one attachment of a network function; what an attachment does not own it can
// neither send nor give back, so no buffer comes back twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/packet/packet_pool.h"

namespace bess {

// Who has which buffer, to be copied by who works on many packets: the compiler then knows that no
// store to one of them changes it. Threads: any, for buffers that the caller has the right to.
class NfBook {
 public:
  // Whether the packet is alone in one buffer of this domain, which nobody else refers to.
  bool Has(Packet& packet) const { return packet.mbuf()->pool == pool_ && packet.alone(); }
  // The number of such a packet's buffer.
  uint32_t BufferOf(Packet& packet) const {
    const auto offset =
        static_cast<uint64_t>(static_cast<uint8_t*>(packet.mbuf()->buf_addr) - start_);
    return static_cast<uint32_t>((offset / RTE_CACHE_LINE_SIZE * reciprocal_) >> kReciprocalBits);
  }
  // `buffer` must be one of the domain's, here and below.
  Packet* PacketOf(uint32_t buffer) const { return packets_[buffer]; }

  // From the switch to `owner`.
  void Lend(uint32_t buffer, uint32_t owner) const {
    owners_[buffer].store(owner, std::memory_order_relaxed);
  }
  // From `owner` back to the switch; false when it is not the owner's. With `contended`, several
  // threads may try it for the same owner at the same time, and one succeeds.
  bool TakeBack(uint32_t buffer, uint32_t owner, bool contended) const {
    std::atomic<uint32_t>& mark = owners_[buffer];
    if (contended) return mark.compare_exchange_strong(owner, 0, std::memory_order_relaxed);
    if (mark.load(std::memory_order_relaxed) != owner) return false;
    mark.store(0, std::memory_order_relaxed);
    return true;
  }

 private:
  friend class NfDomain;
  // n / d = n * ceil(2^k / d) / 2^k, exact for the 2^28 lines that a pool has at the most.
  static constexpr uint32_t kReciprocalBits = 40;

  const rte_mempool* pool_ = nullptr;
  const uint8_t* start_ = nullptr;  // of buffer 0
  uint64_t reciprocal_ = 0;         // of the lines in a stride
  Packet* const* packets_ = nullptr;
  std::atomic<uint32_t>* owners_ = nullptr;
};

class NfDomain {
 public:
  // `pool` must be shareable and outlive the domain.
  explicit NfDomain(PacketPool& pool);
  NfDomain(const NfDomain&) = delete;
  NfDomain& operator=(const NfDomain&) = delete;

  PacketPool& pool() { return pool_; }
  const NfBook& book() const { return book_; }
  uint32_t buffers() const { return static_cast<uint32_t>(packets_.size()); }
  uint32_t stride() const { return pool_.stride(); }

  // Numbers attachments; never 0, which is the switch. Thread: any.
  static uint32_t NewOwner();

  // Frees all that `owner` still has, and says how many that were. Nobody else may act for it.
  uint32_t Reclaim(uint32_t owner);

 private:
  PacketPool& pool_;
  std::vector<Packet*> packets_;
  std::unique_ptr<std::atomic<uint32_t>[]> owners_;
  NfBook book_;
};

}  // namespace bess
