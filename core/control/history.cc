// SPDX-License-Identifier: Apache-2.0
#include "core/control/history.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

void ApplyChanges(const native::Commit& commit, Configuration* configuration) {
  for (const native::Change& change : commit.changes()) ApplyChange(change, configuration);
}

// Adds the changes of `later` to those of `run`. What a module was told in full takes the place of
// what it was told before.
void Append(native::Commit later, native::Commit* run) {
  for (native::Change& change : *later.mutable_changes()) {
    const auto same = [&](const native::Change& other) { return other.path() == change.path(); };
    const auto found =
        std::find_if(run->mutable_changes()->begin(), run->mutable_changes()->end(), same);
    if (found == run->mutable_changes()->end()) {
      *run->add_changes() = std::move(change);
    } else if (change.has_after()) {
      *found = std::move(change);
    } else {
      for (auto& command : *change.mutable_commands()) *found->add_commands() = std::move(command);
    }
  }
  run->set_version(later.version());
  run->set_timestamp(later.timestamp());
  run->set_comment(later.comment());
  run->set_num_changes(static_cast<uint32_t>(run->changes_size()));
}

}  // namespace

bool OnlyCommands(const native::Commit& commit) {
  return std::all_of(commit.changes().begin(), commit.changes().end(), [](const auto& change) {
    return change.action() == native::Change::UPDATE && !change.has_before();
  });
}

History::History(uint64_t version, Configuration base)
    : base_version_(version), base_(base), version_(version), current_(std::move(base)) {}

void History::Add(native::Commit commit) {
  ApplyChanges(commit, &current_);
  version_ = commit.version();
  commits_.push_back(std::move(commit));
  JoinOld();
  if (commits_.size() > kMaxCommits) Fold();
}

void History::JoinOld() {
  if (commits_.size() < kSingle + 2) return;
  const auto later = commits_.end() - kSingle - 1;
  const auto earlier = later - 1;
  if (!OnlyCommands(*earlier) || !OnlyCommands(*later)) return;
  Append(std::move(*later), &*earlier);
  commits_.erase(later);
}

void History::Fold() {
  ApplyChanges(commits_.front(), &base_);
  base_version_ = commits_.front().version();
  commits_.pop_front();
}

absl::StatusOr<Configuration> History::At(uint64_t version) const {
  if (version == version_) return current_;
  Configuration at = base_;
  if (version == base_version_) return at;
  for (const native::Commit& commit : commits_) {
    if (commit.version() > version) break;
    ApplyChanges(commit, &at);
    if (commit.version() == version) return at;
  }
  return Error(ENOENT, "the history has no version ", version, "; it has ", base_version_,
               " and commits up to ", version_);
}

}  // namespace bess
