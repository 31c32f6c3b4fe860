// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/macswap.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

TEST(MACSwapTest, ExchangesTheAddresses) {
  ModuleTester tester("MACSwap", pb::MACSwapArg());
  tester.Send(0, {"DDDDDDSSSSSSttpayload", "123456abcdefty"});
  EXPECT_THAT(tester.Received(0), ElementsAre("SSSSSSDDDDDDttpayload", "abcdef123456ty"));
}

TEST(MACSwapTest, DropsWhatHasNoWholeEthernetHeader) {
  ModuleTester tester("MACSwap", pb::MACSwapArg());
  tester.Send(0, {"", "DDDDDDSSSSSSt", "DDDDDDSSSSSStt"});
  EXPECT_THAT(tester.Received(0), ElementsAre("SSSSSSDDDDDDtt"));
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 2u);
}

TEST(MACSwapTest, KeepsItsBessTemplateName) {
  EXPECT_EQ(ModuleRegistry::Get().Find("MACSwap")->info.template_name, "macswap");
}

}  // namespace
}  // namespace bess
