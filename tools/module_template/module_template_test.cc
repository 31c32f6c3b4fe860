// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/module_template.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

pb::ModuleTemplateArg AtLeast(uint32_t min_length) {
  pb::ModuleTemplateArg arg;
  arg.set_min_length(min_length);
  return arg;
}

TEST(ModuleTemplateTest, DropsWhatIsShorter) {
  ModuleTester tester("ModuleTemplate", AtLeast(3));
  tester.Send(0, {"ab", "abc", "abcd"});
  EXPECT_THAT(tester.Received(0), ElementsAre("abc", "abcd"));
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
}

TEST(ModuleTemplateTest, SetTakesEffectAtOnce) {
  ModuleTester tester("ModuleTemplate", AtLeast(0));
  ASSERT_TRUE(tester.Command("set", AtLeast(2)).ok());
  tester.Send(0, {"a", "ab"});
  EXPECT_THAT(tester.Received(0), ElementsAre("ab"));
}

TEST(ModuleTemplateTest, RefusesLengthsNoPacketHas) {
  EXPECT_FALSE(ModuleTester("ModuleTemplate", AtLeast(65536)).ok());
  ModuleTester tester("ModuleTemplate", AtLeast(1));
  EXPECT_FALSE(tester.Command("set", AtLeast(65536)).ok());
}

}  // namespace
}  // namespace bess
