// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule_set.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

// How many rules may be left out of all runs.
constexpr size_t kMaxRecent = 16;
// A run is more than so many times as long as the next.
constexpr size_t kRatio = 8;

// Looks up the keys of which no rule is known yet.
void MatchRest(const AclClassifier& classifier, size_t first, absl::Span<const AclKey> keys,
               uint32_t* rules) {
  constexpr size_t kChunk = 64;
  for (size_t at = 0; at < keys.size();) {
    AclKey rest[kChunk];
    size_t of[kChunk];
    size_t n = 0;
    for (; at < keys.size() && n < kChunk; ++at) {
      if (rules[at] != AclRuleSet::kNoRule) continue;
      of[n] = at;
      rest[n++] = keys[at];
    }
    uint32_t found[kChunk];
    classifier.Match({rest, n}, found);
    for (size_t i = 0; i < n; ++i) {
      if (found[i] != AclRuleSet::kNoRule) rules[of[i]] = static_cast<uint32_t>(first) + found[i];
    }
  }
}

}  // namespace

void AclRuleSet::Append(const AclRule& rule) { recent_.push_back(rule); }

absl::Status AclRuleSet::Settle() {
  if (recent_.size() > kMaxRecent) BESS_RETURN_IF_ERROR(AddRun());
  ListRecent();
  return absl::OkStatus();
}

absl::Status AclRuleSet::AddRun() {
  size_t kept = runs_.size(), joined = recent_.size();
  while (kept > 0 && runs_[kept - 1]->rules.size() <= kRatio * joined) {
    joined += runs_[--kept]->rules.size();
  }
  auto run = std::make_shared<Run>();
  run->first = size() - joined;
  run->rules.reserve(joined);
  for (size_t i = run->first; i < run->first + joined; ++i) run->rules.push_back(rule(i));
  BESS_ASSIGN_OR_RETURN(run->classifier, AclClassifier::Create(run->rules));
  runs_.resize(kept);
  runs_.push_back(std::move(run));
  recent_.clear();
  return absl::OkStatus();
}

void AclRuleSet::ListRecent() {
  std::vector<RuleLists::Entry> entries;
  for (size_t i = 0; i < recent_.size(); ++i) {
    entries.push_back({AclPattern(recent_[i]), static_cast<uint32_t>(settled_size() + i)});
  }
  recent_list_ = RuleLists();
  recent_list_.Add(entries);
}

void AclRuleSet::Match(absl::Span<const AclKey> keys, uint32_t* rules) const {
  if (runs_.empty()) {
    std::fill_n(rules, keys.size(), kNoRule);
  } else {
    runs_[0]->classifier->Match(keys, rules);
  }
  for (size_t i = 1; i < runs_.size(); ++i) {
    MatchRest(*runs_[i]->classifier, runs_[i]->first, keys, rules);
  }
  if (recent_.empty()) return;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (rules[i] == kNoRule) rules[i] = recent_list_.First(0, keys[i]);
  }
}

}  // namespace bess
