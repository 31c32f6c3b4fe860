// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"

#include <algorithm>

namespace bess {

const ModuleInfo& Module::info() const { return mclass_->info; }

LedgerTotals Module::totals() const {
  LedgerTotals totals;
  ledgers_.ForEach([&](const Ledger& ledger) { totals += ledger; });
  return totals;
}

bool Module::Owns(const Ledger* ledger) const {
  bool owns = false;
  ledgers_.ForEach([&](const Ledger& each) { owns |= &each == ledger; });
  return owns;
}

absl::StatusOr<uint32_t> Module::AddAttribute(std::string_view name, uint64_t size,
                                              AttributeMode mode) {
  if (name.empty()) return Error(EINVAL, "an attribute needs a name");
  if (size < 1 || size > kMaxAttributeSize) {
    return Error(EINVAL, "attribute '", name, "' must have 1..", kMaxAttributeSize, " bytes, not ",
                 size);
  }
  if (attributes_.size() == kMaxAttributesPerModule) {
    return Error(ENOSPC, "a module has at most ", kMaxAttributesPerModule, " attributes; '", name,
                 "' is one too many");
  }
  const auto same = [&](const Attribute& attribute) { return attribute.name == name; };
  if (std::any_of(attributes_.begin(), attributes_.end(), same)) {
    return Error(EEXIST, "attribute '", name, "' is declared twice");
  }
  attributes_.push_back({std::string(name), static_cast<uint32_t>(size), mode});
  return static_cast<uint32_t>(attributes_.size() - 1);
}

absl::Status Module::AddTask(uint64_t argument) {
  if (tasks_.size() == kMaxTasksPerModule) {
    return Error(ENOSPC, "a module has at most ", kMaxTasksPerModule, " tasks");
  }
  tasks_.push_back({argument});
  return absl::OkStatus();
}

absl::Status CheckGate(std::string_view what, uint64_t gate, uint32_t gates) {
  if (gate < gates) return absl::OkStatus();
  return Error(EINVAL, "'", what, "' must be a gate, 0..", gates - 1, ", not ", gate);
}

}  // namespace bess
