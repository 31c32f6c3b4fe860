// SPDX-License-Identifier: Apache-2.0
//
// The switch's ends of the rings it shares with a network function. Where we stand in a ring is
// known to us alone; what the peer writes is read through one type, once, and judged as a copy.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
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

 private:
  char* start_ = nullptr;
};

inline uint64_t SlotOffset(uint32_t index, uint32_t slots) {
  return sizeof(BessNfProducerLine) + uint64_t{index & (slots - 1)} * sizeof(BessNfDescriptor);
}

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
  // There must be room for all. Copies of what stays the same are in registers: the slots could be
  // these members for all that the compiler knows.
  void Put(absl::Span<const BessNfDescriptor> descriptors) {
    const OwnMemory own = own_;
    const uint32_t slots = slots_;
    uint32_t at = head_;
    for (const BessNfDescriptor descriptor : descriptors) {
      own.Store(SlotOffset(at++, slots), std::bit_cast<uint64_t>(descriptor),
                std::memory_order_relaxed);
    }
    head_ = at;
  }
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
    if (head_ == tail_) {
      const auto head = peer_.template Load<uint32_t>(peer_part_);
      if (head - tail_ > slots_) return std::nullopt;
      head_ = head;
    }
    return head_ - tail_;
  }
  // There must be as many.
  void Take(absl::Span<BessNfDescriptor> descriptors) {
    const Peer peer = peer_;
    const uint64_t part = peer_part_;
    const uint32_t slots = slots_;
    uint32_t at = tail_;
    for (BessNfDescriptor& descriptor : descriptors) {
      descriptor = std::bit_cast<BessNfDescriptor>(
          peer.template Load<uint64_t>(part + SlotOffset(at++, slots)));
    }
    tail_ = at;
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
  OwnMemory own_;
  Peer peer_;
  uint64_t peer_part_ = 0;
  uint32_t slots_ = 0;
  uint32_t head_ = 0;  // as last seen
  uint32_t tail_ = 0;
  uint32_t sleeps_ = 0;
};

}  // namespace bess
