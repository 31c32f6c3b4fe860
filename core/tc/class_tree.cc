// SPDX-License-Identifier: Apache-2.0
#include "core/tc/class_tree.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

absl::Status CheckAmount(std::string_view name, std::string_view field, int64_t amount) {
  if (amount >= 0 && amount <= kMaxTcAmount) return absl::OkStatus();
  return Error(EINVAL, "class '", name, "': '", field, "' must be 0..", kMaxTcAmount, ", not ",
               amount);
}

absl::Status CheckParams(std::string_view name, const TcParams& params) {
  if (params.policy != TcPolicy::kRateLimit) return absl::OkStatus();
  BESS_RETURN_IF_ERROR(CheckAmount(name, "limit", params.limit));
  return CheckAmount(name, "max_burst", params.max_burst);
}

absl::Status CheckName(std::string_view name) {
  if (name.empty()) return Error(EINVAL, "'name' is missing: how is the class called?");
  if (!name.starts_with('!')) return absl::OkStatus();
  return Error(EINVAL, "class '", name, "': names that start with '!' are reserved");
}

absl::Status NoSuchClass(std::string_view name) {
  return Error(ENOENT, "there is no traffic class '", name, "'");
}

absl::Status CheckShare(std::string_view name, std::string_view parent, const TcPlace& place) {
  if (!place.share) {
    return Error(EINVAL, "class '", name, "' needs a 'share' under '", parent, "' (weighted_fair)");
  }
  if (*place.share >= 1 && *place.share <= kMaxTcShare) return absl::OkStatus();
  return Error(EINVAL, "class '", name, "': 'share' must be 1..", kMaxTcShare, ", not ",
               *place.share);
}

}  // namespace

// --- What there is ------------------------------------------------------------------------------

const TrafficClass* ClassTree::Find(std::string_view name) const {
  const auto it = classes_.find(name);
  return it == classes_.end() ? nullptr : it->second.get();
}

