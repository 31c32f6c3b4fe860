// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule_lists.h"

namespace bess {

uint32_t RuleLists::Add(absl::Span<const Entry> entries) {
  List list{.line = static_cast<uint32_t>(lines_.size())};
  for (const Entry& entry : entries) {
    for (uint32_t word = 0; word < kWords; ++word) {
      if (WordOf(entry.pattern.mask, word) != 0) list.words |= 1u << word;
    }
  }
  // The last group has a lane left, if need be all.
  for (size_t at = 0; at <= entries.size(); at += kLanes) {
    AddGroup(entries.subspan(at, kLanes), list.words);
  }
  lists_.push_back(list);
  return static_cast<uint32_t>(lists_.size() - 1);
}

void RuleLists::AddGroup(absl::Span<const Entry> entries, uint32_t words) {
  Line& rules = lines_.emplace_back();
  for (size_t lane = 0; lane < kLanes; ++lane) {
    rules.lanes[lane] = lane < entries.size() ? entries[lane].rule : kNoRule;
  }
  for (; words != 0; words &= words - 1) {
    const auto word = static_cast<uint32_t>(std::countr_zero(words));
    Line values, masks;
    for (size_t lane = 0; lane < entries.size(); ++lane) {
      values.lanes[lane] = WordOf(entries[lane].pattern.value, word);
      masks.lanes[lane] = WordOf(entries[lane].pattern.mask, word);
    }
    lines_.push_back(values);
    lines_.push_back(masks);
  }
}

}  // namespace bess
