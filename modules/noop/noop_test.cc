// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "modules/noop.pb.h"

namespace bess {
namespace {

TEST(NoOPTest, HasATaskThatDoesNothingAndNeverRests) {
  ModuleTester tester("NoOP", pb::EmptyArg());
  ASSERT_EQ(tester.module().tasks().size(), 1u);
  const TaskResult result = tester.RunTask();
  EXPECT_EQ(result.packets, 0u);
  EXPECT_EQ(result.bits, 0u);
  EXPECT_FALSE(result.blocked);
}

TEST(NoOPTest, HasNoGates) {
  const ModuleInfo& info = ModuleRegistry::Get().Find("NoOP")->info;
  EXPECT_EQ(info.igates, 0u);
  EXPECT_EQ(info.ogates, 0u);
  EXPECT_EQ(info.template_name, "noop");
}

TEST(NoOPTest, TakesTheMessageOfOldClients) {
  EXPECT_TRUE(ModuleTester("NoOP", pb::NoOpArg()).ok());
}

}  // namespace
}  // namespace bess