std::vector<std::string> ClassTree::Children(std::string_view parent) const {
  std::vector<std::string> names;
  for (const auto& [name, tc] : classes_) {
    if (tc->place.parent == parent) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ClassTree::Roots(uint32_t worker) const {
  std::vector<std::string> names;
  for (const auto& [name, tc] : classes_) {
    if (tc->place.worker == worker) names.push_back(name);
  }
  return names;
}

std::vector<std::string> ClassTree::Orphans() const {
  std::vector<std::string> names;
  for (const auto& [name, tc] : classes_) {
    if (!tc->place.attached()) names.push_back(name);
  }
  return names;
}

std::optional<uint32_t> ClassTree::WorkerOf(std::string_view name) const {
  const TrafficClass* tc = Find(name);
  while (tc != nullptr && !tc->place.parent.empty()) tc = Find(tc->place.parent);
  return tc == nullptr ? std::nullopt : tc->place.worker;
}

std::shared_ptr<ClassState> ClassTree::DefaultRoot(uint32_t worker) const {
  const auto it = default_roots_.find(worker);
  return it == default_roots_.end() ? nullptr : it->second;
}

// --- What may be --------------------------------------------------------------------------------

absl::Status ClassTree::CheckPlace(std::string_view name, const TcPlace& place) const {
  if (place.parent.empty()) return absl::OkStatus();
  if (place.worker) {
    return Error(EINVAL, "class '", name, "' can have a parent ('", place.parent,
                 "') or a worker (", *place.worker, "), not both");
  }
  const TrafficClass* parent = Find(place.parent);
  if (parent == nullptr) return NoSuchClass(place.parent);
  BESS_RETURN_IF_ERROR(CheckParent(name, place.parent, *parent, place));
  return CheckDepth(name, place.parent);
}

absl::Status ClassTree::CheckParent(std::string_view name, std::string_view parent_name,
                                    const TrafficClass& parent, const TcPlace& place) const {
  switch (parent.params.policy) {
    case TcPolicy::kLeaf:
      return Error(EPERM, "class '", name, "' cannot hang under '", parent_name,
                   "', which is a leaf");
    case TcPolicy::kPriority:
      return CheckPriority(name, parent_name, place);
    case TcPolicy::kWeightedFair:
      return CheckShare(name, parent_name, place);
    case TcPolicy::kRateLimit:
      for (const std::string& other : Children(parent_name)) {
        if (other == name) continue;
        return Error(EINVAL, "class '", name, "' cannot hang under '", parent_name,
                     "' (rate_limit), which has a child, '", other, "'");
      }
      return absl::OkStatus();
    case TcPolicy::kRoundRobin:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status ClassTree::CheckPriority(std::string_view name, std::string_view parent,
                                      const TcPlace& place) const {
  if (!place.priority) {
    return Error(EINVAL, "class '", name, "' needs a 'priority' under '", parent, "' (priority)");
  }
  const int64_t priority = *place.priority;
  if (priority < 0 || priority > kMaxTcPriority) {
    return Error(EINVAL, "class '", name, "': 'priority' must be 0..", kMaxTcPriority, ", not ",
                 priority, priority == kMaxTcPriority + 1 ? ", which is reserved" : "");
  }
  for (const std::string& other : Children(parent)) {
    if (other == name || Find(other)->place.priority != priority) continue;
    return Error(EINVAL, "class '", name, "': 'priority' ", priority, " under '", parent,
                 "' belongs to '", other, "'");
  }
  return absl::OkStatus();
}

absl::Status ClassTree::CheckDepth(std::string_view name, std::string_view parent) const {
  size_t above = 0;
  for (std::string_view at = parent; !at.empty(); at = Find(at)->place.parent) {
    if (at == name) {
      return Error(EINVAL, "class '", name, "' cannot hang under '", parent,
                   "', which hangs under it");
    }
    ++above;
  }
  if (above + LevelsBelow(name) < kMaxTcDepth) return absl::OkStatus();
  return Error(EINVAL, "class '", name, "' under '", parent, "' would make more than ", kMaxTcDepth,
               " levels");
}

size_t ClassTree::LevelsBelow(std::string_view name) const {
  size_t levels = 0;
  if (Find(name) == nullptr) return levels;
  for (const auto& [other, tc] : classes_) {
    size_t below = 0;
    for (const TrafficClass* at = tc.get(); !at->place.parent.empty();) {
      ++below;
      if (at->place.parent == name) levels = std::max(levels, below);
      at = Find(at->place.parent);
    }
  }
  return levels;
}

// --- Edits --------------------------------------------------------------------------------------

TrafficClass& ClassTree::Edit(std::string_view name) {
  auto copy = std::make_shared<TrafficClass>(*Find(name));
  TrafficClass& tc = *copy;
  classes_.Set(name, std::move(copy));
  return tc;
}

absl::Status ClassTree::Add(std::string_view name, TcParams params, TcPlace place) {
  BESS_RETURN_IF_ERROR(CheckName(name));
  if (Find(name) != nullptr) return Error(EINVAL, "Name '", name, "' already exists");
  if (params.policy == TcPolicy::kLeaf) {
    return Error(EINVAL, "class '", name, "': leaves come with the modules whose tasks they are");
  }
  BESS_RETURN_IF_ERROR(CheckParams(name, params));
  BESS_RETURN_IF_ERROR(CheckPlace(name, place));
  auto tc = std::make_shared<TrafficClass>();
  tc->params = params;
  classes_.Set(name, std::move(tc));
  return Move(name, std::move(place));
}

absl::Status ClassTree::Update(std::string_view name, TcParams params) {
  const TrafficClass* tc = Find(name);
  if (tc == nullptr) return NoSuchClass(name);
  const TcPolicy policy = tc->params.policy;
  if (policy != TcPolicy::kRateLimit && policy != TcPolicy::kWeightedFair) {
    return Error(EINVAL, "class '", name, "' is of policy '", Name(policy),
                 "'; only 'rate_limit' and 'weighted_fair' have parameters");
  }
  params.policy = policy;
  BESS_RETURN_IF_ERROR(CheckParams(name, params));
  Edit(name).params = params;
  return absl::OkStatus();
}

absl::Status ClassTree::Move(std::string_view name, TcPlace place) {
  if (Find(name) == nullptr) return NoSuchClass(name);
  BESS_RETURN_IF_ERROR(CheckPlace(name, place));
  const std::optional<uint32_t> worker = place.worker;
  Edit(name).place = std::move(place);
  if (worker) Assign(name, worker);
  return absl::OkStatus();
}

absl::Status ClassTree::Remove(std::string_view name) {
  const TrafficClass* tc = Find(name);
  if (tc == nullptr) return NoSuchClass(name);
  if (tc->is_leaf()) {
    return Error(EPERM, "class '", name, "' is a leaf; it goes with module '", tc->module, "'");
  }
  if (const auto children = Children(name); !children.empty()) {
    return Error(EBUSY, "class '", name, "' has ", children.size(), " child(ren), such as '",
                 children.front(), "'");
  }
  classes_.Erase(name);
  return absl::OkStatus();
}

void ClassTree::RemoveInner() {
  const Classes all = classes_;
  for (const auto& [name, tc] : all) {
    if (!tc->is_leaf()) classes_.Erase(name);
  }
}

void ClassTree::AddLeaf(std::string_view module, uint32_t task) {
  auto leaf = std::make_shared<TrafficClass>();
  leaf->module = std::string(module);
  leaf->task = task;
  classes_.Set(LeafName(module, task), std::move(leaf));
}

void ClassTree::RemoveLeaf(std::string_view module, uint32_t task) {
  classes_.Erase(LeafName(module, task));
}

void ClassTree::Assign(std::string_view name, std::optional<uint32_t> worker) {
  Edit(name).place = {.parent = {}, .worker = worker, .priority = {}, .share = {}};
  if (!worker) return;
  auto& state = default_roots_[*worker];
  if (state == nullptr) state = std::make_shared<ClassState>();
}

}  // namespace bess
