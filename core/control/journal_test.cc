// SPDX-License-Identifier: Apache-2.0
#include "core/control/journal.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "gtest/gtest.h"

namespace bess {
namespace {

class JournalTest : public testing::Test {
 protected:
  native::Commit Next() {
    native::Commit commit;
    commit.set_version(history_.version() + 1);
    native::Change& change = *commit.add_changes();
    change.set_action(native::Change::ADD);
    change.set_path(ModulePath(std::to_string(commit.version())));
    change.mutable_after()->mutable_module()->set_name(std::to_string(commit.version()));
    return commit;
  }
  void Write(int commits) {
    auto journal = Journal::Open(directory_, &history_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (int i = 0; i < commits; ++i) {
      ASSERT_TRUE((*journal)->Append(Next()).ok());
      history_.Add(Next());
    }
  }
  // Another one for each file that is written.
  uint64_t Inode() const {
    struct stat status = {};
    EXPECT_EQ(stat(file_.c_str(), &status), 0);
    return status.st_ino;
  }
  uint64_t VersionOnDisk() {
    History history;
    EXPECT_TRUE(Journal::Open(directory_, &history).ok());
    EXPECT_EQ(history.current().size(), history.version() - 1);
    return history.version();
  }

  const TemporaryFolder folder_;
  const std::string directory_ = folder_.path() + "/new";
  const std::string file_ = directory_ + "/journal";
  History history_;
};

TEST_F(JournalTest, ComesBackAsItWas) {
  Write(5);
  EXPECT_EQ(VersionOnDisk(), 6u);
  EXPECT_EQ(VersionOnDisk(), 6u);
}

TEST_F(JournalTest, WhereverItWasCutItBeginsAtTheLastWholeCommit) {
  Write(4);
  const auto size = std::filesystem::file_size(file_);
  std::string whole(size, '\0');
  std::ifstream(file_, std::ios::binary).read(whole.data(), static_cast<std::streamsize>(size));
  uint64_t last = 0;
  for (size_t cut = 16; cut <= size; ++cut) {
    std::filesystem::remove(directory_ + "/journal.old");
    std::ofstream(file_, std::ios::binary) << whole.substr(0, cut);
    const uint64_t version = VersionOnDisk();
    EXPECT_GE(version, last);
    last = version;
  }
  EXPECT_EQ(last, 5u);
}

TEST_F(JournalTest, ABitThatFlipsEndsItThere) {
  Write(4);
  std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-3, std::ios::end);
  file.put('#');
  file.close();
  EXPECT_EQ(VersionOnDisk(), 4u);
}

TEST_F(JournalTest, TheOneBeforeHelpsWhenNothingIsWhole) {
  Write(3);
  Write(0);  // rewritten: the file before is journal.old
  std::ofstream(file_, std::ios::binary) << "rubbish";
  EXPECT_EQ(VersionOnDisk(), 4u);
}

TEST_F(JournalTest, AnAppendCanBeTakenBack) {
  Write(2);
  {
    auto journal = Journal::Open(directory_, &history_);
    ASSERT_TRUE((*journal)->Append(Next()).ok());
    ASSERT_TRUE((*journal)->Undo().ok());
  }
  EXPECT_EQ(VersionOnDisk(), 3u);
}

TEST_F(JournalTest, OneAtATime) {
  auto journal = Journal::Open(directory_, &history_);
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(StatusErrno(Journal::Open(directory_, &history_).status()), EBUSY);
  EXPECT_FALSE(Journal::Open("/proc/nowhere/journal", &history_).ok());
}

// As the engine does.
void Commit(native::Commit commit, Journal* journal, History* history) {
  ASSERT_TRUE(journal->Append(commit).ok());
  history->Add(std::move(commit));
  if (journal->overgrown()) {
    ASSERT_TRUE(journal->Rewrite(*history).ok());
  }
}

TEST_F(JournalTest, ASmallCommitIsSmallAfterLargeOnes) {
  auto journal = Journal::Open(directory_, &history_);
  ASSERT_TRUE(journal.ok());
  uintmax_t largest = 0;
  for (int i = 0; i < 100; ++i) {
    native::Commit commit = Next();
    native::Change& change = *commit.mutable_changes(0);
    change.set_path(ModulePath("same"));
    change.mutable_after()->mutable_module()->set_name("same");
    change.mutable_after()->mutable_module()->set_mclass(std::string(1 << 20, 'x'));
    Commit(std::move(commit), journal->get(), &history_);
    largest = std::max(largest, std::filesystem::file_size(file_));
  }
  EXPECT_LT(largest, 30u << 20) << "bounded by what there is, not by what there was";
  ASSERT_TRUE((*journal)->Rewrite(history_).ok());
  const auto before = std::filesystem::file_size(file_);
  const uint64_t made = Inode();
  for (int i = 0; i < 100; ++i) Commit(Next(), journal->get(), &history_);
  EXPECT_EQ(Inode(), made) << "written anew";
  EXPECT_LT(std::filesystem::file_size(file_) - before, 100u * 100);
}

TEST_F(JournalTest, WhatItWroteLastIsNoReasonToRewrite) {
  auto journal = Journal::Open(directory_, &history_);
  ASSERT_TRUE(journal.ok());
  for (int i = 0; i < 4; ++i) {
    native::Commit commit = Next();
    native::Change& change = *commit.mutable_changes(0);
    change.mutable_before()->mutable_module()->set_mclass(std::string(4 << 20, 'x'));
    change.set_action(native::Change::REMOVE);
    change.clear_after();
    Commit(std::move(commit), journal->get(), &history_);
  }
  ASSERT_TRUE((*journal)->Rewrite(history_).ok());
  EXPECT_GT(std::filesystem::file_size(file_), 16u << 20) << "the commits are still there";
  EXPECT_FALSE((*journal)->overgrown());
}

TEST_F(JournalTest, WhatCannotBeReadOfItsBaseIsLeftOut) {
  Configuration base;
  base["modules/good"].mutable_module()->set_name("good");
  base["modules/"].mutable_module();
  {
    auto journal = Journal::Open(directory_, &history_);
    ASSERT_TRUE((*journal)->Rewrite(History(7, base)).ok());
  }
  History history;
  ASSERT_TRUE(Journal::Open(directory_, &history).ok());
  EXPECT_EQ(history.version(), 7u);
  EXPECT_EQ(history.current().size(), 1u);
}

}  // namespace
}  // namespace bess
