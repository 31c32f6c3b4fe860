// SPDX-License-Identifier: Apache-2.0
//
// A table from keys to 64-bit values, looked up a batch at a time by workers while the control
// plane changes it. Exact matching is one such table; a wildcard search has one for each mask.
//
// A worker sees the old or the new value of a key, and always finds a key that nobody touches: an
// entry never moves within its array. An array that has become half full is replaced by a larger
// one, which is the only update that takes longer than a few probes.
//
// Who wants another table, such as one of DPDK's, makes another KeyTable.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "core/graph/host.h"
#include "core/match/key.h"

namespace bess {

class KeyTable {
 public:
  // 0 says that there is no entry; 1 is the table's own. Even numbers are free to use, and so are
  // pointers.
  using Value = uint64_t;
  static constexpr Value kNone = 0;

  // Of the first `words` words of keys, only the bits of `mask` count. Empty at first.
  static std::unique_ptr<KeyTable> Create(Host& host, const Key& mask, uint32_t words);
  virtual ~KeyTable() = default;
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  // Looks up the first `n` keys, 1..kBatchSize. False when there is none of them. Thread: workers.
  virtual bool Find(const KeyBatch& keys, uint32_t n, Value* values) const = 0;

  // Thread: control, all of these.

  virtual Value Get(const Key& key) const = 0;
  // Puts an entry in, replaces it, or, with kNone, takes it out. Returns what was there; workers
  // may go on seeing that until Host::Retire says otherwise.
  virtual Value Set(const Key& key, Value value) = 0;
  virtual void ForEach(absl::FunctionRef<void(const Key&, Value)> visit) const = 0;
  virtual size_t size() const = 0;

 protected:
  KeyTable() = default;
};

}  // namespace bess
