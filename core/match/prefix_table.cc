// SPDX-License-Identifier: Apache-2.0
#include "core/match/prefix_table.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace bess {
namespace {

constexpr uint32_t kCoarseBits = 12;
constexpr uint32_t kRootBits = 24;
constexpr size_t kRootBytes = kRootBits / 8;
constexpr uint32_t kLengthShift = 24;
constexpr uint32_t kValueMask = (1u << kLengthShift) - 1;

uint32_t LeafOf(uint64_t slot) { return static_cast<uint32_t>(slot); }
uint32_t GroupOf(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }
uint64_t MakeSlot(uint32_t group, uint32_t leaf) { return uint64_t{group} << 32 | leaf; }

// Keeps the group that goes on from there.
template <typename AnySlot>
void ReplaceLeaf(AnySlot& slot, uint32_t leaf) {
  const uint64_t word = MakeSlot(GroupOf(slot.load(std::memory_order_relaxed)), leaf);
  slot.store(static_cast<typename AnySlot::value_type>(word), std::memory_order_release);
}
template <typename Slot>
void ReplaceGroup(Slot& slot, uint32_t group) {
  slot.store(MakeSlot(group, LeafOf(slot.load(std::memory_order_relaxed))),
             std::memory_order_release);
}

uint32_t LengthOf(uint32_t leaf) { return leaf >> kLengthShift; }

// What some slots and the values so far have in common.
struct Seen {
  uint64_t any = 0;             // the bits set in any slot
  uint32_t least = UINT32_MAX;  // of the values, 0 where there is none
};

// Deeper slots have longer prefixes, and a longer prefix makes a larger leaf. With a bool for what
// `least` says GCC would not take vector instructions.
Seen TakeLeaves(const uint64_t* slots, size_t n, uint32_t* values) {
  Seen seen;
  for (size_t i = 0; i < n; ++i) {
    values[i] = std::max(values[i], LeafOf(slots[i]));
    seen.any |= slots[i];
    seen.least = std::min(seen.least, values[i]);
  }
  return seen;
}

template <size_t kBytes>
uint32_t FirstBits(const std::array<uint8_t, kBytes>& address, uint32_t bits) {
  return LoadUnaligned<Be32>(address.data()).value() >> (32 - bits);
}

}  // namespace

template <size_t kBytes>
absl::StatusOr<std::unique_ptr<PrefixTable<kBytes>>> PrefixTable<kBytes>::Create(uint32_t groups) {
  BESS_ASSIGN_OR_RETURN(auto root, ZeroedArray<Slot>::Create(size_t{1} << kRootBits));
  BESS_ASSIGN_OR_RETURN(auto slots, ZeroedArray<GroupSlot>::Create(
                                        (size_t{groups} + 1) * kReservedBytes / sizeof(GroupSlot)));
  return std::unique_ptr<PrefixTable>(new PrefixTable(std::move(root), std::move(slots), groups));
}

// --- Readers ------------------------------------------------------------------------------------

// One array after the other for all addresses, so that what is not in the cache is fetched at the
// same time for all of them; loops without such loads become vector instructions.
template <size_t kBytes>
void PrefixTable<kBytes>::FindChunk(const Address* addresses, size_t n, uint32_t* values) const {
  uint64_t slots[kChunk];
  const Slot* root = &root_[0];  // the compiler would read it again after each acquire
  for (size_t i = 0; i < n; ++i) {
    slots[i] = root[FirstBits(addresses[i], kRootBits)].load(std::memory_order_acquire);
  }
  std::fill_n(values, n, 0);
  Seen seen = TakeLeaves(slots, n, values);
  for (size_t byte = kRootBytes; GroupOf(seen.any) != 0 && byte < kBytes; ++byte) {
    LoadFromGroups(addresses, n, byte, slots);
    seen = TakeLeaves(slots, n, values);
  }
  for (size_t i = 0; seen.least == 0 && i < n; ++i) {
    const uint64_t coarse =
        coarse_[FirstBits(addresses[i], kCoarseBits)].load(std::memory_order_acquire);
    values[i] = std::max(values[i], LeafOf(coarse));
  }
  for (size_t i = 0; i < n; ++i) values[i] = (values[i] & kValueMask) - 1;  // 0 becomes kNone
}

// Goes on from each slot to the one of its group that `byte` says. Four bytes are read for one, as
// vectors can.
template <size_t kBytes>
void PrefixTable<kBytes>::LoadFromGroups(const Address* addresses, size_t n, size_t byte,
                                         uint64_t* slots) const {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t value = LoadUnaligned<Be32>(&addresses[i][byte - 3]).value() & 0xff;
    slots[i] = IndexIn(GroupOf(slots[i]), value);
  }
  const GroupSlot* group_slots = &group_slots_[0];
  for (size_t i = 0; i < n; ++i) slots[i] = group_slots[slots[i]].load(std::memory_order_acquire);
}

