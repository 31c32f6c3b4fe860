// SPDX-License-Identifier: Apache-2.0
//
// The traffic classes of all workers, as they are wanted: plain data with the rules of what may
// hang where. Copying it is cheap (classes are shared until they change); an edit that is refused
// has changed nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/base/shared_map.h"
#include "core/tc/traffic_class.h"

namespace bess {

// Levels below a worker's root.
inline constexpr size_t kMaxTcDepth = 32;

class ClassTree {
 public:
  using Classes = SharedMap<TrafficClass>;

  // Parents and children in no particular order; by name.
  const Classes& classes() const { return classes_; }
  // One is a copy of the other, and neither was edited since.
  bool Shares(const ClassTree& other) const { return classes_.Shares(other.classes_); }
  const TrafficClass* Find(std::string_view name) const;
  // In order of name.
  std::vector<std::string> Children(std::string_view parent) const;
  // Attached to this worker directly.
  std::vector<std::string> Roots(uint32_t worker) const;
  // Neither under a parent nor at a worker.
  std::vector<std::string> Orphans() const;
  // Where the class runs, itself or through its parents.
  std::optional<uint32_t> WorkerOf(std::string_view name) const;
  // Of the class above a worker's roots; nullptr if nothing was ever attached to it.
  std::shared_ptr<ClassState> DefaultRoot(uint32_t worker) const;

  // EINVAL for a bad name (the text of one that exists is what BESS clients look for), a bad
  // parameter or a place that cannot take it; ENOENT for the parent, EPERM if that is a leaf.
  absl::Status Add(std::string_view name, TcParams params, TcPlace place);
  // New parameters; the policy stays. EINVAL for a policy that has none, ENOENT.
  absl::Status Update(std::string_view name, TcParams params);
  // To another place, with all that hangs below; errors as for Add.
  absl::Status Move(std::string_view name, TcPlace place);
  // ENOENT, EPERM for a leaf, EBUSY while it has children.
  absl::Status Remove(std::string_view name);

  // All but the leaves, which must be roots or orphans.
  void RemoveInner();

  // Leaves come and go with the modules whose tasks they are; a new one is an orphan.
  void AddLeaf(std::string_view module, uint32_t task);
  void RemoveLeaf(std::string_view module, uint32_t task);
  // Puts a root or an orphan to a worker, or to none.
  void Assign(std::string_view name, std::optional<uint32_t> worker);

 private:
  TrafficClass& Edit(std::string_view name);
  absl::Status CheckPlace(std::string_view name, const TcPlace& place) const;
  absl::Status CheckParent(std::string_view name, std::string_view parent_name,
                           const TrafficClass& parent, const TcPlace& place) const;
  absl::Status CheckPriority(std::string_view name, std::string_view parent,
                             const TcPlace& place) const;
  absl::Status CheckDepth(std::string_view name, std::string_view parent) const;
  size_t LevelsBelow(std::string_view name) const;

  Classes classes_;
  std::map<uint32_t, std::shared_ptr<ClassState>> default_roots_;
};

}  // namespace bess
