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

// Of a message within another, on the wire.
template <typename Message>
int64_t SizeWithin(const Message& message) {
  constexpr int64_t kTagAndLength = 6;
  return static_cast<int64_t>(message.ByteSizeLong()) + kTagAndLength;
}

int64_t SizeOf(const native::Commit& commit) {
  int64_t size = static_cast<int64_t>(commit.comment().size());
  for (const native::Change& change : commit.changes()) size += SizeWithin(change);
  return size;
}

// Adds the changes of `later` to those of `run`. What a module was told in full takes the place of
// what it was told before. Returns by how many bytes the run is longer now, rather too many than
// too few, without looking at all of it.
int64_t Append(native::Commit later, native::Commit* run) {
  int64_t longer = 0;
  for (native::Change& change : *later.mutable_changes()) {
    const auto same = [&](const native::Change& other) { return other.path() == change.path(); };
    const auto found =
        std::find_if(run->mutable_changes()->begin(), run->mutable_changes()->end(), same);
    if (found == run->mutable_changes()->end()) {
      longer += SizeWithin(change);
      *run->add_changes() = std::move(change);
    } else if (change.has_after()) {
      longer += SizeWithin(change) - SizeWithin(*found);
      *found = std::move(change);
    } else {
      for (auto& command : *change.mutable_commands()) {
        longer += SizeWithin(command);
        *found->add_commands() = std::move(command);
      }
    }
  }
  run->set_version(later.version());
  run->set_timestamp(later.timestamp());
  run->set_comment(later.comment());
  run->set_num_changes(static_cast<uint32_t>(run->changes_size()));
  return longer;
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
  sizes_.push_back(SizeOf(commit));
  bytes_ += sizes_.back();
  commits_.push_back(std::move(commit));
  JoinOld();
  while (commits_.size() > kMaxCommits || (bytes_ > kMaxBytes && commits_.size() > kMinCommits)) {
    Fold();
  }
}

void History::JoinOld() {
  if (commits_.size() < kSingle + 2) return;
  const auto later = commits_.end() - kSingle - 1;
  const auto earlier = later - 1;
  if (!OnlyCommands(*earlier) || !OnlyCommands(*later)) return;
  const auto later_size = sizes_.end() - kSingle - 1;
  const int64_t longer = Append(std::move(*later), &*earlier);
  *(later_size - 1) += longer;
  bytes_ += longer - *later_size;
  sizes_.erase(later_size);
  commits_.erase(later);
}

void History::Fold() {
  ApplyChanges(commits_.front(), &base_);
  base_version_ = commits_.front().version();
  commits_.pop_front();
  bytes_ -= sizes_.front();
  sizes_.pop_front();
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
  return Error(ENOENT, "the history has no version ", version, "; it reaches from ", base_version_,
               " to ", version_);
}

}  // namespace bess
