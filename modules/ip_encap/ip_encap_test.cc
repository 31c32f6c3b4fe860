// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstring>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/ip_encap.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

// Where ModuleTester places the attributes, in the order of their declaration.
constexpr size_t kSource = 0, kDestination = 32, kProtocol = 64, kNextHop = 96;
constexpr int16_t kEtherType = 120;

void Put(Packet* packet, size_t at, const std::string& bytes) {
  std::memcpy(packet->metadata() + at, bytes.data(), bytes.size());
}

Packet* Prepared(ModuleTester& tester, const std::string& payload, uint32_t source,
                 uint32_t destination, uint8_t protocol) {
  tester.PlaceAttribute(4, kEtherType);
  Packet* packet = tester.host().pool().Make(payload);
  std::memset(packet->data() - packet->headroom(), 0xee, packet->headroom());
  Put(packet, kSource, Be(source, 4));
  Put(packet, kDestination, Be(destination, 4));
  Put(packet, kProtocol, Be(protocol, 1));
  return packet;
}

// BESS left the id as whatever was in the buffer; here the headroom is full of 0xee.
TEST(IPEncapTest, SetsEveryByteOfTheHeader) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  tester.SendPackets(0, {Prepared(tester, "payload", 0x0a000001, 0xc0000201, 17)});
  const std::string front =
      Be(0x45, 1) + Be(0, 1) + Be(27, 2) + Be(0, 2) + Be(0x4000, 2) + Be(64, 1) + Be(17, 1);
  const std::string back = Be(0x0a000001, 4) + Be(0xc0000201, 4);
  const uint16_t checksum = SlowChecksum(front + Be(0, 2) + back);
  EXPECT_THAT(tester.Received(0), ElementsAre(front + Be(checksum, 2) + back + "payload"));
}

TEST(IPEncapTest, TheChecksumIsAlwaysRight) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  std::vector<Packet*> packets;
  for (uint32_t i = 0; i < 20000; ++i) {
    packets.push_back(Prepared(tester, std::string(i % 300, 'x'), i * 0x9e3779b9, i * 0x85ebca6b,
                               static_cast<uint8_t>(i)));
  }
  tester.SendPackets(0, packets);
  for (const std::string& packet : tester.Received(0)) {
    ASSERT_EQ(SlowChecksum(packet.substr(0, 20)), 0);
  }
}

TEST(IPEncapTest, TellsTheNextHopAndTheEtherType) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  tester.SendPackets(0, {Prepared(tester, "payload", 1, 0xc0000201, 17)});
  const std::string metadata = tester.metadata(0).at(0);
  EXPECT_EQ(metadata.substr(kNextHop, 4), Be(0xc0000201, 4));
  EXPECT_EQ(metadata.substr(kEtherType, 2), Be(kEtherTypeIpv4, 2));
}

TEST(IPEncapTest, WritesNothingThatNobodyReads) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  Packet* packet = Prepared(tester, "payload", 1, 2, 17);
  tester.PlaceAttribute(3, kNoReader);
  tester.PlaceAttribute(4, kNoReader);
  Put(packet, kNextHop, std::string(32, '~'));
  tester.SendPackets(0, {packet});
  EXPECT_EQ(tester.metadata(0).at(0).substr(kNextHop, 32), std::string(32, '~'));
}

TEST(IPEncapTest, DeclaresItsAttributes) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  std::vector<std::string> names;
  for (const Attribute& attribute : tester.module().attributes()) {
    names.push_back(absl::StrCat(attribute.name, " ", attribute.size,
                                 attribute.mode == AttributeMode::kWrite ? " w" : " r"));
  }
  EXPECT_THAT(names, ElementsAre("ip_src 4 r", "ip_dst 4 r", "ip_proto 1 r", "ip_nexthop 4 w",
                                 "ether_type 2 w"));
}

TEST(IPEncapTest, DropsWhatHasNoHeadroom) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  Packet* packet = Prepared(tester, "payload", 1, 2, 17);
  ASSERT_NE(packet->Prepend(static_cast<uint16_t>(packet->headroom() - 19)), nullptr);
  tester.SendPackets(0, {packet});
  EXPECT_EQ(tester.dropped(DropReason::kNoRoom), 1u);
}

TEST(IPEncapTest, DropsWhatNoTotalLengthCanSay) {
  ModuleTester tester("IPEncap", pb::IPEncapArg());
  for (const uint32_t length : {65515u, 65516u, 70000u}) {
    Packet* packet = Prepared(tester, "payload", 1, 2, 17);
    packet->mbuf()->pkt_len = length;  // as if the rest were in further segments
    tester.SendPackets(0, {packet});
  }
  EXPECT_EQ(tester.dropped(DropReason::kTooLong), 2u);
  EXPECT_EQ(tester.Received(0).at(0).substr(2, 2), Be(65535, 2));
}

}  // namespace
}  // namespace bess
