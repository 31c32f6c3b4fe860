// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "modules/queue.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::QueueArg Sized(uint64_t size, bool prefetch = false) {
  pb::QueueArg arg;
  arg.set_size(size);
  arg.set_prefetch(prefetch);
  return arg;
}

absl::Status SetSize(ModuleTester& tester, uint64_t size) {
  pb::QueueCommandSetSizeArg arg;
  arg.set_size(size);
  return tester.Command("set_size", arg);
}

absl::Status SetBurst(ModuleTester& tester, uint64_t burst) {
  pb::QueueCommandSetBurstArg arg;
  arg.set_burst(burst);
  return tester.Command("set_burst", arg);
}

pb::QueueCommandGetStatusResponse Status(ModuleTester& tester) {
  pb::QueueCommandGetStatusResponse status;
  EXPECT_TRUE(tester.Command("get_status", pb::QueueCommandGetStatusArg(), &status).ok());
  return status;
}

pb::QueueArg Config(ModuleTester& tester) {
  pb::QueueArg config;
  EXPECT_TRUE(tester.Command("get_runtime_config", pb::EmptyArg(), &config).ok());
  return config;
}

void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(QueueTest, HoldsPacketsUntilItsTaskRuns) {
  for (const bool prefetch : {false, true}) {
    ModuleTester tester("Queue", Sized(0, prefetch));
    EXPECT_TRUE(tester.module().info().holds_packets);
    tester.Send(0, {"a", "bcd"});
    EXPECT_EQ(tester.count(0), 0u);
    EXPECT_EQ(tester.module().held(), 2u);
    const TaskResult result = tester.RunTask();
    EXPECT_EQ(result.packets, 2u);
    EXPECT_EQ(result.bits, (1u + 3u + 2 * 24u) * 8u);
    EXPECT_FALSE(result.blocked);
    EXPECT_THAT(tester.Received(0), ElementsAre("a", "bcd"));
    EXPECT_EQ(tester.module().held(), 0u);
    EXPECT_TRUE(tester.RunTask().blocked);
  }
}

TEST(QueueTest, DropsWhatThereIsNoRoomFor) {
  ModuleTester tester("Queue", Sized(4));
  tester.Send(0, {"a", "b", "c", "d", "e", "f"});
  EXPECT_EQ(tester.dropped(DropReason::kQueueFull), 2u);
  tester.RunTask();
  EXPECT_THAT(tester.Received(0), ElementsAre("a", "b", "c", "d"));
}

TEST(QueueTest, HasRoomFor1024PacketsByDefault) {
  ModuleTester tester("Queue", pb::QueueArg());
  tester.Send(0, std::vector<std::string>(1025, "a"));
  EXPECT_EQ(tester.module().held(), 1024u);
  EXPECT_EQ(Config(tester).size(), 1024u);
}

TEST(QueueTest, TakesEachPowerOfTwoInRange) {
  for (uint64_t size = 4; size <= 16384; size *= 2) {
    ModuleTester tester("Queue", Sized(size));
    tester.Send(0, std::vector<std::string>(size + 1, "a"));
    EXPECT_EQ(tester.module().held(), size);
  }
}

// So that a daemon that restarts, or a copy of the module, has it too.
TEST(QueueTest, TheBurstIsPartOfTheConfiguration) {
  pb::QueueArg arg = Sized(8);
  arg.set_burst(0);
  ModuleTester tester("Queue", arg);
  tester.Send(0, {"a", "b", "c"});
  EXPECT_EQ(tester.RunTask().packets, 0u);
  EXPECT_TRUE(SetBurst(tester, 2).ok());
  EXPECT_EQ(Config(tester).burst(), 2u);
  EXPECT_EQ(tester.RunTask().packets, 2u);
  arg.set_burst(65);
  arg.set_size(16);
  ExpectRefused(tester.Command("set_runtime_config", arg), EINVAL, "'burst' must be 0..64");
  EXPECT_EQ(Config(tester).size(), 8u);
  EXPECT_EQ(Config(tester).burst(), 2u);
  EXPECT_TRUE(tester.Command("set_runtime_config", Sized(8)).ok());
  EXPECT_FALSE(Config(tester).has_burst()) << "the default is not worth a word";
}

TEST(QueueTest, RefusesOtherSizes) {
  ModuleTester tester("Queue", Sized(8));
  for (const uint64_t size : {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{5}, uint64_t{1000},
                              uint64_t{32768}, (uint64_t{1} << 32) + 8, uint64_t{1} << 63}) {
    const std::string text = absl::StrCat("'size' must be a power of two, 4..16384, not ", size);
    ExpectRefused(ModuleTester("Queue", Sized(size)).status(), EINVAL, text);
    ExpectRefused(SetSize(tester, size), EINVAL, text);
    ExpectRefused(tester.Command("set_runtime_config", Sized(size, true)), EINVAL, text);
  }
  ExpectRefused(SetSize(tester, 0), EINVAL, "not 0");
  EXPECT_EQ(Config(tester).size(), 8u);
  EXPECT_FALSE(Config(tester).prefetch());
}

