// SPDX-License-Identifier: Apache-2.0
//
// A configuration of the switch as plain data: entries by path, such as "modules/m0". It is what
// clients ask for and get, what the history keeps and the journal writes. Nothing in here touches
// anything that runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "native/live.pb.h"

namespace bess {

// By path. A map is sorted, so the same configuration always looks the same.
using Configuration = std::map<std::string, native::Entry>;

// One thing that is wrong with a request, and where.
struct Problem {
  std::string path;
  absl::Status status;
};
using Problems = std::vector<Problem>;

// No two entries have the same one unless they have the same key.
std::string PathOf(const native::Entry& entry);
std::string ModulePath(const std::string& name);
std::string PortPath(const std::string& name);

// Calls visit(path, entry) for the entries of a kind, such as "ports/".
template <typename Visit>
void ForEachOf(const Configuration& all, const std::string& kind, Visit visit) {
  for (auto it = all.lower_bound(kind); it != all.end() && it->first.starts_with(kind); ++it) {
    visit(it->first, it->second);
  }
}

// Puts each entry of the state under its path; one that comes twice, or that has no name, is a
// problem.
Configuration FromState(const native::State& state, Problems* problems);
native::State ToState(const Configuration& configuration);

// What turns one into the other, sorted by path: what is in both and not the same is an update.
std::vector<native::Change> Difference(const Configuration& from, const Configuration& to);

// What the first changes and then the second ones come to.
std::vector<native::Change> Joined(const std::vector<native::Change>& first,
                                   std::vector<native::Change> second);

// Carries a change out.
void ApplyChange(const native::Change& change, Configuration* configuration);

// The same message on the wire, or the same when read: fields of a map come in any order.
bool SameArgument(const google::protobuf::Any& a, const google::protobuf::Any& b);

}  // namespace bess
