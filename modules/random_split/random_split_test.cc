// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/graph/module_tester.h"
#include "modules/random_split.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kPackets = 64000;

pb::RandomSplitArg Over(const std::vector<int64_t>& gates, double drop_rate = 0) {
  pb::RandomSplitArg arg;
  for (const int64_t gate : gates) arg.add_gates(gate);
  arg.set_drop_rate(drop_rate);
  return arg;
}

absl::Status SetGates(ModuleTester& tester, const std::vector<int64_t>& gates) {
  pb::RandomSplitCommandSetGatesArg arg;
  for (const int64_t gate : gates) arg.add_gates(gate);
  return tester.Command("set_gates", arg);
}

absl::Status SetDropRate(ModuleTester& tester, double rate) {
  pb::RandomSplitCommandSetDroprateArg arg;
  arg.set_drop_rate(rate);
  return tester.Command("set_droprate", arg);
}

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

void SendMany(ModuleTester& tester) {
  tester.Send(0, std::vector<std::string>(kPackets, std::string()));
}

// The generator is seeded with the module's name: what comes out is the same in each run. Six
// standard deviations are what a good one would exceed once in 5e8 times.
void ExpectShare(uint64_t count, double share) {
  EXPECT_NEAR(static_cast<double>(count), kPackets * share,
              6 * std::sqrt(kPackets * share * (1 - share)))
      << share;
}

TEST(RandomSplitTest, EveryGateGetsTheSameShare) {
  ModuleTester tester("RandomSplit", Over({0, 5, 8191}));
  SendMany(tester);
  for (const uint32_t gate : {0u, 5u, 8191u}) ExpectShare(tester.count(gate), 1.0 / 3);
  EXPECT_EQ(tester.all_dropped(), 0u);
}

TEST(RandomSplitTest, AGateThatIsListedTwiceGetsTwiceTheShare) {
  ModuleTester tester("RandomSplit", Over({1, 2, 1}));
  SendMany(tester);
  ExpectShare(tester.count(1), 2.0 / 3);
  ExpectShare(tester.count(2), 1.0 / 3);
}

TEST(RandomSplitTest, DropsItsShareAndSpreadsTheRest) {
  for (const double rate : {0.0, 0.01, 0.5, 0.99, 1.0}) {
    ModuleTester tester("RandomSplit", Over({0, 1}, rate));
    SendMany(tester);
    ExpectShare(tester.dropped(DropReason::kDenied), rate);
    ExpectShare(tester.count(0), (1 - rate) / 2);
    ExpectShare(tester.count(1), (1 - rate) / 2);
  }
}

TEST(RandomSplitTest, KeepsTheOrderOfEachGate) {
  ModuleTester tester("RandomSplit", Over({0, 1}));
  std::vector<std::string> sent;
  for (char c = '0'; c < 'p'; ++c) sent.emplace_back(1, c);
  tester.Send(0, sent);
  for (const uint32_t gate : {0u, 1u}) {
    const auto received = tester.Received(gate);
    EXPECT_TRUE(std::is_sorted(received.begin(), received.end()));
    EXPECT_FALSE(received.empty());
  }
}

TEST(RandomSplitTest, DropsAllWithoutGates) {
  ModuleTester tester("RandomSplit", Over({}, 0.5));
  tester.Send(0, {"a", "b"});
  EXPECT_EQ(tester.dropped(DropReason::kNoGate), 2u);
}

TEST(RandomSplitTest, ChangesItsGatesAndItsDropRate) {
  ModuleTester tester("RandomSplit", Over({0, 1}));
  EXPECT_TRUE(SetGates(tester, {7}).ok());
  tester.Send(0, {"a", "b"});
  EXPECT_THAT(tester.Received(7), ElementsAre("a", "b"));
  EXPECT_TRUE(SetDropRate(tester, 1).ok());
  tester.Send(0, {"c"});
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
  EXPECT_TRUE(SetDropRate(tester, 0).ok());
  tester.Send(0, {"d"});
  EXPECT_THAT(tester.Received(7), ElementsAre("d"));
}

TEST(RandomSplitTest, RefusesDropRatesThatAreNoProbability) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ModuleTester tester("RandomSplit", Over({3}));
  for (const double rate : {-0.001, 1.001, -kInfinity, kInfinity, std::nan("")}) {
    const std::string text = absl::StrCat("'drop_rate' must be 0..1, not ", rate);
    ExpectRefused(ModuleTester("RandomSplit", Over({0}, rate)).status(), text);
    ExpectRefused(SetDropRate(tester, rate), text);
  }
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(3), ElementsAre("a"));
}

// BESS named a value that was not the bad gate.
TEST(RandomSplitTest, NamesTheBadGateAndKeepsItsOwn) {
  ModuleTester tester("RandomSplit", Over({3}));
  // In 16 bits, 65536 is gate 0.
  for (const int64_t gate : {int64_t{8192}, int64_t{-1}, int64_t{65536}, INT64_MAX}) {
    const std::string text = absl::StrCat("'gates[1]' must be a gate, 0..8191, not ", gate);
    ExpectRefused(ModuleTester("RandomSplit", Over({0, gate})).status(), text);
    ExpectRefused(SetGates(tester, {0, gate}), text);
  }
  ExpectRefused(SetGates(tester, std::vector<int64_t>(16385)), "at most 16384 gates, not 16385");
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(3), ElementsAre("a"));
}

}  // namespace
}  // namespace bess
