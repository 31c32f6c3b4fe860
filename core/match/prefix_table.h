// SPDX-License-Identifier: Apache-2.0
//
// Longest-prefix match: prefix -> value, for one writer and any number of readers that never wait.
//
//   BESS_ASSIGN_OR_RETURN(auto routes, PrefixTable<4>::Create(128));
//   routes->Add({.address = {10, 0, 0, 0}, .length = 8}, 7);
//   routes->Find({addresses, n}, values);
//
// A prefix is kept in the first of these arrays that sees all of its bits: one indexed by the
// address's first 12 bits, one by its first 24, and groups of slots indexed by each byte from then
// on, which exist where there are longer prefixes. A slot holds the longest prefix of its own array
// there and the group that goes on from there, so a change writes to one array: at most 4,096
// slots, whatever else is in the table. Readers take the deepest slot that has a value.
//
// An address's result comes from several slots, but a change alters only one of those. So a reader
// has seen the table before or after a change unless a second change began meanwhile: the writer
// counts changes, and a reader whose count has moved looks again. The same count makes it safe to
// use a group again at once for another prefix, since no memory is ever given back.
//
// IPv6 groups have 256 slots of 8 bytes. Those of IPv4 are smaller, so that more of them fit in a
// cache: they lead to no others, so 4 bytes a slot are enough, and they have no more slots than
// their longest prefix needs: 16 up to 28 bits, which is a cache line, then 32, 64, 128 and 256.
// Before a group gets a prefix too long for it, a larger one with the same values takes its place;
// that is a change of its own. A group stays large until all its prefixes are gone.
//
// Address space is reserved for the largest table; memory is taken where slots are written.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/parse.h"
#include "core/base/zeroed_array.h"

namespace bess {

// kBytes is the length of an address: 4 for IPv4, 16 for IPv6.
template <size_t kBytes>
class PrefixTable {
 public:
  using Address = std::array<uint8_t, kBytes>;  // as it lies in a packet

  struct Prefix {
    Address address{};    // no bits set behind `length`
    uint32_t length = 0;  // bits, 0..8 * kBytes

    bool operator==(const Prefix&) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const Prefix& prefix) {
      return H::combine(std::move(state), prefix.address, prefix.length);
    }
  };

  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kMaxValue = (1 << 24) - 2;
  // Groups a single prefix can need.
  static constexpr uint32_t kGroupsOfOne = kBytes - 3;
  // IPv4 has no more different first 24 bits than that.
  static constexpr uint32_t kMaxGroups = kBytes == 4 ? 1 << 24 : UINT32_MAX - 1;

  // With room for `groups` groups of prefixes longer than 24 bits, whatever their sizes. ENOMEM
  // when there is no address space for it: 128 MiB, and 2 KiB each.
  static absl::StatusOr<std::unique_ptr<PrefixTable>> Create(uint32_t groups);

  // Thread: any. Writes each address's value, or kNone.
  void Find(absl::Span<const Address> addresses, uint32_t* values) const;

  // Thread: the writer, as all below. Adds a prefix or gives it another value; false when there
  // are no groups left for it, and nothing has changed.
  bool Add(const Prefix& prefix, uint32_t value);
  // False when it is not there.
  bool Delete(const Prefix& prefix);

  // The value of exactly this prefix.
  std::optional<uint32_t> Get(const Prefix& prefix) const;
  // Of all prefixes, in no order.
  const absl::flat_hash_map<Prefix, uint32_t>& values() const { return values_; }
  size_t size() const { return values_.size(); }
  uint32_t groups_used() const { return groups_used_; }

 private:
  // The group that goes on from here (32 bits, 0 if none), a prefix's length (8), its value + 1
  // (24, 0 if there is none here).
  using Slot = std::atomic<uint64_t>;
  // IPv4: the lower half of it.
  using GroupSlot = std::conditional_t<kBytes == 4, std::atomic<uint32_t>, Slot>;
  static constexpr size_t kChunk = 64;
  static constexpr uint32_t kGroupSlots = 256;  // of the largest
  // A group is named by its first slot, in units of the smallest group, and (IPv4, the last 3 bits)
  // by how far a byte is shifted right to index it.
  static constexpr uint32_t kMaxShift = kBytes == 4 ? 4 : 0;
  static constexpr uint32_t kShiftBits = kBytes == 4 ? 3 : 0;
  static constexpr uint32_t kUnitSlots = kGroupSlots >> kMaxShift;
  // For a group of each size, since each may be the size of all groups at some time.
  static constexpr size_t kReservedBytes = 2048;

