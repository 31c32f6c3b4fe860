// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/vlan_split.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

const std::string kPlain = EthernetFrame(kEtherTypeIpv4, "payload");

std::string Tagged(uint32_t tci, uint16_t type = kEtherTypeVlan) {
  return EthernetFrame(type, Be(tci, 2) + Be(kEtherTypeIpv4, 2) + "payload");
}

TEST(VLANSplitTest, HasAGateForEachVlan) {
  ModuleTester tester("VLANSplit", pb::VLANSplitArg());
  std::vector<std::string> sent;
  for (uint32_t vlan = 0; vlan < 4096; ++vlan) sent.push_back(Tagged(vlan));
  tester.Send(0, sent);
  for (uint32_t vlan = 0; vlan < 4096; ++vlan) {
    ASSERT_THAT(tester.Received(vlan), ElementsAre(kPlain)) << vlan;
  }
}

TEST(VLANSplitTest, PriorityDoesNotMatter) {
  ModuleTester tester("VLANSplit", pb::VLANSplitArg());
  tester.Send(0, {Tagged(0x0005), Tagged(0x1005), Tagged(0xf005), Tagged(0x2005, kEtherTypeQinQ)});
  EXPECT_THAT(tester.Received(5), ElementsAre(kPlain, kPlain, kPlain, kPlain));
}

TEST(VLANSplitTest, SendsPacketsWithoutATagToGate0) {
  ModuleTester tester("VLANSplit", pb::VLANSplitArg());
  tester.Send(0, {kPlain, Tagged(0xe000)});
  EXPECT_THAT(tester.Received(0), ElementsAre(kPlain, kPlain));
}

TEST(VLANSplitTest, TakesOnlyTheOutermostTagOff) {
  ModuleTester tester("VLANSplit", pb::VLANSplitArg());
  const std::string inside = Be(6, 2) + Be(kEtherTypeIpv4, 2) + "payload";
  tester.Send(0, {EthernetFrame(kEtherTypeQinQ, Be(9, 2) + Be(kEtherTypeVlan, 2) + inside)});
  EXPECT_THAT(tester.Received(9), ElementsAre(EthernetFrame(kEtherTypeVlan, inside)));
}

TEST(VLANSplitTest, DropsPacketsCutInsideTheTag) {
  ModuleTester tester("VLANSplit", pb::VLANSplitArg());
  for (size_t n = 0; n < 18; ++n) tester.Send(0, {Tagged(5).substr(0, n)});
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 18u);
}

}  // namespace
}  // namespace bess