template <size_t kBytes>
void PrefixTable<kBytes>::Find(absl::Span<const Address> addresses, uint32_t* values) const {
  for (size_t at = 0; at < addresses.size(); at += kChunk) {
    const size_t n = std::min(kChunk, addresses.size() - at);
    const uint64_t before = changes_.load(std::memory_order_acquire);
    FindChunk(&addresses[at], n, &values[at]);
    if (changes_.load(std::memory_order_acquire) == before) [[likely]]
      continue;
    // One at a time is quicker than the writer. Only its progress makes a reader look again.
    for (size_t i = at; i < at + n; ++i) {
      uint64_t count = changes_.load(std::memory_order_acquire);
      for (;;) {
        FindChunk(&addresses[i], 1, &values[i]);
        const uint64_t now = changes_.load(std::memory_order_acquire);
        if (now == count) break;
        count = now;
      }
    }
  }
}

// --- The writer ---------------------------------------------------------------------------------

// The array that keeps prefixes of `length` is indexed by the bits up to this one.
template <size_t kBytes>
uint32_t PrefixTable<kBytes>::LastBit(uint32_t length) {
  if (length <= kCoarseBits) return kCoarseBits;
  return length <= kRootBits ? kRootBits : (length + 7) / 8 * 8;
}

// The shortest prefixes that are kept in the same array.
template <size_t kBytes>
uint32_t PrefixTable<kBytes>::FirstLength(uint32_t length) {
  if (length <= kCoarseBits) return 0;
  return length <= kRootBits ? kCoarseBits + 1 : LastBit(length) - 7;
}

template <size_t kBytes>
auto PrefixTable<kBytes>::Shortened(const Prefix& prefix, uint32_t length) -> Prefix {
  Prefix shorter{.length = length};
  std::copy_n(prefix.address.begin(), (length + 7) / 8, shorter.address.begin());
  if (length % 8 != 0) shorter.address[length / 8] &= static_cast<uint8_t>(0xff00u >> (length % 8));
  return shorter;
}

// Of a prefix that needs no group.
template <size_t kBytes>
auto PrefixTable<kBytes>::ShortSlots(const Prefix& prefix) -> absl::Span<Slot> {
  const uint32_t last_bit = LastBit(prefix.length);
  Slot* array = last_bit == kCoarseBits ? coarse_.data() : &root_[0];
  return {array + FirstBits(prefix.address, last_bit), size_t{1} << (last_bit - prefix.length)};
}

// Of a prefix in the group that keeps it.
template <size_t kBytes>
auto PrefixTable<kBytes>::SlotsIn(uint32_t group, const Prefix& prefix) const
    -> absl::Span<GroupSlot> {
  const uint32_t last_bit = LastBit(prefix.length);
  return {&SlotIn(group, prefix.address[last_bit / 8 - 1]),
          size_t{1} << (last_bit - ShiftOf(group) - prefix.length)};
}

// The slot that leads to the group indexed by `byte`: in the root, or in the group before that.
template <size_t kBytes>
auto PrefixTable<kBytes>::Link(uint32_t owner, const Prefix& prefix, size_t byte) const -> Slot& {
  if constexpr (kBytes > kRootBytes + 1) {
    if (byte > kRootBytes) return SlotIn(owner, prefix.address[byte - 1]);
  }
  return root_[FirstBits(prefix.address, kRootBits)];
}

// Writes `leaf` where no longer prefix is.
template <size_t kBytes>
template <typename AnySlot>
void PrefixTable<kBytes>::Paint(absl::Span<AnySlot> slots, uint32_t leaf) {
  for (AnySlot& slot : slots) {
    const uint64_t old = slot.load(std::memory_order_relaxed);
    if (LengthOf(LeafOf(old)) <= LengthOf(leaf)) ReplaceLeaf(slot, leaf);
  }
}

// Writes the next shorter prefix of the same array where `prefix` was.
template <size_t kBytes>
template <typename AnySlot>
void PrefixTable<kBytes>::Unpaint(absl::Span<AnySlot> slots, const Prefix& prefix) {
  const uint32_t cover = Cover(prefix);
  for (AnySlot& slot : slots) {
    const uint64_t old = slot.load(std::memory_order_relaxed);
    if (LengthOf(LeafOf(old)) == prefix.length) ReplaceLeaf(slot, cover);
  }
}

template <size_t kBytes>
uint32_t PrefixTable<kBytes>::Cover(const Prefix& prefix) const {
  for (uint32_t length = prefix.length; length-- > FirstLength(prefix.length);) {
    if (of_length_[length] == 0) continue;
    const auto it = values_.find(Shortened(prefix, length));
    if (it != values_.end()) return length << kLengthShift | (it->second + 1);
  }
  return 0;
}

template <size_t kBytes>
uint32_t PrefixTable<kBytes>::TakeGroup(uint32_t shift) {
  ++groups_used_;
  if (!free_[shift].empty()) {
    const uint32_t group = free_[shift].back();
    free_[shift].pop_back();
    return group;
  }
  const auto unit = static_cast<uint32_t>(used_.size());
  used_.resize(unit + (kGroupSlots >> shift) / kUnitSlots);
  return unit << kShiftBits | shift;
}

