// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/port_inc.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

pb::PortIncArg From(const std::string& port, bool prefetch = false) {
  pb::PortIncArg arg;
  arg.set_port(port);
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
  pb::PortIncCommandSetBurstArg arg;
  arg.set_burst(burst);
  return tester.Command("set_burst", arg);
}

void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(PortIncTest, HasATaskForEachQueue) {
  for (const bool prefetch : {false, true}) {
    auto host = HostWithPort(3);
    ModuleTester tester("PortInc", From("p", prefetch), host);
    ASSERT_EQ(tester.module().tasks().size(), 3u);
    Arrive(*host, 0, {"zero"});
    Arrive(*host, 2, {"two", "three"});
    EXPECT_TRUE(tester.RunTask(1).blocked);
    EXPECT_THAT(tester.Received(0), IsEmpty());
    const TaskResult result = tester.RunTask(2);
    EXPECT_EQ(result.packets, 2u);
    EXPECT_EQ(result.bits, (3u + 5u + 2 * 24u) * 8u);
    EXPECT_FALSE(result.blocked);
    EXPECT_THAT(tester.Received(0), ElementsAre("two", "three"));
    tester.RunTask(0);
    EXPECT_THAT(tester.Received(0), ElementsAre("zero"));
    EXPECT_EQ(tester.module().totals().created, 3u);
  }
}

TEST(PortIncTest, ReceivesAtMostABurst) {
  auto host = HostWithPort(1);
  ModuleTester tester("PortInc", From("p"), host);
  Arrive(*host, 0, std::vector<std::string>(80, "a"));
  EXPECT_TRUE(SetBurst(tester, 5).ok());
  EXPECT_EQ(tester.RunTask().packets, 5u);
  ExpectRefused(SetBurst(tester, 65), EINVAL, "'burst' must be 0..64 packets, not 65");
  ExpectRefused(SetBurst(tester, (uint64_t{1} << 32) + 1), EINVAL, "not 4294967297");
  EXPECT_EQ(tester.RunTask().packets, 5u);
  EXPECT_TRUE(SetBurst(tester, 0).ok());
  EXPECT_TRUE(tester.RunTask().blocked);
  EXPECT_TRUE(SetBurst(tester, 64).ok());
  EXPECT_EQ(tester.RunTask().packets, 64u);
  EXPECT_EQ(tester.RunTask().packets, 6u);
}

TEST(PortIncTest, NeedsAPortThatNobodyReceivesFrom) {
  auto host = HostWithPort(1);
  ExpectRefused(ModuleTester("PortInc", From(""), host).status(), EINVAL, "'port'");
  ExpectRefused(ModuleTester("PortInc", From("q"), host).status(), ENODEV, "'q'");
  ModuleTester first("PortInc", From("p"), host);
  EXPECT_TRUE(first.ok());
  ExpectRefused(ModuleTester("PortInc", From("p"), host).status(), EBUSY, "'p'");
}

TEST(PortIncTest, CannotServeMoreQueuesThanAModuleHasTasks) {
  ExpectRefused(ModuleTester("PortInc", From("p"), HostWithPort(33)).status(), EINVAL,
                "port 'p' has 33 receive queues; one PortInc can serve 1..32");
  EXPECT_TRUE(ModuleTester("PortInc", From("p"), HostWithPort(32)).ok());
}

TEST(PortIncTest, GivesThePortBackWhenItIsDiscarded) {
  auto host = HostWithPort(1);
  ModuleTester first("PortInc", From("p"), host);
  EXPECT_EQ(first.module().Discard(), 0u);
  EXPECT_TRUE(ModuleTester("PortInc", From("p"), host).ok());
  EXPECT_EQ(first.module().Description(), "p");
}

}  // namespace
}  // namespace bess
