// SPDX-License-Identifier: Apache-2.0
//
// MAC address -> gate, for one writer and any number of readers that never wait.
//
// An address lives in one of two buckets, in any of their 1, 2 or 4 slots; a slot is one 64-bit
// word, so that readers see an entry whole. Insertion looks for the shortest chain of moves that
// frees a slot (cuckoo hashing) and finds one whenever there is one. Chains are carried out from
// their free end, so that an entry on the move is in the table twice, never not at all; a reader
// that was overtaken by a move sees so by `moves_` and looks again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "core/packet/headers.h"

namespace bess {

class MacTable {
 public:
  static constexpr uint32_t kMaxBuckets = 1 << 22;
  static constexpr uint32_t kNoGate = UINT32_MAX;

  // The address as lookups take it: its bytes, the first lowest, in the low 48 bits.
  using Key = uint64_t;
  static Key ToKey(const MacAddress& mac);
  // From at least eight readable bytes of which the first six are the address.
  static Key ToKey(const uint8_t* bytes) { return LoadUnaligned<uint64_t>(bytes) & kKeyBits; }

  // `buckets` is a power of two up to kMaxBuckets; `ways`, slots in a bucket, is 1, 2 or 4.
  MacTable(uint32_t buckets, uint32_t ways);

  // Thread: any. Writes the gate of each key, or kNoGate.
  void Find(absl::Span<const Key> keys, uint32_t* gates) const;
  uint32_t Find(Key key) const;

  // Thread: the writer. Adds all entries, or none: then it returns the index of the one for which
  // there is no room. No key may be in the table, or come twice.
  std::optional<size_t> Insert(absl::Span<const std::pair<Key, uint32_t>> entries);
  // The key must be in the table.
  void Erase(Key key);
  uint64_t capacity() const { return uint64_t{mask_ + 1} << way_bits_; }
  // All entries, in no order.
  std::vector<std::pair<Key, uint32_t>> Entries() const;

 private:
  static constexpr Key kKeyBits = (Key{1} << 48) - 1;
  static constexpr uint64_t kUsed = uint64_t{1} << 63;
  static constexpr uint32_t kSlotsInLine = 8;

  struct alignas(64) Line {
    std::atomic<uint64_t> slots[kSlotsInLine] = {};
  };
  struct Buckets {
    uint32_t first;
    uint32_t second;  // equal to `first` only when there is no other
  };
  // Writes not carried out yet. Looks like the table after them.
  class Plan;

  Buckets BucketsOf(Key key) const;
  std::atomic<uint64_t>& Slot(uint64_t index) const {
    return lines_[index / kSlotsInLine].slots[index % kSlotsInLine];
  }
  template <uint32_t kWayBits>
  void FindAll(absl::Span<const Key> keys, uint32_t* gates) const;
  template <uint32_t kWayBits>
  uint32_t FindOne(Key key, Buckets buckets) const;
  template <uint32_t kWayBits>
  uint64_t FindInBucket(Key key, uint32_t bucket) const;
  void Write(uint64_t slot, uint64_t entry);

  const uint32_t mask_;  // buckets - 1
  const uint32_t way_bits_;
  std::unique_ptr<Line[]> lines_;
  std::atomic<uint64_t> moves_{0};
};

}  // namespace bess