  PrefixTable(ZeroedArray<Slot> root, ZeroedArray<GroupSlot> groups, uint32_t max_groups)
      : root_(std::move(root)), group_slots_(std::move(groups)), max_groups_(max_groups) {}

  static uint32_t LastBit(uint32_t length);
  static uint32_t FirstLength(uint32_t length);
  static Prefix Shortened(const Prefix& prefix, uint32_t length);

  static uint32_t ShiftFor(uint32_t length) {
    return std::min(kMaxShift, LastBit(length) - length);
  }
  static uint32_t ShiftOf(uint32_t group) { return group & ((1u << kShiftBits) - 1); }
  static uint32_t UnitOf(uint32_t group) { return group >> kShiftBits; }
  static size_t IndexIn(uint32_t group, uint32_t byte) {
    return size_t{UnitOf(group)} * kUnitSlots + (byte >> ShiftOf(group));
  }
  GroupSlot& SlotIn(uint32_t group, uint32_t byte) const {
    return group_slots_[IndexIn(group, byte)];
  }
  Slot& Link(uint32_t owner, const Prefix& prefix, size_t byte) const;
  void FindChunk(const Address* addresses, size_t n, uint32_t* values) const;
  void LoadFromGroups(const Address* addresses, size_t n, size_t byte, uint64_t* slots) const;
  absl::Span<Slot> ShortSlots(const Prefix& prefix);
  absl::Span<GroupSlot> SlotsIn(uint32_t group, const Prefix& prefix) const;
  template <typename AnySlot>
  static void Paint(absl::Span<AnySlot> slots, uint32_t leaf);
  template <typename AnySlot>
  void Unpaint(absl::Span<AnySlot> slots, const Prefix& prefix);
  uint32_t Cover(const Prefix& prefix) const;
  bool AddLong(const Prefix& prefix, uint32_t leaf, bool is_new);
  void DeleteLong(const Prefix& prefix);
  uint32_t NewChain(const Prefix& prefix, size_t byte, uint32_t leaf);
  uint32_t Enlarge(Slot& link, uint32_t shift);
  uint32_t TakeGroup(uint32_t shift);
  void GiveBack(uint32_t group);
  void CountChange() {
    changes_.store(changes_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  std::array<Slot, 1 << 12> coarse_{};
  ZeroedArray<Slot> root_;
  ZeroedArray<GroupSlot> group_slots_;  // those of group 0 stay empty: what "none" goes on with
  std::atomic<uint64_t> changes_{0};

  // The writer's.
  absl::flat_hash_map<Prefix, uint32_t> values_;
  std::array<uint32_t, 8 * kBytes + 1> of_length_{};  // how many prefixes have this length
  // By the unit where a group begins: prefixes and groups in it. As long as there are units.
  std::vector<uint32_t> used_ = std::vector<uint32_t>(kGroupSlots / kUnitSlots);
  std::array<std::vector<uint32_t>, kMaxShift + 1> free_;  // by shift
  uint32_t groups_used_ = 0;
  uint32_t max_groups_;
};

extern template class PrefixTable<4>;
extern template class PrefixTable<16>;

inline PrefixTable<4>::Prefix ToBytes(const Ipv4Prefix& prefix) {
  PrefixTable<4>::Prefix bytes{.length = prefix.length};
  for (size_t i = 0; i < 4; ++i) {
    bytes.address[i] = static_cast<uint8_t>(prefix.address >> (24 - 8 * i));
  }
  return bytes;
}
inline PrefixTable<16>::Prefix ToBytes(const Ipv6Prefix& prefix) {
  return {.address = prefix.address, .length = prefix.length};
}

}  // namespace bess
