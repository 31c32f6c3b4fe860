// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/vlan_pop.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

const std::string kPlain = EthernetFrame(kEtherTypeIpv4, "payload");

std::string Tagged(uint16_t type) {
  return EthernetFrame(type, Be(0xa005, 2) + Be(kEtherTypeIpv4, 2) + "payload");
}

TEST(VLANPopTest, TakesOneTagOff) {
  ModuleTester tester("VLANPop", pb::VLANPopArg());
  const std::string inside = Be(5, 2) + Be(kEtherTypeIpv4, 2) + "payload";
  tester.Send(0, {Tagged(kEtherTypeVlan), Tagged(kEtherTypeQinQ),
                  EthernetFrame(kEtherTypeQinQ, Be(6, 2) + Be(kEtherTypeVlan, 2) + inside)});
  EXPECT_THAT(tester.Received(0),
              ElementsAre(kPlain, kPlain, EthernetFrame(kEtherTypeVlan, inside)));
}

TEST(VLANPopTest, LeavesOtherPacketsAlone) {
  ModuleTester tester("VLANPop", pb::VLANPopArg());
  const std::string arp = EthernetFrame(kEtherTypeArp, "");
  tester.Send(0, {kPlain, arp});
  EXPECT_THAT(tester.Received(0), ElementsAre(kPlain, arp));
}

TEST(VLANPopTest, DropsPacketsCutInsideTheTag) {
  ModuleTester tester("VLANPop", pb::VLANPopArg());
  for (size_t n = 0; n < 18; ++n) tester.Send(0, {Tagged(kEtherTypeVlan).substr(0, n)});
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 18u);
  tester.Send(0, {Tagged(kEtherTypeVlan).substr(0, 18)});
  EXPECT_THAT(tester.Received(0), ElementsAre(kPlain.substr(0, 14)));
}

}  // namespace
}  // namespace bess
