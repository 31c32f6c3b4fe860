// SPDX-License-Identifier: Apache-2.0
//
// Which rule of an ordered list matches a packet first. Most rules are in a classifier, which is
// quick but has to be made anew for every change; those added last are searched one by one where
// the classifier has found nothing, which is right because they come after all others. When they
// have become too many, Settle makes a new classifier of all.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "modules/acl/classifier.h"
#include "modules/acl/rule.h"

namespace bess {

class AclRuleSet {
 public:
  static constexpr uint32_t kNoRule = AclClassifier::kNoRule;
  static constexpr size_t kMaxRules = AclClassifier::kMaxRules;

  // At most kMaxRules times.
  void Append(const AclRule& rule);
  // To be called once rules have been appended. ENOMEM when a classifier cannot be made.
  absl::Status Settle();
  size_t size() const { return settled_size() + recent_.size(); }
  size_t settled_size() const { return settled_ == nullptr ? 0 : settled_->rules.size(); }

  // Writes the index of the first rule that matches each key, or kNoRule.
  void Match(absl::Span<const AclKey> keys, uint32_t* rules) const;
  // By its index, below size().
  const AclRule& rule(size_t index) const {
    const size_t settled = settled_size();
    return index < settled ? settled_->rules[index] : recent_[index - settled].rule;
  }

 private:
  struct Settled {
    std::vector<AclRule> rules;
    std::unique_ptr<const AclClassifier> classifier;
  };
  struct Recent {
    AclRule rule;
    AclPattern pattern;
  };

  uint32_t MatchRecent(const AclKey& key) const;

  std::shared_ptr<const Settled> settled_;  // versions of a set share it
  std::vector<Recent> recent_;
};

}  // namespace bess
