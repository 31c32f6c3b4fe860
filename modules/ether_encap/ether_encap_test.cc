// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/ether_encap.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

TEST(EtherEncapTest, MakesTheHeaderFromMetadata) {
  ModuleTester tester("EtherEncap", pb::EtherEncapArg());
  std::vector<Packet*> packets;
  std::vector<std::string> expected;
  for (uint64_t i = 0; i < 100; ++i) {
    const std::string payload(i, 'x'), source = Mac(0x020000000000 + i), type = Be(i * 251, 2);
    const std::string destination = Mac(0x040000000000 + i);
    packets.push_back(tester.host().pool().Make(payload));
    uint8_t* metadata = packets.back()->metadata();
    std::copy(source.begin(), source.end(), metadata);
    std::copy(destination.begin(), destination.end(), metadata + 32);
    std::copy(type.begin(), type.end(), metadata + 64);
    expected.push_back(destination + source + type + payload);
  }
  tester.SendPackets(0, packets);
  EXPECT_EQ(tester.Received(0), expected);
}

TEST(EtherEncapTest, DeclaresWhatItReads) {
  ModuleTester tester("EtherEncap", pb::EtherEncapArg());
  const auto& attributes = tester.module().attributes();
  ASSERT_EQ(attributes.size(), 3u);
  EXPECT_EQ(attributes[0].name, "ether_src");
  EXPECT_EQ(attributes[0].size, 6u);
  EXPECT_EQ(attributes[1].name, "ether_dst");
  EXPECT_EQ(attributes[1].size, 6u);
  EXPECT_EQ(attributes[2].name, "ether_type");
  EXPECT_EQ(attributes[2].size, 2u);
  for (const Attribute& attribute : attributes) EXPECT_EQ(attribute.mode, AttributeMode::kRead);
}

TEST(EtherEncapTest, TakesZerosWhereNobodyWrites) {
  ModuleTester tester("EtherEncap", pb::EtherEncapArg());
  for (uint32_t i = 0; i < 3; ++i) tester.PlaceAttribute(i, kNoWriter);
  tester.Send(0, {"payload"});
  EXPECT_THAT(tester.Received(0), ElementsAre(std::string(14, '\0') + "payload"));
}

TEST(EtherEncapTest, DropsWhatHasNoHeadroom) {
  ModuleTester tester("EtherEncap", pb::EtherEncapArg());
  Packet* packet = tester.host().pool().Make("payload");
  ASSERT_NE(packet->Prepend(static_cast<uint16_t>(packet->headroom() - 13)), nullptr);
  tester.SendPackets(0, {packet});
  EXPECT_EQ(tester.dropped(DropReason::kNoRoom), 1u);
}

}  // namespace
}  // namespace bess
