// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/queue_inc.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::QueueIncArg From(const std::string& port, uint64_t qid, bool prefetch = false) {
  pb::QueueIncArg arg;
  arg.set_port(port);
  arg.set_qid(qid);
  arg.set_prefetch(prefetch);
  return arg;
}

std::shared_ptr<FakeHost> HostWithPort(uint32_t queues) {
  auto host = std::make_shared<FakeHost>();
  host->AddPort("p", queues);
  return host;
}

void Arrive(FakeHost& host, uint32_t queue, const std::vector<std::string>& packets) {
  for (const auto& bytes : packets) {
    host.ports.at("p").to_receive[queue].push_back(host.pool().Make(bytes));
  }
}

absl::Status SetBurst(ModuleTester& tester, uint64_t burst) {
  pb::QueueIncCommandSetBurstArg arg;
  arg.set_burst(burst);
  return tester.Command("set_burst", arg);
}

void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(QueueIncTest, ReceivesFromItsQueueOnly) {
  for (const bool prefetch : {false, true}) {
    auto host = HostWithPort(3);
    ModuleTester tester("QueueInc", From("p", 1, prefetch), host);
    ASSERT_EQ(tester.module().tasks().size(), 1u);
    EXPECT_EQ(tester.module().Description(), "p:1");
    Arrive(*host, 0, {"zero"});
    EXPECT_TRUE(tester.RunTask().blocked);
    Arrive(*host, 1, {"one", "two"});
    const TaskResult result = tester.RunTask();
    EXPECT_EQ(result.packets, 2u);
    EXPECT_EQ(result.bits, (3u + 3u + 2 * 24u) * 8u);
    EXPECT_FALSE(result.blocked);
    EXPECT_THAT(tester.Received(0), ElementsAre("one", "two"));
    EXPECT_EQ(tester.module().totals().created, 2u);
    FreePackets(&host->ports.at("p").to_receive[0].front(), 1);
  }
}

TEST(QueueIncTest, ReceivesAtMostABurst) {
  auto host = HostWithPort(1);
  ModuleTester tester("QueueInc", From("p", 0), host);
  Arrive(*host, 0, std::vector<std::string>(80, "a"));
  EXPECT_EQ(tester.RunTask().packets, 64u);
  EXPECT_TRUE(SetBurst(tester, 5).ok());
  ExpectRefused(SetBurst(tester, 65), EINVAL, "'burst' must be 0..64 packets, not 65");
  EXPECT_EQ(tester.RunTask().packets, 5u);
  EXPECT_TRUE(SetBurst(tester, 0).ok());
  EXPECT_TRUE(tester.RunTask().blocked);
  EXPECT_TRUE(SetBurst(tester, 64).ok());
  EXPECT_EQ(tester.RunTask().packets, 11u);
}

TEST(QueueIncTest, TwoOfThemShareAPortButNotAQueue) {
  auto host = HostWithPort(2);
  ModuleTester first("QueueInc", From("p", 0), host);
  ModuleTester second("QueueInc", From("p", 1), host);
  EXPECT_TRUE(first.ok() && second.ok());
  ExpectRefused(ModuleTester("QueueInc", From("p", 1), host).status(), EBUSY, "'test'");
  ExpectRefused(host->LeasePort("p", Direction::kReceive, "all", kAllQueues).status(), EBUSY,
                "'test'");
}

TEST(QueueIncTest, NeedsAPortAndAQueueOfIt) {
  auto host = HostWithPort(2);
  ExpectRefused(ModuleTester("QueueInc", From("", 0), host).status(), EINVAL, "'port'");
  ExpectRefused(ModuleTester("QueueInc", From("q", 0), host).status(), ENODEV, "'q'");
  ExpectRefused(ModuleTester("QueueInc", From("p", 2), host).status(), EINVAL, "2");
  ExpectRefused(ModuleTester("QueueInc", From("p", 128), host).status(), EINVAL, "'qid'");
}

// BESS cut the number to 8 bits: 256 was queue 0.
TEST(QueueIncTest, DoesNotCutTheNumberOfTheQueue) {
  auto host = HostWithPort(2);
  for (const uint64_t qid : {uint64_t{256}, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}}) {
    ExpectRefused(ModuleTester("QueueInc", From("p", qid), host).status(), EINVAL,
                  absl::StrCat("not ", qid));
  }
}

TEST(QueueIncTest, GivesTheQueueBackWhenItIsDiscarded) {
  auto host = HostWithPort(1);
  ModuleTester first("QueueInc", From("p", 0), host);
  EXPECT_EQ(first.module().Discard(), 0u);
  EXPECT_TRUE(ModuleTester("QueueInc", From("p", 0), host).ok());
}

}  // namespace
}  // namespace bess