// Its slots are empty.
template <size_t kBytes>
void PrefixTable<kBytes>::GiveBack(uint32_t group) {
  --groups_used_;
  free_[ShiftOf(group)].push_back(group);
}

// Puts a larger group in the place of the one behind `link`. That is emptied once the change is
// counted: a reader that is still in it, and sees so, looks again.
template <size_t kBytes>
uint32_t PrefixTable<kBytes>::Enlarge(Slot& link, uint32_t shift) {
  const uint32_t small = GroupOf(link.load(std::memory_order_relaxed));
  const uint32_t large = TakeGroup(shift);
  used_[UnitOf(large)] = used_[UnitOf(small)];
  for (uint32_t byte = 0; byte < kGroupSlots; byte += 1 << shift) {
    const auto slot = SlotIn(small, byte).load(std::memory_order_relaxed);
    SlotIn(large, byte).store(slot, std::memory_order_release);
  }
  ReplaceGroup(link, large);
  CountChange();
  for (uint32_t byte = 0; byte < kGroupSlots; byte += 1 << ShiftOf(small)) {
    SlotIn(small, byte).store(0, std::memory_order_release);
  }
  GiveBack(small);
  return large;
}

// New groups from the one indexed by `byte` down to the one that keeps the prefix.
template <size_t kBytes>
uint32_t PrefixTable<kBytes>::NewChain(const Prefix& prefix, size_t byte, uint32_t leaf) {
  const size_t last = LastBit(prefix.length) / 8 - 1;
  uint32_t group = TakeGroup(ShiftFor(prefix.length));
  Paint(SlotsIn(group, prefix), leaf);
  used_[UnitOf(group)] = 1;
  for (size_t above = last; above-- > byte;) {
    const uint32_t parent = TakeGroup(0);
    ReplaceGroup(Link(parent, prefix, above + 1), group);
    used_[UnitOf(parent)] = 1;
    group = parent;
  }
  return group;
}

template <size_t kBytes>
bool PrefixTable<kBytes>::AddLong(const Prefix& prefix, uint32_t leaf, bool is_new) {
  const size_t last = LastBit(prefix.length) / 8 - 1;
  uint32_t owner = 0;  // the last group there is, if any
  size_t byte = kRootBytes;
  for (; byte <= last; ++byte) {
    const uint32_t group = GroupOf(Link(owner, prefix, byte).load(std::memory_order_relaxed));
    if (group == 0) break;
    owner = group;
  }
  if (byte > last) {
    const uint32_t shift = ShiftFor(prefix.length);
    if (ShiftOf(owner) > shift) owner = Enlarge(Link(0, prefix, last), shift);
    Paint(SlotsIn(owner, prefix), leaf);
    used_[UnitOf(owner)] += is_new ? 1 : 0;
    return true;
  }
  if (last - byte >= max_groups_ - groups_used()) return false;
  ReplaceGroup(Link(owner, prefix, byte), NewChain(prefix, byte, leaf));
  ++used_[UnitOf(owner)];
  return true;
}

template <size_t kBytes>
void PrefixTable<kBytes>::DeleteLong(const Prefix& prefix) {
  const size_t last = LastBit(prefix.length) / 8 - 1;
  uint32_t groups[kBytes] = {};  // by the byte that indexes it
  for (size_t byte = kRootBytes; byte <= last; ++byte) {
    groups[byte] = GroupOf(Link(groups[byte - 1], prefix, byte).load(std::memory_order_relaxed));
  }
  Unpaint(SlotsIn(groups[last], prefix), prefix);
  for (size_t byte = last; byte >= kRootBytes && --used_[UnitOf(groups[byte])] == 0; --byte) {
    ReplaceGroup(Link(groups[byte - 1], prefix, byte), 0);
    GiveBack(groups[byte]);
  }
}

template <size_t kBytes>
bool PrefixTable<kBytes>::Add(const Prefix& prefix, uint32_t value) {
  const bool is_new = !values_.contains(prefix);
  const uint32_t leaf = prefix.length << kLengthShift | (value + 1);
  if (prefix.length > kRootBits) {
    if (!AddLong(prefix, leaf, is_new)) return false;
  } else {
    Paint(ShortSlots(prefix), leaf);
  }
  values_[prefix] = value;
  of_length_[prefix.length] += is_new ? 1 : 0;
  CountChange();
  return true;
}

template <size_t kBytes>
bool PrefixTable<kBytes>::Delete(const Prefix& prefix) {
  if (values_.erase(prefix) == 0) return false;
  --of_length_[prefix.length];
  if (prefix.length > kRootBits) {
    DeleteLong(prefix);
  } else {
    Unpaint(ShortSlots(prefix), prefix);
  }
  CountChange();
  return true;
}

template <size_t kBytes>
std::optional<uint32_t> PrefixTable<kBytes>::Get(const Prefix& prefix) const {
  const auto it = values_.find(prefix);
  return it == values_.end() ? std::nullopt : std::optional(it->second);
}

template class PrefixTable<4>;
template class PrefixTable<16>;

}  // namespace bess
