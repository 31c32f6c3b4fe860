// SPDX-License-Identifier: Apache-2.0
//
// The flows of a NAT, found by their inside and by their outside end, and forgotten when they have
// been idle. All memory is taken by the constructor. A flow stays where it is as long as it lives.
//
// Expiry is a timing wheel with a slot per tick. Using a flow only notes when; the wheel looks at
// a flow when it would have expired without further use, and then either ends it or moves it on
// to where it would now. So a flow costs the wheel a visit per timeout, not one per packet.
//
// Thread: one at a time, but for Peek().
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/prefetch.h"
#include "modules/nat/endpoint.h"

namespace bess::nat {

// Time in ticks. It wraps after 34 years; only differences mean something.
using Ticks = uint32_t;
inline constexpr uint32_t kTicksPerSecond = 4;
// RFC 4787, REQ-5 recommends 300 s for UDP, RFC 5508, REQ-2 at least 60 s for ICMP queries.
inline constexpr Ticks kIdleTimeout = 300 * kTicksPerSecond;
// Of a TCP flow that was closed or reset: the least RFC 5382, REQ-5 allows.
inline constexpr Ticks kClosingTimeout = 240 * kTicksPerSecond;

// Stores what somebody may be reading in Peek. On x86 no more than a plain store.
template <typename T>
void Share(T& field, T value) {
  std::atomic_ref(field).store(value, std::memory_order_release);
}

struct Flow {
  Endpoint inside = Endpoint::None();  // None: there is no flow here
  Endpoint outside;
  Ticks last_used = 0;
  uint32_t next = 0;  // in the wheel's slot, or in the list of free flows
  uint32_t previous = 0;
  uint8_t fins = 0;      // from inside (1) and from outside (2): for the module's TCP tracking
  bool closing = false;  // SetClosing changes it

  bool Alive(Ticks now) const {
    const Ticks timeout = closing ? kClosingTimeout : kIdleTimeout;
    return static_cast<int32_t>(now - last_used) <= static_cast<int32_t>(timeout);
  }
};
static_assert(sizeof(Flow) == 32, "two flows share a cache line");

// What somebody who looks on sees of a flow.
struct Glimpse {
  Endpoint inside;
  Endpoint outside;
  Ticks last_used = 0;
  bool closing = false;
};

// An open-addressing hash table from hashes to flow numbers, at most half full. It holds 32 bits
// of the hash beside the number, so that all but one in billions of the flows it points to are
// the right one, and entries move without a look at their flows.
class FlowIndex {
 public:
  explicit FlowIndex(uint32_t capacity);

  void Prefetch(uint32_t hash) const { bess::Prefetch(&slots_[Home(hash)]); }
  // The first flow of this hash for which matches(flow) is true, or kNone.
  template <typename Matches>
  uint32_t Find(uint32_t hash, Matches matches) const;
  void Insert(uint32_t hash, uint32_t flow);
  // The flow must be there.
  void Erase(uint32_t hash, uint32_t flow);
  // How many slots a search for this hash may look at: up to the next empty one.
  uint32_t ProbeLength(uint32_t hash) const;

  static constexpr uint32_t kNone = UINT32_MAX;

 private:
  size_t Home(uint32_t hash) const { return hash >> shift_; }
  size_t After(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  std::vector<uint64_t> slots_;  // hash << 32 | flow + 1; 0 is empty
  uint32_t shift_;
};

class FlowTable {
 public:
  // Holds up to `capacity` flows, 1..kMaxFlows. The seed makes hashes hard to guess from outside.
  FlowTable(uint32_t capacity, uint64_t seed);

  uint32_t size() const { return size_; }
  bool full() const { return free_ == FlowIndex::kNone; }
  uint32_t Hash(Endpoint endpoint) const;

