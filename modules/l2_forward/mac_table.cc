// SPDX-License-Identifier: Apache-2.0
#include "modules/l2_forward/mac_table.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "core/base/prefetch.h"

namespace bess {
namespace {

// Spreads all bits of the key over all bits of the result, halves independent of each other:
// addresses in a row differ in bits 40 to 47 only.
uint64_t Hash(uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccd;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53;
  return key ^ (key >> 33);
}

uint32_t GateOf(uint64_t entry) { return static_cast<uint32_t>(entry >> 48) & 0x7fff; }

}  // namespace

class MacTable::Plan {
 public:
  explicit Plan(MacTable& table) : table_(table) {}

  // False, and nothing planned, when there is no room.
  bool Insert(Key key, uint32_t gate) {
    if (!Search(key)) return false;
    uint64_t free = found_;
    for (uint64_t from = came_from_.at(free); from != kStart; from = came_from_.at(free)) {
      Put(free, Get(from));
      free = from;
    }
    Put(free, key | uint64_t{gate} << 48 | kUsed);
    return true;
  }

  void CarryOut() const {
    for (const auto& [slot, entry] : writes_) table_.Write(slot, entry);
  }

 private:
  static constexpr uint64_t kStart = UINT64_MAX;

  uint64_t Get(uint64_t slot) const {
    const auto it = planned_.find(slot);
    return it != planned_.end() ? it->second : table_.Slot(slot).load(std::memory_order_relaxed);
  }
  void Put(uint64_t slot, uint64_t entry) {
    planned_[slot] = entry;
    writes_.emplace_back(slot, entry);
  }

  // Breadth first from the key's buckets, along the other bucket of each entry met, to a free
  // slot: found_, with the way there in came_from_.
  bool Search(Key key) {
    came_from_.clear();
    queue_.clear();
    const Buckets start = table_.BucketsOf(key);
    if (Visit(start.first, kStart) || Visit(start.second, kStart)) return true;
    for (size_t i = 0; i < queue_.size(); ++i) {
      const uint64_t slot = queue_[i];
      const Buckets buckets = table_.BucketsOf(Get(slot) & kKeyBits);
      const bool in_first = slot >> table_.way_bits_ == buckets.first;
      if (Visit(in_first ? buckets.second : buckets.first, slot)) return true;
    }
    return false;
  }

  bool Visit(uint32_t bucket, uint64_t from) {
    const uint64_t first = uint64_t{bucket} << table_.way_bits_;
    for (uint64_t slot = first; slot < first + (uint64_t{1} << table_.way_bits_); ++slot) {
      if (!came_from_.emplace(slot, from).second) continue;
      if (Get(slot) == 0) {
        found_ = slot;
        return true;
      }
      queue_.push_back(slot);
    }
    return false;
  }

