// SPDX-License-Identifier: Apache-2.0
#include "core/control/journal.h"

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

}  // namespace
}  // namespace bess
