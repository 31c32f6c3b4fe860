// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/clock.h"
#include "core/graph/module_tester.h"
#include "modules/bypass.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

TEST(BypassTest, KeepsTheGateAndTheOrder) {
  ModuleTester tester("Bypass", pb::BypassArg());
  tester.Send(0, {"a", "b"});
  tester.Send(5, {"c"});
  EXPECT_THAT(tester.Received(0), ElementsAre("a", "b"));
  EXPECT_THAT(tester.Received(5), ElementsAre("c"));
}

TEST(BypassTest, BurnsTheCyclesAskedFor) {
  pb::BypassArg arg;
  arg.set_cycles_per_batch(100000);
  arg.set_cycles_per_packet(50000);
  arg.set_cycles_per_byte(10000);
  ModuleTester tester("Bypass", arg);
  const uint64_t start = Cycles();
  tester.Send(0, {"1234567890", "12345"});
  EXPECT_GE(Cycles() - start, 100000u + 2 * 50000u + 15 * 10000u);
  EXPECT_EQ(tester.count(0), 2u);
}

}  // namespace
}  // namespace bess
