// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/merge.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

TEST(MergeTest, JoinsAllInputGatesInOrder) {
  ModuleTester tester("Merge", pb::MergeArg());
  tester.Send(0, {"a", "b"});
  tester.Send(8191, {"c"});
  tester.Send(1, {"d"});
  EXPECT_THAT(tester.Received(0), ElementsAre("a", "b", "c", "d"));
}

TEST(MergeTest, HasAsManyInputGatesAsThereCanBe) {
  const ModuleInfo& info = ModuleRegistry::Get().Find("Merge")->info;
  EXPECT_EQ(info.igates, kMaxGates);
  EXPECT_EQ(info.ogates, 1u);
  EXPECT_TRUE(info.igates_alike);
}

}  // namespace
}  // namespace bess
