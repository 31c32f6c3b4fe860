// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/sink.pb.h"

namespace bess {
namespace {

TEST(SinkTest, ConsumesAndGivesTheBuffersBack) {
  ModuleTester tester("Sink", pb::SinkArg());
  tester.Send(0, std::vector<std::string>(65, "packet"));
  tester.Send(0, {""});
  EXPECT_EQ(tester.module().totals().consumed, 66u);
  EXPECT_EQ(tester.all_dropped(), 0u);
  EXPECT_EQ(tester.host().pool().in_use(), 0u);
}

TEST(SinkTest, HasNoOutputGate) { EXPECT_EQ(ModuleRegistry::Get().Find("Sink")->info.ogates, 0u); }

}  // namespace
}  // namespace bess
