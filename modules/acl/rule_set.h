// SPDX-License-Identifier: Apache-2.0
//
// Which rule of an ordered list matches a packet first. The list is cut into runs, each with a
// classifier, which is quick but has to be made anew for every change; the rules added last are a
// list of their own. Both come into play where the runs before have found nothing, which is right
// because their rules come after all others.
//
// When the last rules have become too many, Settle makes a run of them, and joins it with the runs
// before as long as those are not much longer. So there are few runs, and of a list of 20,000
// rules, added one by one, each has been in some fifteen classifiers on average.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "modules/acl/classifier.h"
#include "modules/acl/rule.h"
#include "modules/acl/rule_lists.h"

namespace bess {

class AclRuleSet {
 public:
  static constexpr uint32_t kNoRule = AclClassifier::kNoRule;
  static constexpr size_t kMaxRules = AclClassifier::kMaxRules;

  // At most kMaxRules times.
  void Append(const AclRule& rule);
  // To be called once rules have been appended, before any Match. ENOMEM when a classifier cannot
  // be made.
  absl::Status Settle();
  size_t size() const { return settled_size() + recent_.size(); }
  size_t settled_size() const { return runs_.empty() ? 0 : runs_.back()->end(); }
  size_t runs() const { return runs_.size(); }

  // Writes the index of the first rule that matches each key, or kNoRule.
  void Match(absl::Span<const AclKey> keys, uint32_t* rules) const;
  // By its index, below size().
  const AclRule& rule(size_t index) const {
    for (const auto& run : runs_) {
      if (index < run->end()) return run->rules[index - run->first];
    }
    return recent_[index - settled_size()];
  }

 private:
  struct Run {
    size_t first = 0;  // rule's index
    std::vector<AclRule> rules;
    std::unique_ptr<const AclClassifier> classifier;

    size_t end() const { return first + rules.size(); }
  };
  absl::Status AddRun();
  void ListRecent();

  std::vector<std::shared_ptr<const Run>> runs_;  // in order; versions of a set share them
  std::vector<AclRule> recent_;
  RuleLists recent_list_;  // the only one
};

}  // namespace bess