TEST(QueueTest, ChangesItsSizeWithoutLosingOrReorderingPackets) {
  ModuleTester tester("Queue", Sized(8));
  tester.Send(0, {"a", "b", "c", "d", "e", "f"});
  EXPECT_TRUE(SetSize(tester, 4).ok());
  tester.Send(0, {"g"});
  EXPECT_EQ(tester.module().held(), 7u);
  EXPECT_EQ(Status(tester).size(), 4u);
  EXPECT_TRUE(SetBurst(tester, 3).ok());
  for (int i = 0; i < 3; ++i) tester.RunTask();
  EXPECT_THAT(tester.Received(0), ElementsAre("a", "b", "c", "d", "e", "f", "g"));
  EXPECT_EQ(tester.all_dropped(), 0u);
}

TEST(QueueTest, PassesOnAtMostABurst) {
  ModuleTester tester("Queue", Sized(0));
  tester.Send(0, std::vector<std::string>(100, "a"));
  EXPECT_EQ(tester.RunTask().packets, 64u);
  EXPECT_TRUE(SetBurst(tester, 5).ok());
  ExpectRefused(SetBurst(tester, 65), EINVAL, "'burst' must be 0..64 packets, not 65");
  ExpectRefused(SetBurst(tester, uint64_t{1} << 40), EINVAL, "not 1099511627776");
  EXPECT_EQ(tester.RunTask().packets, 5u);
  EXPECT_TRUE(SetBurst(tester, 0).ok());
  EXPECT_TRUE(tester.RunTask().blocked);
  EXPECT_EQ(tester.module().held(), 31u);
}

TEST(QueueTest, CountsWhatComesAndGoes) {
  ModuleTester tester("Queue", Sized(4));
  tester.Send(0, {"a", "b", "c", "d", "e"});
  EXPECT_TRUE(SetBurst(tester, 1).ok());
  tester.RunTask();
  const auto status = Status(tester);
  EXPECT_EQ(status.count(), 3u);
  EXPECT_EQ(status.size(), 4u);
  EXPECT_EQ(status.enqueued(), 4u);
  EXPECT_EQ(status.dequeued(), 1u);
  EXPECT_EQ(status.dropped(), 1u);
}

TEST(QueueTest, GivesAndTakesItsSettings) {
  ModuleTester tester("Queue", Sized(8));
  tester.Send(0, {"a"});
  EXPECT_TRUE(tester.Command("set_runtime_config", Sized(32, true)).ok());
  EXPECT_EQ(Config(tester).size(), 32u);
  EXPECT_TRUE(Config(tester).prefetch());
  EXPECT_TRUE(tester.Command("set_runtime_config", pb::QueueArg()).ok());
  EXPECT_EQ(Config(tester).size(), 1024u);
  EXPECT_FALSE(Config(tester).prefetch());
  tester.RunTask();
  EXPECT_THAT(tester.Received(0), ElementsAre("a"));
}

pb::QueueArg Braking(uint64_t size) {
  pb::QueueArg arg = Sized(size);
  arg.set_backpressure(true);
  return arg;
}

TEST(QueueTest, BrakesFrom90PercentDownTo15) {
  ModuleTester tester("Queue", Braking(128));
  EXPECT_TRUE(Config(tester).backpressure());
  const Brake& brake = *tester.module().brake();
  tester.Send(0, std::vector<std::string>(114, "a"));
  EXPECT_FALSE(brake.on());
  tester.Send(0, {"b"});
  EXPECT_TRUE(brake.on());
  tester.RunTask();
  EXPECT_TRUE(brake.on()) << "51 are left";
  EXPECT_TRUE(SetBurst(tester, 32).ok());
  tester.RunTask();
  EXPECT_FALSE(brake.on()) << "19 are left";
  EXPECT_EQ(tester.all_dropped(), 0u);
}

TEST(QueueTest, BrakesByItsPresentSize) {
  ModuleTester tester("Queue", Braking(128));
  EXPECT_TRUE(SetSize(tester, 16).ok());
  tester.Send(0, std::vector<std::string>(14, "a"));
  EXPECT_TRUE(tester.module().brake()->on());
}

TEST(QueueTest, BrakesOnlyWhenToldTo) {
  ModuleTester tester("Queue", Sized(16));
  tester.Send(0, std::vector<std::string>(16, "a"));
  EXPECT_FALSE(tester.module().brake()->on());
  EXPECT_FALSE(Config(tester).backpressure());
  EXPECT_TRUE(tester.Command("set_runtime_config", Braking(16)).ok());
  tester.Send(0, {"b"});
  EXPECT_TRUE(tester.module().brake()->on());
  EXPECT_TRUE(tester.Command("set_runtime_config", Sized(16)).ok());
  EXPECT_FALSE(tester.module().brake()->on());
}

TEST(QueueTest, GivesUpWhatItHolds) {
  ModuleTester tester("Queue", Sized(128));
  tester.Send(0, std::vector<std::string>(100, "a"));
  EXPECT_TRUE(SetSize(tester, 64).ok());
  tester.Send(0, {"b"});
  // The tester's end compares what Discard returns with held(), and looks for leaks.
  EXPECT_EQ(tester.module().held(), 101u);
}

}  // namespace
}  // namespace bess
