// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule_set.h"

#include <algorithm>

#include "core/base/status.h"

namespace bess {
namespace {

// How many rules may be searched one by one: more where a classifier takes longer to make.
size_t MaxRecent(size_t settled) { return 16 + settled / 512; }

}  // namespace

void AclRuleSet::Append(const AclRule& rule) { recent_.push_back({rule, AclPattern(rule)}); }

absl::Status AclRuleSet::Settle() {
  if (recent_.size() <= MaxRecent(settled_size())) return absl::OkStatus();
  auto all = std::make_shared<Settled>();
  all->rules.reserve(size());
  if (settled_ != nullptr) all->rules = settled_->rules;
  for (const Recent& recent : recent_) all->rules.push_back(recent.rule);
  BESS_ASSIGN_OR_RETURN(all->classifier, AclClassifier::Create(all->rules));
  settled_ = std::move(all);
  recent_.clear();
  return absl::OkStatus();
}

uint32_t AclRuleSet::MatchRecent(const AclKey& key) const {
  const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Recent& recent) {
    return recent.pattern.Matches(key);
  });
  if (found == recent_.end()) return kNoRule;
  return static_cast<uint32_t>(settled_size() + static_cast<size_t>(found - recent_.begin()));
}

void AclRuleSet::Match(absl::Span<const AclKey> keys, uint32_t* rules) const {
  if (settled_ != nullptr) {
    settled_->classifier->Match(keys, rules);
  } else {
    std::fill_n(rules, keys.size(), kNoRule);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (rules[i] == kNoRule) rules[i] = MatchRecent(keys[i]);
  }
}

}  // namespace bess
