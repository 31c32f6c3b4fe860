// SPDX-License-Identifier: Apache-2.0
#include "core/packet/layout.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "core/packet/packet_pool.h"
#include "core/packet/packet_view.h"

namespace bess {
namespace {

const std::string kMacs(12, '\x02');

std::string Be(uint64_t value, size_t bytes) {
  std::string out;
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
  return out;
}

std::string Ipv4(uint8_t protocol, const std::string& payload, const std::string& options = "",
                 uint16_t fragment = 0) {
  const size_t header = 20 + options.size();
  return Be(0x40 | (header / 4), 1) + Be(0, 1) + Be(header + payload.size(), 2) + Be(1, 2) +
         Be(fragment, 2) + Be(64, 1) + Be(protocol, 1) + Be(0, 2) + Be(0x0a000001, 4) +
         Be(0x0a000002, 4) + options + payload;
}

std::string Ipv6(uint8_t next, const std::string& payload) {
  return Be(0x60000000, 4) + Be(payload.size(), 2) + Be(next, 1) + Be(64, 1) +
         std::string(32, '\x01') + payload;
}

std::string Udp() { return Be(1000, 2) + Be(2000, 2) + Be(8, 2) + Be(0, 2); }
std::string Tcp(uint8_t words = 5) {
  return Be(1000, 2) + Be(2000, 2) + Be(0, 8) + Be(words << 4, 1) + Be(0, 7) +
         std::string(words > 5 ? (words - 5u) * 4u : 0, '\0');
}

// Parses from a heap block of exactly the packet's size: ASan sees any overrun.
Layout Parse(const std::string& packet) {
  auto exact = std::make_unique<uint8_t[]>(packet.size());
  std::memcpy(exact.get(), packet.data(), packet.size());
  return ParseLayout(exact.get(), packet.size(), packet.size());
}

TEST(LayoutTest, UdpOverIpv4) {
  const Layout layout = Parse(kMacs + Be(0x0800, 2) + Ipv4(17, Udp()));
  EXPECT_EQ(layout.l3(), L3::kIpv4);
  EXPECT_EQ(layout.l3_offset, 14u);
  EXPECT_EQ(layout.l4(), L4::kUdp);
  EXPECT_EQ(layout.l4_offset, 34u);
  EXPECT_FALSE(layout.fragment);
}

TEST(LayoutTest, OptionsMoveL4) {
  const Layout layout = Parse(kMacs + Be(0x0800, 2) + Ipv4(6, Tcp(8), std::string(12, '\x01')));
  EXPECT_EQ(layout.l4(), L4::kTcp);
  EXPECT_EQ(layout.l4_offset, 46u);
}

TEST(LayoutTest, VlanAndQinQ) {
  const std::string tags = Be(0x88a8, 2) + Be(7, 2) + Be(0x8100, 2) + Be(9, 2);
  const Layout layout = Parse(kMacs + tags + Be(0x0800, 2) + Ipv4(17, Udp()));
  EXPECT_EQ(layout.vlan_tags, 2u);
  EXPECT_EQ(layout.l3_offset, 22u);
  EXPECT_EQ(layout.l4(), L4::kUdp);
}

TEST(LayoutTest, NineVlanTagsAreNotFollowed) {
  std::string tags;
  for (int i = 0; i < 9; ++i) tags += Be(0x8100, 2) + Be(i, 2);
  EXPECT_EQ(Parse(kMacs + tags + Be(0x0800, 2) + Ipv4(17, Udp())).l3(), L3::kNone);
}

TEST(LayoutTest, Ipv6ExtensionsAreWalked) {
  const std::string hop = Be(60, 1) + Be(0, 1) + std::string(6, '\0');
  const std::string destination = Be(58, 1) + Be(1, 1) + std::string(14, '\0');
  const Layout layout =
      Parse(kMacs + Be(0x86dd, 2) + Ipv6(0, hop + destination + std::string(8, '\0')));
  EXPECT_EQ(layout.l3(), L3::kIpv6);
  EXPECT_EQ(layout.l4(), L4::kIcmpv6);
  EXPECT_EQ(layout.l4_offset, 14u + 40u + 24u);
}

TEST(LayoutTest, ExtensionChainsAreBounded) {
  std::string chain;
  for (int i = 0; i < 9; ++i) chain += Be(60, 1) + Be(0, 1) + std::string(6, '\0');
  const Layout layout = Parse(kMacs + Be(0x86dd, 2) + Ipv6(60, chain + Udp()));
  EXPECT_EQ(layout.l3(), L3::kIpv6);
  EXPECT_EQ(layout.l4(), L4::kNone);
}

TEST(LayoutTest, LaterFragmentsHaveNoL4) {
  EXPECT_EQ(Parse(kMacs + Be(0x0800, 2) + Ipv4(17, Udp(), "", 0x2000)).l4(), L4::kUdp);
  const Layout later = Parse(kMacs + Be(0x0800, 2) + Ipv4(17, Udp(), "", 0x0001));
  EXPECT_EQ(later.l4(), L4::kNone);
  EXPECT_TRUE(later.fragment);
  const std::string fragment = Be(17, 1) + Be(0, 1) + Be(8, 2) + Be(1, 4);
  const Layout later6 = Parse(kMacs + Be(0x86dd, 2) + Ipv6(44, fragment + Udp()));
  EXPECT_EQ(later6.l4(), L4::kNone);
  EXPECT_TRUE(later6.fragment);
}

TEST(LayoutTest, LinkPaddingIsNoPayload) {
  const std::string padded = kMacs + Be(0x0800, 2) + Ipv4(17, Be(1, 4)) + std::string(40, 'p');
  EXPECT_EQ(Parse(padded).l3(), L3::kIpv4);
  EXPECT_EQ(Parse(padded).l4(), L4::kNone) << "four bytes of payload are no UDP header";
}

TEST(LayoutTest, ContradictionsAreRefused) {
  const std::string good = kMacs + Be(0x0800, 2) + Ipv4(17, Udp());
  std::string bad = good;
  bad[14] = 0x44;  // IHL 4
  EXPECT_EQ(Parse(bad).l3(), L3::kNone);
  bad = good;
  bad[14] = 0x55;  // version 5
  EXPECT_EQ(Parse(bad).l3(), L3::kNone);
  bad = good;
  bad[17] = 19;  // total length below the header's
  EXPECT_EQ(Parse(bad).l3(), L3::kNone);
  bad = good;
  bad[17] = 100;  // total length beyond the packet
  EXPECT_EQ(Parse(bad).l3(), L3::kNone);
  EXPECT_EQ(Parse(kMacs + Be(0x0800, 2) + Ipv4(6, Tcp(4))).l4(), L4::kNone) << "offset below 5";
}

TEST(LayoutTest, ArpForEthernetAndIpv4) {
  const std::string arp = Be(1, 2) + Be(0x0800, 2) + Be(6, 1) + Be(4, 1) + Be(1, 2);
  EXPECT_EQ(Parse(kMacs + Be(0x0806, 2) + arp + std::string(20, 'a')).l3(), L3::kArp);
  EXPECT_EQ(Parse(kMacs + Be(0x0806, 2) + arp + std::string(19, 'a')).l3(), L3::kNone);
}

// Any bytes at all, cut anywhere: offsets that are claimed lie inside.
TEST(LayoutTest, RandomBytesNeverReachOutside) {
  std::mt19937 random(1);
  const std::string seeds[] = {kMacs + Be(0x0800, 2) + Ipv4(6, Tcp(8), std::string(8, '\1')),
                               kMacs + Be(0x8100, 2) + Be(1, 2) + Be(0x86dd, 2) +
                                   Ipv6(0, Be(17, 1) + Be(0, 1) + std::string(6, '\0') + Udp()),
                               kMacs + Be(0x0806, 2) + std::string(28, '\1')};
  for (int i = 0; i < 200000; ++i) {
    std::string packet = seeds[random() % 3];
    for (uint32_t flips = random() % 4; flips > 0; --flips) {
      packet[random() % packet.size()] = static_cast<char>(random());
    }
    packet.resize(random() % (packet.size() + 1));
    const Layout layout = Parse(packet);
    if (layout.l3() == L3::kIpv4) {
      ASSERT_LE(layout.l3_offset + 20, packet.size());
    }
    if (layout.l3() == L3::kIpv6) {
      ASSERT_LE(layout.l3_offset + 40, packet.size());
    }
    if (layout.l4() != L4::kNone) {
      ASSERT_LE(layout.l4_offset + 8, packet.size());
    }
    if (layout.l4() == L4::kTcp) {
      ASSERT_LE(layout.l4_offset + 20, packet.size());
    }
  }
}

TEST(PacketViewTest, HandsOutOnlyWhatIsThere) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(kMacs + Be(0x0800, 2) + Ipv4(17, Udp()) + "padding");
  const PacketView view(*packet);
  ASSERT_NE(view.Ipv4(), nullptr);
  EXPECT_EQ(view.Ipv4()->destination.value(), 0x0a000002u);
  ASSERT_NE(view.Udp(), nullptr);
  EXPECT_EQ(view.Udp()->destination_port.value(), 2000);
  EXPECT_EQ(view.Tcp(), nullptr);
  EXPECT_EQ(view.Ipv6(), nullptr);
  EXPECT_EQ(view.L4Bytes().size(), 8u) << "padding is not payload";
  EXPECT_NE(view.Bytes(0, packet->length()), nullptr);
  EXPECT_EQ(view.Bytes(1, packet->length()), nullptr);
  EXPECT_EQ(view.Bytes(SIZE_MAX, 2), nullptr);
  FreePackets(&packet, 1);
}

TEST(PacketViewTest, WritesForgetTheLayout) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(kMacs + Be(0x0800, 2) + Ipv4(17, Udp()));
  const PacketView view(*packet);
  ASSERT_NE(view.Ipv4(), nullptr);
  view.MutableBytes(14, 1)[0] = 0x65;
  EXPECT_EQ(view.Ipv4(), nullptr);
  FreePackets(&packet, 1);
}

}  // namespace
}  // namespace bess
