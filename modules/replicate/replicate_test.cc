// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <numeric>

#include "core/graph/module_tester.h"
#include "modules/replicate.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

pb::ReplicateArg To(const std::vector<int64_t>& gates) {
  pb::ReplicateArg arg;
  arg.mutable_gates()->Assign(gates.begin(), gates.end());
  return arg;
}

absl::Status SetGates(ModuleTester& tester, const std::vector<int64_t>& gates) {
  pb::ReplicateCommandSetGatesArg arg;
  arg.mutable_gates()->Assign(gates.begin(), gates.end());
  return tester.Command("set_gates", arg);
}

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(ReplicateTest, SendsThePacketToTheFirstGateAndCopiesToTheOthers) {
  ModuleTester tester("Replicate", To({2, 0, 31}));
  Packet* packet = tester.host().pool().Make("original");
  packet->metadata()[0] = 'm';
  tester.SendPackets(0, {packet});
  for (const uint32_t gate : {2u, 0u, 31u}) {
    EXPECT_THAT(tester.Received(gate), ElementsAre("original"));
    EXPECT_THAT(tester.metadata(gate), ElementsAre(StartsWith("m")));
  }
  EXPECT_EQ(tester.module().totals().created, 2u);
}

TEST(ReplicateTest, KeepsTheOrderOfFullBatches) {
  ModuleTester tester("Replicate", To({0, 1}));
  std::vector<std::string> packets;
  for (int i = 0; i < 130; ++i) packets.push_back(std::to_string(i));
  tester.Send(0, packets);
  EXPECT_EQ(tester.Received(0), packets);
  EXPECT_EQ(tester.Received(1), packets);
}

TEST(ReplicateTest, SendsSeveralToAGateThatIsListedSeveralTimes) {
  ModuleTester tester("Replicate", To({1, 1, 1}));
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(1), ElementsAre("a", "a", "a"));
}

TEST(ReplicateTest, PassesPacketsOnByGate0WithoutGates) {
  ModuleTester tester("Replicate", To({}));
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(0), ElementsAre("a"));
  EXPECT_EQ(tester.module().totals().created, 0u);
}

TEST(ReplicateTest, ChangesTheGates) {
  ModuleTester tester("Replicate", To({0}));
  EXPECT_TRUE(SetGates(tester, {4, 5}).ok());
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(0), IsEmpty());
  EXPECT_THAT(tester.Received(4), ElementsAre("a"));
  EXPECT_THAT(tester.Received(5), ElementsAre("a"));
}

TEST(ReplicateTest, ChecksEachGateWhenMadeAndLater) {
  ExpectRefused(ModuleTester("Replicate", To({0, 32})).status(),
                "'gates[1]' must be a gate, 0..31, not 32");
  ExpectRefused(ModuleTester("Replicate", To({-1})).status(), "not -1");
  ExpectRefused(ModuleTester("Replicate", To({65536})).status(), "not 65536");
  ExpectRefused(ModuleTester("Replicate", To(std::vector<int64_t>(33, 0))).status(),
                "'gates' takes at most 32 gates, not 33");
  ModuleTester tester("Replicate", To({3}));
  ExpectRefused(SetGates(tester, {0, 1, 32}), "'gates[2]'");
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(3), ElementsAre("a"));
}

TEST(ReplicateTest, CanServeAllItsGates) {
  std::vector<int64_t> gates(32);
  std::iota(gates.begin(), gates.end(), 0);
  ModuleTester tester("Replicate", To(gates));
  tester.Send(0, std::vector<std::string>(64, "a"));
  for (uint32_t gate = 0; gate < 32; ++gate) EXPECT_EQ(tester.count(gate), 64u);
}

TEST(ReplicateTest, ShowsCopiesThatCouldNotBeMade) {
  ModuleTester tester("Replicate", To({0, 1}), std::make_shared<FakeHost>(3));
  tester.Send(0, {"a", "b"});
  EXPECT_THAT(tester.Received(0), ElementsAre("a", "b"));
  EXPECT_THAT(tester.Received(1), ElementsAre("a"));
  EXPECT_EQ(tester.dropped(DropReason::kNoBuffers), 1u);
}

// A copy elsewhere could be seen by who may not see the original. That one's pool has no more.
TEST(ReplicateTest, CopiesStayInThePoolOfTheOriginal) {
  const auto other = PacketPool::CreateOnHeap(1);
  ModuleTester tester("Replicate", To({0, 1}));
  tester.SendPackets(0, {other->Make("a")});
  EXPECT_THAT(tester.Received(0), ElementsAre("a"));
  EXPECT_EQ(tester.count(1), 0u);
  EXPECT_EQ(tester.dropped(DropReason::kNoBuffers), 1u);
}

// BESS could copy only what lies in one segment.
TEST(ReplicateTest, CopiesLongPacketsWhole) {
  const std::string bytes = std::string(2000, 'a') + std::string(3000, 'b');
  const std::string_view view = bytes;
  ModuleTester tester("Replicate", To({0, 1}));
  PacketPool& pool = tester.host().pool();
  tester.SendPackets(0, {pool.MakeChain({view.substr(0, 2000), view.substr(2000)})});
  tester.Send(0, {bytes});
  EXPECT_THAT(tester.Received(0), ElementsAre(bytes, bytes));
  EXPECT_THAT(tester.Received(1), ElementsAre(bytes, bytes));
}

TEST(ReplicateTest, ALongCopyIsMadeWholeOrNotAtAll) {
  ModuleTester tester("Replicate", To({0, 1}), std::make_shared<FakeHost>(3));
  tester.Send(0, {std::string(3 * kDefaultDataRoom, 'a')});
  EXPECT_EQ(tester.count(0), 1u);
  EXPECT_EQ(tester.count(1), 0u);
  EXPECT_EQ(tester.dropped(DropReason::kNoBuffers), 1u) << "two buffers are left of three";
}

TEST(ReplicateTest, CannotCopyWhatIsLongerThanAnyPortLetsIn) {
  const std::string part(50000, 'a');
  ModuleTester tester("Replicate", To({0, 1}));
  tester.SendPackets(0, {tester.host().pool().MakeChain({part, part, part})});
  EXPECT_EQ(tester.count(0), 1u);
  EXPECT_EQ(tester.count(1), 0u);
  EXPECT_EQ(tester.dropped(DropReason::kTooLong), 1u);
}

}  // namespace
}  // namespace bess
