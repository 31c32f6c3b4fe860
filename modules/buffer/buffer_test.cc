// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/buffer.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

pb::BufferArg Waiting(uint64_t microseconds) {
  pb::BufferArg arg;
  arg.set_max_wait_us(microseconds);
  return arg;
}

class BufferTest : public testing::Test {
 protected:
  void SetUp() override { PassMicroseconds(0); }
  void PassMicroseconds(double us) {
    now_ += NanosecondsToCycles(us * 1e3);
    tester_.SetNow(now_);
  }
  std::vector<std::string> Run() {
    tester_.RunTask();
    return tester_.Received(0);
  }

  uint64_t now_ = 1000000;
  ModuleTester tester_{"Buffer", pb::BufferArg()};
};

TEST_F(BufferTest, WaitsUntilABatchIsFull) {
  tester_.Send(0, std::vector<std::string>(63, "a"));
  EXPECT_THAT(Run(), IsEmpty());
  EXPECT_EQ(tester_.module().held(), 63u);
  tester_.Send(0, {"b", "c"});
  auto expected = std::vector<std::string>(63, "a");
  expected.push_back("b");
  EXPECT_EQ(Run(), expected);
  EXPECT_EQ(tester_.module().held(), 1u);
}

// In BESS the last packets waited for ever.
TEST_F(BufferTest, NoPacketWaitsLongerThanTheLimit) {
  tester_.Send(0, {"a"});
  EXPECT_THAT(Run(), IsEmpty());
  PassMicroseconds(60);
  tester_.Send(0, {"b"});
  EXPECT_THAT(Run(), IsEmpty());
  PassMicroseconds(41);
  EXPECT_THAT(Run(), ElementsAre("a", "b"));
  EXPECT_THAT(Run(), IsEmpty());
}

TEST_F(BufferTest, WhatStaysBehindABatchWaitsAnew) {
  tester_.Send(0, {"a"});
  EXPECT_THAT(Run(), IsEmpty());
  PassMicroseconds(99);
  tester_.Send(0, std::vector<std::string>(64, "b"));
  EXPECT_EQ(Run().size(), 64u);
  PassMicroseconds(99);
  EXPECT_THAT(Run(), IsEmpty());
  PassMicroseconds(2);
  EXPECT_THAT(Run(), ElementsAre("b"));
}

TEST_F(BufferTest, ALongPauseBeforeAPacketIsNoWait) {
  tester_.Send(0, {"a"});
  Run();
  PassMicroseconds(101);
  EXPECT_THAT(Run(), ElementsAre("a"));
  EXPECT_THAT(Run(), IsEmpty());
  PassMicroseconds(1000);
  tester_.Send(0, {"b"});
  EXPECT_THAT(Run(), IsEmpty());
}

TEST_F(BufferTest, GivesOutAllWholeBatchesInOrder) {
  std::vector<std::string> sent;
  for (int i = 0; i < 300; ++i) sent.push_back(std::to_string(i));
  tester_.Send(0, sent);
  const TaskResult result = tester_.RunTask();
  EXPECT_EQ(result.packets, 256u);
  uint64_t bytes = 0;
  for (int i = 0; i < 256; ++i) bytes += sent[static_cast<size_t>(i)].size() + 24;
  EXPECT_EQ(result.bits, bytes * 8);
  EXPECT_EQ(tester_.Received(0), std::vector(sent.begin(), sent.begin() + 256));
}

TEST_F(BufferTest, LetsTheWorkerRestOnlyWhenNothingWaits) {
  EXPECT_TRUE(tester_.RunTask().blocked);
  tester_.Send(0, {"a"});
  EXPECT_FALSE(tester_.RunTask().blocked);
  PassMicroseconds(101);
  EXPECT_FALSE(tester_.RunTask().blocked);
  EXPECT_TRUE(tester_.RunTask().blocked);
}

TEST_F(BufferTest, DropsWhatThereIsNoRoomForAndGivesUpTheRest) {
  tester_.Send(0, std::vector<std::string>(4100, "a"));
  EXPECT_EQ(tester_.dropped(DropReason::kQueueFull), 4u);
  // The tester's end compares what Discard returns with held(), and looks for leaks.
  EXPECT_EQ(tester_.module().held(), 4096u);
}

TEST(BufferLimitTest, IsAsTheArgumentSays) {
  for (const uint64_t limit : {uint64_t{1}, uint64_t{100}, uint64_t{1000000}}) {
    ModuleTester tester("Buffer", Waiting(limit));
    const uint64_t start = 1000;
    tester.SetNow(start);
    tester.Send(0, {"a"});
    tester.RunTask();
    const uint64_t wait = NanosecondsToCycles(static_cast<double>(limit) * 1e3);
    tester.SetNow(start + wait - 1);
    tester.RunTask();
    EXPECT_THAT(tester.Received(0), IsEmpty());
    tester.SetNow(start + wait);
    tester.RunTask();
    EXPECT_THAT(tester.Received(0), ElementsAre("a"));
  }
}

TEST(BufferLimitTest, HasABound) {
  for (const uint64_t limit : {uint64_t{1000001}, uint64_t{1} << 32, ~uint64_t{0}}) {
    const absl::Status status = ModuleTester("Buffer", Waiting(limit)).status();
    EXPECT_EQ(StatusErrno(status), EINVAL);
    EXPECT_THAT(
        std::string(status.message()),
        HasSubstr(absl::StrCat("'max_wait_us' must be 0..1000000 microseconds, not ", limit)));
  }
}

}  // namespace
}  // namespace bess
