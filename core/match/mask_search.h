// SPDX-License-Identifier: Apache-2.0
//
// The best of many rules with masks and priorities ("tuple space search"): a table for each set of
// masks that rules use, tried in the order of the highest priority in each, until every packet of
// the batch has a rule that no later table can beat. A table goes when its last rule does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/graph/host.h"
#include "core/graph/versioned.h"
#include "core/match/key.h"
#include "core/match/table.h"
#include "core/match/values.h"

namespace bess {

// More sets of masks would only make each packet slower.
inline constexpr size_t kMaxMasks = 256;

struct MaskedRule {
  int64_t priority = 0;
  uint32_t gate = 0;
  uint32_t age = 0;  // of its mask: of equal priorities the lower one wins; set by MaskSearch
  Values values{};
};

class MaskSearch {
 public:
  // For keys of these fields; at most `max_rules` rules with equal masks.
  MaskSearch(Host& host, const KeyFields& fields, uint64_t max_rules);
  ~MaskSearch();
  MaskSearch(const MaskSearch&) = delete;
  MaskSearch& operator=(const MaskSearch&) = delete;

  // The best rule for each of the first `n` keys, or nullptr. A field that a packet lacks matches
  // only where the mask leaves it out. Thread: workers.
  void Find(const KeyBatch& keys, uint32_t n, const MaskedRule** best) const;

  // Thread: control, all of these.

  // Adds a rule or replaces the one with this key and mask. ENOSPC when there is no room.
  absl::Status Set(const Key& key, const Key& mask, const MaskedRule& rule);
  // ENOENT when there is none.
  absl::Status Remove(const Key& key, const Key& mask);
  void ForEach(absl::FunctionRef<void(const Key&, const Key& mask, const MaskedRule&)> visit) const;
  size_t masks() const { return masks_.size(); }

 private:
  struct Mask;

  // What workers walk through. It shares the tables, which go with the last list that has them.
  struct Entry {
    std::shared_ptr<const Mask> mask;
    int64_t top = 0;      // no rule of it has a higher priority
    uint32_t fields = 0;  // that the mask looks at, a bit each
  };
  using List = std::vector<Entry>;

  absl::StatusOr<Mask*> FindOrMake(const Key& mask);
  void Count(Mask& mask, int64_t priority, bool more);
  void Publish();

  Host& host_;
  const KeyFields& fields_;
  const uint64_t max_rules_;
  std::map<Key, std::shared_ptr<Mask>> masks_;
  uint32_t next_age_ = 0;
  Versioned<List> list_;
};

}  // namespace bess
