// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/flow_table.h"

#include <algorithm>
#include <bit>
#include <type_traits>

namespace bess::nat {

FlowIndex::FlowIndex(uint32_t capacity)
    : slots_(std::bit_ceil(std::max(2 * size_t{capacity}, size_t{16}))),
      shift_(32 - static_cast<uint32_t>(std::countr_zero(slots_.size()))) {}

void FlowIndex::Insert(uint32_t hash, uint32_t flow) {
  size_t at = Home(hash);
  while (slots_[at] != 0) at = After(at);
  slots_[at] = uint64_t{hash} << 32 | (flow + 1);
}

void FlowIndex::Erase(uint32_t hash, uint32_t flow) {
  size_t hole = Home(hash);
  while (static_cast<uint32_t>(slots_[hole]) != flow + 1) hole = After(hole);
  // What comes behind the hole moves up, unless that would put it before its home.
  const size_t mask = slots_.size() - 1;
  for (size_t at = After(hole); slots_[at] != 0; at = After(at)) {
    const size_t home = Home(static_cast<uint32_t>(slots_[at] >> 32));
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
}

uint32_t FlowIndex::ProbeLength(uint32_t hash) const {
  uint32_t length = 1;
  for (size_t at = Home(hash); slots_[at] != 0; at = After(at)) ++length;
  return length;
}

FlowTable::FlowTable(uint32_t capacity, uint64_t seed)
    : capacity_(capacity),
      seed_(seed),
      flows_(capacity + kWheelSlots),
      by_inside_(capacity),
      by_outside_(capacity) {
  for (uint32_t i = 0; i < capacity; ++i) {
    flows_[i].next = i + 1 < capacity ? i + 1 : FlowIndex::kNone;
  }
  for (uint32_t i = capacity; i < flows_.size(); ++i) flows_[i].next = flows_[i].previous = i;
}

Flow& FlowTable::Insert(Endpoint inside, Endpoint outside, Ticks now) {
  const uint32_t number = free_;
  Flow& flow = flows_[number];
  free_ = flow.next;
  flow.fins = 0;
  Share(flow.closing, false);
  Share(flow.last_used, now);
  Share(flow.outside, outside);
  Share(flow.inside, inside);
  by_inside_.Insert(Hash(inside), number);
  by_outside_.Insert(Hash(outside), number);
  Link(number);
  ++size_;
  return flow;
}

// The inside end is the last to be stored and the first to be taken away, so if it has not changed,
// all that was read between belongs to it.
std::optional<Glimpse> FlowTable::Peek(uint32_t number) const {
  const auto read = [](const auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    return std::atomic_ref(const_cast<Field&>(field)).load(std::memory_order_acquire);
  };
  const Flow& flow = flows_[number];
  while (true) {
    const Glimpse seen{.inside = read(flow.inside),
                       .outside = read(flow.outside),
                       .last_used = read(flow.last_used),
                       .closing = read(flow.closing)};
    if (read(flow.inside) != seen.inside) continue;
    if (seen.inside == Endpoint::None()) return std::nullopt;
    return seen;
  }
}

void FlowTable::SetClosing(Flow& flow, bool closing) {
  const bool sooner = closing && !flow.closing;
  Share(flow.closing, closing);
  // Later is no reason to move: the wheel comes by, and finds that it came too early.
  if (!sooner) return;
  Unlink(flow);
  Link(static_cast<uint32_t>(&flow - flows_.data()));
}

// Skips what cannot matter: an idle time without flows, or whole turns of the wheel.
void FlowTable::CatchUp(Ticks now) {
  if (size_ == 0) position_ = now;
  if (static_cast<int32_t>(now - position_) >= static_cast<int32_t>(kWheelSlots)) {
    position_ = now - (kWheelSlots - 1);
  }
}

// Puts a flow where the wheel will come by just when it would have expired. If the wheel is so far
// behind that this is more than a turn away, then at the end of the turn.
void FlowTable::Link(uint32_t number) {
  Flow& flow = flows_[number];
  const Ticks expiry = flow.last_used + (flow.closing ? kClosingTimeout : kIdleTimeout) + 1;
  const auto ahead = static_cast<int32_t>(expiry - position_);
  const auto last = static_cast<int32_t>(kWheelSlots - 1);
  const uint32_t slot = Slot(position_ + static_cast<Ticks>(std::clamp(ahead, 0, last)));
  flow.next = flows_[slot].next;
  flow.previous = slot;
  flows_[flow.next].previous = number;
  flows_[slot].next = number;
}

void FlowTable::Unlink(const Flow& flow) {
  flows_[flow.previous].next = flow.next;
  flows_[flow.next].previous = flow.previous;
}

void FlowTable::Erase(uint32_t number) {
  Flow& flow = flows_[number];
  Unlink(flow);
  by_inside_.Erase(Hash(flow.inside), number);
  by_outside_.Erase(Hash(flow.outside), number);
  Share(flow.inside, Endpoint::None());
  flow.next = free_;
  free_ = number;
  --size_;
}

}  // namespace bess::nat
