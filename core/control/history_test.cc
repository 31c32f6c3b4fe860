// SPDX-License-Identifier: Apache-2.0
#include "core/control/history.h"

#include "gmock/gmock.h"

namespace bess {
namespace {

native::Commit Adding(uint64_t version, const std::string& module) {
  native::Commit commit;
  commit.set_version(version);
  native::Change& change = *commit.add_changes();
  change.set_action(native::Change::ADD);
  change.set_path(ModulePath(module));
  change.mutable_after()->mutable_module()->set_name(module);
  return commit;
}

native::Commit Telling(uint64_t version, const std::string& module, const std::string& command) {
  native::Commit commit;
  commit.set_version(version);
  native::Change& change = *commit.add_changes();
  change.set_action(native::Change::UPDATE);
  change.set_path(ModulePath(module));
  change.add_commands()->set_cmd(command);
  return commit;
}

TEST(HistoryTest, KnowsEveryVersionItLists) {
  History history;
  history.Add(Adding(2, "a"));
  history.Add(Adding(3, "b"));
  EXPECT_EQ(history.version(), 3u);
  EXPECT_EQ(history.At(1)->size(), 0u);
  EXPECT_EQ(history.At(2)->size(), 1u);
  EXPECT_EQ(history.At(3)->size(), 2u);
  EXPECT_FALSE(history.At(4).ok());
  EXPECT_FALSE(history.At(0).ok());
}

TEST(HistoryTest, OldCommandsInARowAreJoined) {
  History history;
  history.Add(Adding(2, "a"));
  const uint64_t last = 2 + 2 * History::kSingle;
  for (uint64_t v = 3; v <= last; ++v) history.Add(Telling(v, "a", std::to_string(v)));
  EXPECT_EQ(history.commits().size(), History::kSingle + 2);
  EXPECT_EQ(history.current().at("modules/a").module().commands_size(), last - 2);
  EXPECT_EQ(history.At(2)->at("modules/a").module().commands_size(), 0);
  EXPECT_FALSE(history.At(3).ok()) << "joined to others";
  const uint64_t recent = last - History::kSingle;
  EXPECT_EQ(history.At(recent)->at("modules/a").module().commands_size(), recent - 2);
}

TEST(HistoryTest, TheOldestAreFolded) {
  History history;
  for (uint64_t v = 2; v < History::kMaxCommits + 12; ++v)
    history.Add(Adding(v, std::to_string(v)));
  EXPECT_EQ(history.commits().size(), History::kMaxCommits);
  EXPECT_EQ(history.base_version(), 11u);
  EXPECT_EQ(history.At(11)->size(), 10u);
  EXPECT_FALSE(history.At(10).ok());
  EXPECT_EQ(history.current().size(), History::kMaxCommits + 10);
}

// Of so many bytes, and more.
native::Commit Large(uint64_t version, size_t bytes) {
  native::Commit commit = Adding(version, std::to_string(version % 2));
  commit.mutable_changes(0)->mutable_after()->mutable_module()->set_mclass(std::string(bytes, 'x'));
  return commit;
}

TEST(HistoryTest, LargeCommitsAreFoldedSooner) {
  History history;
  for (uint64_t v = 2; v < 102; ++v) history.Add(Large(v, 1 << 20));
  EXPECT_LE(history.bytes(), History::kMaxBytes);
  EXPECT_GT(history.commits().size(), History::kMinCommits);
  EXPECT_EQ(history.base_version() + history.commits().size(), history.version());
  EXPECT_TRUE(history.At(history.base_version()).ok());
  for (uint64_t v = 102; v < 202; ++v) history.Add(Large(v, History::kMaxBytes));
  EXPECT_EQ(history.commits().size(), History::kMinCommits) << "a few can be rolled back to";
  history = History();
  history.Add(Large(2, 100));
  EXPECT_GT(history.bytes(), 100);
}

TEST(HistoryTest, WhatIsSetAgainAndAgainTakesNoRoom) {
  History history;
  history.Add(Adding(2, "a"));
  for (uint64_t v = 3; v < 5000; ++v) {
    native::Commit commit = Telling(v, "a", "set");
    *commit.mutable_changes(0)->mutable_after() = history.current().at("modules/a");
    commit.mutable_changes(0)->mutable_after()->mutable_module()->set_mclass(
        std::string(v % 1000, 'x'));
    commit.mutable_changes(0)->clear_commands();
    history.Add(std::move(commit));
  }
  EXPECT_EQ(history.commits().size(), History::kSingle + 2);
  int64_t bytes = 0;
  for (const native::Commit& commit : history.commits()) {
    bytes += static_cast<int64_t>(commit.ByteSizeLong());
  }
  EXPECT_NEAR(static_cast<double>(history.bytes()), static_cast<double>(bytes), 0.1 * bytes);
}

}  // namespace
}  // namespace bess
