// SPDX-License-Identifier: Apache-2.0
//
// The switch's ends of the rings it shares with a network function. Where we stand in a ring is
// known to us alone; what the peer writes is read through one type, once, and judged as a copy.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "absl/types/span.h"
#include "core/base/prefetch.h"
#include "nf/wire.h"

namespace bess {

// All memory that a peer may write, and the only way to read it: one load of a whole word. Who
// wants to look at a value again has only the copy. Tests put in its place a type that counts.
class PeerMemory {
 public:
  PeerMemory() = default;
  explicit PeerMemory(void* start) : start_(static_cast<char*>(start)) {}

  // T is uint32_t or uint64_t, at a multiple of its size. Sequentially consistent, as going to
  // sleep needs it.
  template <typename T>
  T Load(uint64_t offset) const {
    return std::atomic_ref(*static_cast<T*>(At(offset))).load(std::memory_order_seq_cst);
  }
  void Fetch(uint64_t offset) const { Prefetch(At(offset)); }
  // Descriptors that lie one after another, each byte once: behind the fence the compiler cannot
  // take the peer's memory for what was copied.
  void Copy(uint64_t offset, absl::Span<BessNfDescriptor> to) const {
    std::memcpy(to.data(), At(offset), to.size() * sizeof(to[0]));
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

 private:
  void* At(uint64_t offset) const { return start_ + offset; }

  char* start_ = nullptr;
};

// Our own part of the memory: written, never read.
class OwnMemory {
 public:
  OwnMemory() = default;
  OwnMemory(void* start, uint64_t offset) : start_(static_cast<char*>(start) + offset) {}

  template <typename T>
  void Store(uint64_t offset, T value, std::memory_order order) const {
    void* at = start_ + offset;
    std::atomic_ref(*static_cast<T*>(at)).store(value, order);
  }
  OwnMemory Behind(uint64_t offset) const { return OwnMemory(start_, offset); }

 private:
  char* start_ = nullptr;
};

inline uint64_t SlotOffset(uint32_t index, uint32_t slots) {
  return sizeof(BessNfProducerLine) + uint64_t{index & (slots - 1)} * sizeof(BessNfDescriptor);
}

// How many of `n` slots from `index` on lie one after another; the others begin at the first slot.
inline size_t SlotsInRow(uint32_t index, uint32_t slots, size_t n) {
  return std::min<size_t>(n, slots - (index & (slots - 1)));
}

inline constexpr uint32_t kSlotsInLine = 64 / sizeof(BessNfDescriptor);
inline constexpr uint32_t kFetchedAhead = 64;  // slots: a burst

// A ring that we fill: to-NF and fresh rings. Thread: one at a time.
template <typename Peer>
class NfProducer {
 public:
  NfProducer() = default;
  // `peer_part` is where the consumer's part lies in the peer's memory.
  NfProducer(OwnMemory own, Peer peer, uint64_t peer_part, uint32_t slots, uint32_t start = 0)
      : own_(own), peer_(peer), peer_part_(peer_part), slots_(slots), head_(start), tail_(start) {}

  // Free slots, looked up anew only when fewer than `wanted` are known to be free; nothing when the
  // peer claims to have taken what was never there.
  std::optional<uint32_t> Room(uint32_t wanted) {
    if (slots_ - (head_ - tail_) < wanted) {
      const auto tail =
          peer_.template Load<uint32_t>(peer_part_ + offsetof(BessNfConsumerPart, tail));
      // It moves on from where it was, and not past us.
      if (tail - tail_ > head_ - tail_) return std::nullopt;
      tail_ = tail;
    }
    return slots_ - (head_ - tail_);
  }
  // The slots behind what was put, numbered from 0: for who fills many, in registers. The slots
  // themselves could be members of the ring for all that the compiler knows.
  class Slots {
   public:
    void Put(uint32_t i, BessNfDescriptor descriptor) const {
      const uint64_t offset = uint64_t{(begin_ + i) & mask_} * sizeof(descriptor);
      first_.Store(offset, std::bit_cast<uint64_t>(descriptor), std::memory_order_relaxed);
    }

