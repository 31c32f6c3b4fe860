// SPDX-License-Identifier: Apache-2.0
#include "core/match/live_rules.h"

#include <gtest/gtest.h>

#include "core/base/status.h"
#include "core/graph/fake_host_testing.h"

namespace bess {
namespace {

struct Numbers : WithDefaultGate {
  explicit Numbers(int n) : number(n) {}
  const int number;
};

TEST(LiveRulesTest, MissesAreDroppedUntilSomebodySaysWhere) {
  Numbers rules(1);
  EXPECT_EQ(rules.Default(), kMaxGates);
  ASSERT_TRUE(rules.SetDefault("gate", 3).ok());
  EXPECT_EQ(rules.Default(), 3u);
  const absl::Status status = rules.SetDefault("gate", kMaxGates + 1);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_NE(status.message().find("gate"), status.message().npos);
  EXPECT_EQ(rules.Default(), 3u);
}

TEST(LiveRulesTest, AreExchangedWithTheirDefaultGate) {
  FakeHost host;
  LiveRules<Numbers> live;
  live.Swap(host, std::make_unique<Numbers>(1));
  ASSERT_TRUE(live.Get().SetDefault("gate", 3).ok());
  live.Swap(host, std::make_unique<Numbers>(2));
  EXPECT_EQ(live.Get().number, 2);
  EXPECT_EQ(live.Get().Default(), kMaxGates);
}

TEST(LiveRulesTest, ClearingKeepsTheDefaultGate) {
  FakeHost host;
  LiveRules<Numbers> live;
  live.Swap(host, std::make_unique<Numbers>(1));
  ASSERT_TRUE(live.Get().SetDefault("gate", 3).ok());
  live.Clear(host, std::make_unique<Numbers>(2));
  EXPECT_EQ(live.Get().number, 2);
  EXPECT_EQ(live.Get().Default(), 3u);
}

}  // namespace
}  // namespace bess