  void PrefetchInside(uint32_t hash) const { by_inside_.Prefetch(hash); }
  void PrefetchOutside(uint32_t hash) const { by_outside_.Prefetch(hash); }
  // Whether there are so many flows that they, too, are worth fetching ahead, once the index is.
  bool Crowded() const { return size_ > kFlowsInCache; }
  void PrefetchInsideFlow(uint32_t hash) const { PrefetchFlow(by_inside_, hash); }
  void PrefetchOutsideFlow(uint32_t hash) const { PrefetchFlow(by_outside_, hash); }
  // `hash` is Hash(endpoint). A flow is found until the wheel ends it: ask whether it is Alive.
  Flow* FindInside(Endpoint endpoint, uint32_t hash);
  Flow* FindOutside(Endpoint endpoint, uint32_t hash);
  // The table must not be full, and must not know either end.
  Flow& Insert(Endpoint inside, Endpoint outside, Ticks now);
  // Changes the timeout that the flow has from its last use on.
  void SetClosing(Flow& flow, bool closing);

  // Ends flows that are not alive any more, calling ended(Flow&) before each. Looks at no more
  // than `budget` flows; what is left over is for the next call. Empty slots of the wheel are not
  // counted: there are four a second, and never more than a turn.
  template <typename Ended>
  void Expire(Ticks now, uint32_t budget, Ended ended);

  uint32_t capacity() const { return capacity_; }
  // The flow of a number below capacity(), if it has one. Thread: any.
  std::optional<Glimpse> Peek(uint32_t number) const;

  uint32_t InsideProbeLength(uint32_t hash) const { return by_inside_.ProbeLength(hash); }

  static constexpr uint32_t kMaxFlows = 1 << 20;

 private:
  static constexpr uint32_t kWheelSlots = 2048;
  static constexpr uint32_t kFlowsInCache = 8192;  // 256 KB of them

  void PrefetchFlow(const FlowIndex& index, uint32_t hash) const {
    const uint32_t likely = index.Find(hash, [](uint32_t) { return true; });
    if (likely != FlowIndex::kNone) bess::Prefetch(&flows_[likely]);
  }

  // Each slot is a ring of flows, closed by an element of `flows_` behind the flows themselves.
  uint32_t Slot(Ticks tick) const { return capacity_ + tick % kWheelSlots; }
  void CatchUp(Ticks now);
  void Link(uint32_t number);
  void Unlink(const Flow& flow);
  void Erase(uint32_t number);

  const uint32_t capacity_;
  const uint64_t seed_;
  std::vector<Flow> flows_;
  FlowIndex by_inside_;
  FlowIndex by_outside_;
  uint32_t free_ = 0;
  uint32_t size_ = 0;
  Ticks position_ = 0;  // the slots of all ticks before this one have been dealt with
};

template <typename Matches>
uint32_t FlowIndex::Find(uint32_t hash, Matches matches) const {
  for (size_t at = Home(hash); slots_[at] != 0; at = After(at)) {
    const auto flow = static_cast<uint32_t>(slots_[at]) - 1;
    if (slots_[at] >> 32 == hash && matches(flow)) return flow;
  }
  return kNone;
}

// Two multiplications: after one alone, runs of neighbouring addresses and ports still make runs.
inline uint32_t FlowTable::Hash(Endpoint endpoint) const {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  const auto product =
      static_cast<unsigned __int128>(endpoint.key() ^ seed_) * ((seed_ << 1) ^ kOdd);
  const uint64_t folded = static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
  return static_cast<uint32_t>((folded * kOdd) >> 32);
}

inline Flow* FlowTable::FindInside(Endpoint endpoint, uint32_t hash) {
  const uint32_t found =
      by_inside_.Find(hash, [&](uint32_t flow) { return flows_[flow].inside == endpoint; });
  return found == FlowIndex::kNone ? nullptr : &flows_[found];
}

inline Flow* FlowTable::FindOutside(Endpoint endpoint, uint32_t hash) {
  const uint32_t found =
      by_outside_.Find(hash, [&](uint32_t flow) { return flows_[flow].outside == endpoint; });
  return found == FlowIndex::kNone ? nullptr : &flows_[found];
}

template <typename Ended>
void FlowTable::Expire(Ticks now, uint32_t budget, Ended ended) {
  CatchUp(now);
  while (static_cast<int32_t>(now - position_) >= 0) {
    const uint32_t number = flows_[Slot(position_)].next;
    if (number >= capacity_) {
      ++position_;
      continue;
    }
    if (budget-- == 0) return;
    if (flows_[number].Alive(now)) {
      Unlink(flows_[number]);
      Link(number);
    } else {
      ended(flows_[number]);
      Erase(number);
    }
  }
}

}  // namespace bess::nat