   private:
    friend class NfProducer;
    OwnMemory first_;
    uint32_t mask_ = 0;
    uint32_t begin_ = 0;
  };
  Slots slots() const {
    Slots slots;
    slots.first_ = own_.Behind(sizeof(BessNfProducerLine));
    slots.mask_ = slots_ - 1;
    slots.begin_ = head_;
    return slots;
  }
  // The first `n` of them are filled; there must have been room.
  void Put(uint32_t n) { head_ += n; }
  // Shows the peer what was put. Sequentially consistent, so that either we see that the peer went
  // to sleep, or it sees the packets before it does.
  void Publish() { own_.Store(0, head_, std::memory_order_seq_cst); }

  // Whether the peer went to sleep since it was asked last. Each of its sleeps is reported once.
  bool WentToSleep() {
    const auto sleeps =
        peer_.template Load<uint32_t>(peer_part_ + offsetof(BessNfConsumerPart, sleeps));
    const bool slept = sleeps != sleeps_;
    sleeps_ = sleeps;
    return slept;
  }

 private:
  OwnMemory own_;
  Peer peer_;
  uint64_t peer_part_ = 0;
  uint32_t slots_ = 0;
  uint32_t head_ = 0;
  uint32_t tail_ = 0;  // as last seen
  uint32_t sleeps_ = 0;
};

// A ring that the peer fills: from-NF rings. Thread: one at a time.
template <typename Peer>
class NfConsumer {
 public:
  NfConsumer() = default;
  // `peer_part` is where the producer's part lies in the peer's memory.
  NfConsumer(OwnMemory own, Peer peer, uint64_t peer_part, uint32_t slots, uint32_t start = 0)
      : own_(own), peer_(peer), peer_part_(peer_part), slots_(slots), head_(start), tail_(start) {}

  // Descriptors that wait; nothing when the peer claims more than the ring holds.
  std::optional<uint32_t> Available() {
    if (head_ == tail_ && !Look()) return std::nullopt;
    return head_ - tail_;
  }
  // There must be as many. The next burst, or news of it, is under way while this one is worked on.
  void Take(absl::Span<BessNfDescriptor> descriptors) {
    const size_t row = SlotsInRow(tail_, slots_, descriptors.size());
    peer_.Copy(peer_part_ + SlotOffset(tail_, slots_), descriptors.first(row));
    peer_.Copy(peer_part_ + SlotOffset(0, slots_), descriptors.subspan(row));
    tail_ += static_cast<uint32_t>(descriptors.size());
    if (head_ - tail_ < kFetchedAhead) Look();
    const uint32_t ahead = std::min(head_ - tail_, kFetchedAhead);
    for (uint32_t i = 0; i < ahead; i += kSlotsInLine) {
      peer_.Fetch(peer_part_ + SlotOffset(tail_ + i, slots_));
    }
  }
  // Of the next slot to take.
  uint32_t tail() const { return tail_; }
  // Gives the slots taken back to the peer.
  void Release() {
    own_.Store(offsetof(BessNfConsumerPart, tail), tail_, std::memory_order_release);
  }

  // Asks the peer to ring for what it puts from here on. False when something has come before.
  bool GoToSleep() {
    own_.Store(offsetof(BessNfConsumerPart, sleeps), ++sleeps_, std::memory_order_seq_cst);
    return peer_.template Load<uint32_t>(peer_part_) == tail_;
  }

 private:
  // False, and nothing changes, when the peer claims more than the ring holds.
  bool Look() {
    const auto head = peer_.template Load<uint32_t>(peer_part_);
    if (head - tail_ > slots_) return false;
    head_ = head;
    return true;
  }

  OwnMemory own_;
  Peer peer_;
  uint64_t peer_part_ = 0;
  uint32_t slots_ = 0;
  uint32_t head_ = 0;  // as last seen
  uint32_t tail_ = 0;
  uint32_t sleeps_ = 0;
};

}  // namespace bess
