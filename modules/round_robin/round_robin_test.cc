// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/round_robin.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::RoundRobinArg Over(const std::vector<int64_t>& gates, const std::string& mode = "") {
  pb::RoundRobinArg arg;
  for (const int64_t gate : gates) arg.add_gates(gate);
  arg.set_mode(mode);
  return arg;
}

absl::Status SetGates(ModuleTester& tester, const std::vector<int64_t>& gates) {
  pb::RoundRobinCommandSetGatesArg arg;
  for (const int64_t gate : gates) arg.add_gates(gate);
  return tester.Command("set_gates", arg);
}

absl::Status SetMode(ModuleTester& tester, const std::string& mode) {
  pb::RoundRobinCommandSetModeArg arg;
  arg.set_mode(mode);
  return tester.Command("set_mode", arg);
}

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(RoundRobinTest, EachBatchGoesToTheNextGate) {
  for (const char* mode : {"", "batch"}) {
    ModuleTester tester("RoundRobin", Over({5, 0, 8191}, mode));
    for (const char* bytes : {"a", "b", "c", "d"}) tester.Send(0, {bytes, bytes});
    EXPECT_THAT(tester.Received(5), ElementsAre("a", "a", "d", "d"));
    EXPECT_THAT(tester.Received(0), ElementsAre("b", "b"));
    EXPECT_THAT(tester.Received(8191), ElementsAre("c", "c"));
  }
}

TEST(RoundRobinTest, EachPacketGoesToTheNextGateAcrossBatches) {
  ModuleTester tester("RoundRobin", Over({1, 2, 3}, "packet"));
  tester.Send(0, {"a", "b"});
  tester.Send(0, {"c", "d", "e"});
  EXPECT_THAT(tester.Received(1), ElementsAre("a", "d"));
  EXPECT_THAT(tester.Received(2), ElementsAre("b", "e"));
  EXPECT_THAT(tester.Received(3), ElementsAre("c"));
}

TEST(RoundRobinTest, AGateThatIsListedTwiceGetsTwoTurns) {
  ModuleTester tester("RoundRobin", Over({1, 2, 1}, "packet"));
  tester.Send(0, std::vector<std::string>(300, "a"));
  EXPECT_EQ(tester.count(1), 200u);
  EXPECT_EQ(tester.count(2), 100u);
}

TEST(RoundRobinTest, DropsAllWithoutGates) {
  for (const char* mode : {"packet", "batch"}) {
    ModuleTester tester("RoundRobin", Over({}, mode));
    tester.Send(0, {"a", "b"});
    EXPECT_EQ(tester.dropped(DropReason::kNoGate), 2u);
  }
}

TEST(RoundRobinTest, ChangesItsGatesAndItsMode) {
  ModuleTester tester("RoundRobin", Over({0, 1, 2}, "packet"));
  tester.Send(0, {"a", "b"});
  EXPECT_TRUE(SetGates(tester, {7}).ok());
  tester.Send(0, {"c", "d"});
  EXPECT_THAT(tester.Received(7), ElementsAre("c", "d"));
  EXPECT_TRUE(SetGates(tester, {3, 4}).ok());
  EXPECT_TRUE(SetMode(tester, "batch").ok());
  tester.Send(0, {"e", "f"});
  EXPECT_EQ(tester.count(3) + tester.count(4), 2u);
  EXPECT_TRUE(tester.count(3) == 0 || tester.count(4) == 0);
}

TEST(RoundRobinTest, RefusesWhatIsNoGateAndNoModeAndKeepsItsOwn) {
  ModuleTester tester("RoundRobin", Over({1, 2}, "packet"));
  // In 16 bits, 65536 is gate 0.
  for (const int64_t gate : {int64_t{8192}, int64_t{-1}, int64_t{65536}, INT64_MIN}) {
    const std::string text = absl::StrCat("'gates[1]' must be a gate, 0..8191, not ", gate);
    ExpectRefused(ModuleTester("RoundRobin", Over({0, gate})).status(), text);
    ExpectRefused(SetGates(tester, {0, gate}), text);
  }
  ExpectRefused(SetGates(tester, std::vector<int64_t>(16385)), "at most 16384 gates, not 16385");
  ExpectRefused(ModuleTester("RoundRobin", Over({0}, "flow")).status(),
                "'mode' must be 'packet' or 'batch', not 'flow'");
  ExpectRefused(SetMode(tester, "Packet"), "not 'Packet'");
  tester.Send(0, {"a", "b"});
  EXPECT_THAT(tester.Received(1), ElementsAre("a"));
  EXPECT_THAT(tester.Received(2), ElementsAre("b"));
}

TEST(RoundRobinTest, TakesAsLongAListAsBess) {
  ModuleTester tester("RoundRobin", Over(std::vector<int64_t>(16384, 3), "packet"));
  tester.Send(0, {"a"});
  EXPECT_EQ(tester.count(3), 1u);
}

}  // namespace
}  // namespace bess