  MacTable& table_;
  std::vector<std::pair<uint64_t, uint64_t>> writes_;  // in order
  absl::flat_hash_map<uint64_t, uint64_t> planned_;    // slot -> its last planned entry
  absl::flat_hash_map<uint64_t, uint64_t> came_from_;
  std::vector<uint64_t> queue_;
  uint64_t found_ = 0;
};

MacTable::Key MacTable::ToKey(const MacAddress& mac) {
  Key key = 0;
  std::memcpy(&key, mac.data(), mac.size());
  return key;
}

MacTable::MacTable(uint32_t buckets, uint32_t ways)
    : mask_(buckets - 1),
      way_bits_(static_cast<uint32_t>(std::countr_zero(ways))),
      lines_(std::make_unique<Line[]>((capacity() + kSlotsInLine - 1) / kSlotsInLine)) {
  assert(std::has_single_bit(buckets) && buckets <= kMaxBuckets);
  assert(std::has_single_bit(ways) && ways <= 4);
}

MacTable::Buckets MacTable::BucketsOf(Key key) const {
  const uint64_t hash = Hash(key);
  const uint32_t first = static_cast<uint32_t>(hash) & mask_;
  return {first, first ^ ((static_cast<uint32_t>(hash >> 32) | 1) & mask_)};
}

template <uint32_t kWayBits>
uint64_t MacTable::FindInBucket(Key key, uint32_t bucket) const {
  const uint64_t first = uint64_t{bucket} << kWayBits;
  uint64_t found = 0;
  for (uint64_t slot = first; slot < first + (1u << kWayBits); ++slot) {
    const uint64_t entry = Slot(slot).load(std::memory_order_acquire);
    if (((entry ^ (key | kUsed)) & (kKeyBits | kUsed)) == 0) found = entry;
  }
  return found;
}

template <uint32_t kWayBits>
uint32_t MacTable::FindOne(Key key, Buckets buckets) const {
  for (;;) {
    const uint64_t before = moves_.load(std::memory_order_acquire);
    uint64_t entry = FindInBucket<kWayBits>(key, buckets.first);
    if (entry == 0) entry = FindInBucket<kWayBits>(key, buckets.second);
    if (entry != 0) return GateOf(entry);
    // Only the writer's progress makes a reader look again.
    if (moves_.load(std::memory_order_acquire) == before) return kNoGate;
  }
}

template <uint32_t kWayBits>
void MacTable::FindAll(absl::Span<const Key> keys, uint32_t* gates) const {
  constexpr size_t kChunk = 64;
  Buckets buckets[kChunk];
  for (size_t at = 0; at < keys.size(); at += kChunk) {
    const size_t n = std::min(kChunk, keys.size() - at);
    for (size_t i = 0; i < n; ++i) {
      buckets[i] = BucketsOf(keys[at + i]);
      Prefetch(&Slot(uint64_t{buckets[i].first} << kWayBits));
      Prefetch(&Slot(uint64_t{buckets[i].second} << kWayBits));
    }
    for (size_t i = 0; i < n; ++i) gates[at + i] = FindOne<kWayBits>(keys[at + i], buckets[i]);
  }
}

void MacTable::Find(absl::Span<const Key> keys, uint32_t* gates) const {
  if (way_bits_ == 2) return FindAll<2>(keys, gates);
  if (way_bits_ == 1) return FindAll<1>(keys, gates);
  FindAll<0>(keys, gates);
}

uint32_t MacTable::Find(Key key) const {
  uint32_t gate = kNoGate;
  Find({&key, 1}, &gate);
  return gate;
}

std::optional<size_t> MacTable::Insert(absl::Span<const std::pair<Key, uint32_t>> entries) {
  Plan plan(*this);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!plan.Insert(entries[i].first, entries[i].second)) return i;
  }
  plan.CarryOut();
  return std::nullopt;
}

void MacTable::Erase(Key key) {
  const Buckets buckets = BucketsOf(key);
  for (const uint32_t bucket : {buckets.first, buckets.second}) {
    const uint64_t first = uint64_t{bucket} << way_bits_;
    for (uint64_t slot = first; slot < first + (uint64_t{1} << way_bits_); ++slot) {
      const uint64_t entry = Slot(slot).load(std::memory_order_relaxed);
      if ((entry & (kKeyBits | kUsed)) == (key | kUsed)) Write(slot, 0);
    }
  }
}

std::vector<std::pair<MacTable::Key, uint32_t>> MacTable::Entries() const {
  std::vector<std::pair<Key, uint32_t>> entries;
  for (uint64_t slot = 0; slot < capacity(); ++slot) {
    const uint64_t entry = Slot(slot).load(std::memory_order_relaxed);
    if ((entry & kUsed) != 0) entries.emplace_back(entry & kKeyBits, GateOf(entry));
  }
  return entries;
}

// `moves_` goes up after the old entry has been written elsewhere and before it goes from here: a
// reader that missed both sees another value than when it began.
void MacTable::Write(uint64_t slot, uint64_t entry) {
  if (Slot(slot).load(std::memory_order_relaxed) != 0) {
    moves_.store(moves_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  Slot(slot).store(entry, std::memory_order_release);
}

}  // namespace bess
