// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/vlan_push.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::VLANPushArg Tci(uint64_t tci) {
  pb::VLANPushArg arg;
  arg.set_tci(tci);
  return arg;
}

std::string Tagged(uint16_t type, uint16_t tci, uint16_t inner, const std::string& payload) {
  return EthernetFrame(type, Be(tci, 2) + Be(inner, 2) + payload);
}

TEST(VLANPushTest, TagsPacketsThatHaveNone) {
  for (const uint16_t tci : {0, 1, 0x0fff, 0x1000, 0xe005, 0xffff}) {
    ModuleTester tester("VLANPush", Tci(tci));
    tester.Send(0, {EthernetFrame(kEtherTypeIpv4, "payload"), EthernetFrame(kEtherTypeArp, "")});
    EXPECT_THAT(tester.Received(0),
                ElementsAre(Tagged(kEtherTypeVlan, tci, kEtherTypeIpv4, "payload"),
                            Tagged(kEtherTypeVlan, tci, kEtherTypeArp, "")));
  }
}

TEST(VLANPushTest, TagsPacketsThatHaveOneWithAServiceTag) {
  ModuleTester tester("VLANPush", Tci(7));
  for (const uint16_t type : {kEtherTypeVlan, kEtherTypeQinQ}) {
    const std::string inside = Be(5, 2) + Be(kEtherTypeIpv4, 2) + "payload";
    tester.Send(0, {EthernetFrame(type, inside)});
    EXPECT_THAT(tester.Received(0), ElementsAre(Tagged(kEtherTypeQinQ, 7, type, inside)));
  }
}

TEST(VLANPushTest, ChangesTheTag) {
  ModuleTester tester("VLANPush", Tci(5));
  EXPECT_EQ(tester.module().Description(), "VLAN 5, priority 0");
  EXPECT_TRUE(tester.Command("set_tci", Tci(0xe006)).ok());
  EXPECT_EQ(tester.module().Description(), "VLAN 6, priority 7");
  tester.Send(0, {EthernetFrame(kEtherTypeIpv4, "")});
  EXPECT_THAT(tester.Received(0), ElementsAre(Tagged(kEtherTypeVlan, 0xe006, kEtherTypeIpv4, "")));
}

TEST(VLANPushTest, RefusesATagOfMoreThan16BitsAndKeepsItsOwn) {
  const absl::Status refused = ModuleTester("VLANPush", Tci(65536)).status();
  EXPECT_EQ(StatusErrno(refused), EINVAL);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("'tci' must be 0..65535, not 65536"));
  ModuleTester tester("VLANPush", Tci(5));
  EXPECT_EQ(StatusErrno(tester.Command("set_tci", Tci(uint64_t{1} << 32))), EINVAL);
  EXPECT_EQ(tester.module().Description(), "VLAN 5, priority 0");
}

TEST(VLANPushTest, DropsWhatHasNoAddresses) {
  ModuleTester tester("VLANPush", Tci(5));
  const std::string frame = EthernetFrame(kEtherTypeIpv4, "");
  for (size_t n = 0; n < frame.size(); ++n) tester.Send(0, {frame.substr(0, n)});
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), frame.size());
}

TEST(VLANPushTest, DropsWhatHasNoHeadroom) {
  ModuleTester tester("VLANPush", Tci(5));
  const std::string frame = EthernetFrame(kEtherTypeIpv4, "");
  Packet* roomy = tester.host().pool().Make(frame);
  Packet* full = tester.host().pool().Make(frame);
  ASSERT_NE(full->Prepend(static_cast<uint16_t>(full->headroom() - 3)), nullptr);
  tester.SendPackets(0, {full, roomy});
  EXPECT_EQ(tester.count(0), 1u);
  EXPECT_EQ(tester.dropped(DropReason::kNoRoom), 1u);
}

}  // namespace
}  // namespace bess
