// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule.h"

#include <gtest/gtest.h>

#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

AclKey KeyOf(const std::string& bytes) {
  const auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(bytes);
  const AclKey key = AclKey::Of(PacketView(*packet));
  FreePackets(&packet, 1);
  return key;
}

TEST(AclKeyTest, HasWhatThePacketHas) {
  const AclKey four = KeyOf(EthernetFrame(
      kEtherTypeIpv4, Ipv4Packet({.protocol = kProtoTcp}, TcpSegment(1, 2, kTcpAck))));
  EXPECT_TRUE(four.is_ipv4() && !four.is_ipv6() && four.is_established());
  EXPECT_EQ(four.words[AclKey::kSource], 0x0a000001u);
  EXPECT_EQ(four.source_port(), 1u);
  EXPECT_EQ(four.destination_port(), 2u);
  const AclKey six = KeyOf(EthernetFrame(kEtherTypeIpv6, Ipv6Packet({}, UdpSegment(3, 4))));
  EXPECT_TRUE(six.is_ipv6() && !six.is_ipv4() && !six.is_established());
  EXPECT_EQ(six.source_port(), 3u);
  const AclKey none = KeyOf("no IP");
  for (const uint64_t word : none.words) EXPECT_EQ(word, 0u);
}

TEST(AclPatternTest, ComparesOnlyWhatTheRuleAsksFor) {
  const AclKey key = KeyOf(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(3, 4))));
  EXPECT_TRUE(AclPattern({}).Matches(key));
  EXPECT_TRUE(AclPattern({.source = Ipv4Prefix{0x0a000000, 8}}).Matches(key));
  EXPECT_FALSE(AclPattern({.source = Ipv4Prefix{0x0b000000, 8}}).Matches(key));
  EXPECT_FALSE(AclPattern({.source = Ipv6Prefix{}}).Matches(key));
  EXPECT_TRUE(AclPattern({.source_port = 3, .destination_port = 4}).Matches(key));
  EXPECT_FALSE(AclPattern({.source_port = 4}).Matches(key));
  EXPECT_FALSE(AclPattern({.established = true}).Matches(key));
}

}  // namespace
}  // namespace bess
