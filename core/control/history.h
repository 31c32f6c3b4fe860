// SPDX-License-Identifier: Apache-2.0
//
// What the configuration was: an oldest one, and the commits since then. Each commit is the list of
// its changes, so that a commit costs what it changes; the oldest ones are folded into the base. So
// it is bounded by the configuration, not by how often that changed.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "core/control/configuration.h"

namespace bess {

class History {
 public:
  // How many commits it keeps. Those that only carried out commands are joined to one, where they
  // follow each other, once so many others have come.
  static constexpr size_t kMaxCommits = 256;
  static constexpr size_t kSingle = 64;
  // Fewer if they take more bytes than this, but not fewer than so many.
  static constexpr int64_t kMaxBytes = 8 << 20;
  static constexpr size_t kMinCommits = 4;

  // Begins with a configuration that is the result of commit `version`.
  explicit History(uint64_t version = 1, Configuration base = {});

  uint64_t version() const { return version_; }
  // The newest. For a module, `config` and the commands it has carried out since.
  const Configuration& current() const { return current_; }
  const std::deque<native::Commit>& commits() const { return commits_; }
  // That the commits take on the wire, about.
  int64_t bytes() const { return bytes_; }
  uint64_t base_version() const { return base_version_; }
  const Configuration& base() const { return base_; }

  // The commit's version must be the next one.
  void Add(native::Commit commit);
  // As of a commit; NOT_FOUND naming what there is.
  absl::StatusOr<Configuration> At(uint64_t version) const;

 private:
  void JoinOld();
  void Fold();

  uint64_t base_version_;
  Configuration base_;
  std::deque<native::Commit> commits_;
  std::deque<int64_t> sizes_;  // of each of them
  int64_t bytes_ = 0;          // their sum
  uint64_t version_;
  Configuration current_;
};

// Whether it carried out module commands and did nothing else.
bool OnlyCommands(const native::Commit& commit);

}  // namespace bess
