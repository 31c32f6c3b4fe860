// SPDX-License-Identifier: Apache-2.0
#include "core/packet/ether_type.h"

#include <gtest/gtest.h>

#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

uint16_t TypeOf(const std::string& frame) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(frame);
  const uint16_t type = EtherType(PacketView(*packet));
  EXPECT_EQ(ClaimsIp(PacketView(*packet)), type == 0x0800 || type == 0x86dd);
  FreePackets(&packet, 1);
  return type;
}

TEST(EtherTypeTest, IsReadWhateverFollows) {
  EXPECT_EQ(TypeOf(EthernetFrame(kEtherTypeArp, "")), kEtherTypeArp);
  EXPECT_EQ(TypeOf(EthernetFrame(kEtherTypeIpv4, "")), kEtherTypeIpv4);
  EXPECT_EQ(TypeOf(EthernetFrame(kEtherTypeIpv6, "not IP")), kEtherTypeIpv6);
  EXPECT_EQ(TypeOf(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, ""))), kEtherTypeIpv4);
}

TEST(EtherTypeTest, IsTheOneBehindTheTags) {
  const std::string tags = Be(5, 2) + Be(kEtherTypeVlan, 2) + Be(6, 2) + Be(kEtherTypeIpv6, 2);
  EXPECT_EQ(TypeOf(EthernetFrame(kEtherTypeQinQ, tags)), kEtherTypeIpv6);
  EXPECT_EQ(TypeOf(EthernetFrame(kEtherTypeQinQ, tags.substr(0, 7))), kEtherTypeVlan);
}

TEST(EtherTypeTest, IsZeroWhenThereIsNone) {
  EXPECT_EQ(TypeOf(""), 0);
  EXPECT_EQ(TypeOf(std::string(13, '\x08')), 0);
}

}  // namespace
}  // namespace bess
