// SPDX-License-Identifier: Apache-2.0
#include "core/packet/fixed_writes.h"

#include <gmock/gmock.h>

#include <random>
#include <string>

#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

Layout Parse(const std::string& frame) {
  return ParseLayout(reinterpret_cast<const uint8_t*>(frame.data()), frame.size(), frame.size());
}

bool Same(Layout a, Layout b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }

std::string Tcp(char length) { return std::string(12, 'p') + length + std::string(11, 'q'); }

std::vector<std::string> Frames() {
  const std::string udp(16, 'u'), tcp = Tcp('\x50'), long_tcp = Tcp('\x60');
  const std::string hop_by_hop = std::string("\x11\0\0\0\0\0\0\0", 8) + udp;
  std::vector<std::string> packets;
  for (const uint8_t protocol : {kProtoUdp, kProtoTcp, kProtoIcmp, uint8_t{47}}) {
    for (const std::string& l4 : {udp, tcp, long_tcp, std::string()}) {
      packets.push_back(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.protocol = protocol}, l4)));
      packets.push_back(EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = protocol}, l4)));
    }
  }
  packets.push_back(EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = 0}, hop_by_hop)));
  packets.push_back(EthernetFrame(kEtherTypeArp, std::string("\0\1\x08\0\6\4", 6) + udp + tcp));
  packets.push_back(EthernetFrame(kEtherTypeIpv4, udp));
  packets.push_back(EthernetFrame(
      kEtherTypeVlan, std::string("\0\1\x08\0", 4) + Ipv4Packet({.protocol = kProtoUdp}, udp)));
  packets.push_back("short");
  return packets;
}

// Whatever is written where nothing depends on it, parsing again finds the same.
TEST(FixedWritesTest, AgreesWithParsingAgain) {
  std::mt19937 random(1);
  uint32_t kept = 0;
  for (const std::string& frame : Frames()) {
    const Layout layout = Parse(frame);
    for (uint32_t trial = 0; trial < 20000; ++trial) {
      const auto offset = static_cast<uint32_t>(random() % frame.size());
      const auto size =
          static_cast<uint32_t>(1 + random() % std::min<size_t>(8, frame.size() - offset));
      if (DependsOn(layout, offset, size)) continue;
      std::string written = frame;
      for (uint32_t i = 0; i < size; ++i) written[offset + i] = static_cast<char>(random());
      ASSERT_TRUE(Same(Parse(written), layout)) << testing::PrintToString(frame) << " " << offset;
      ++kept;
    }
  }
  EXPECT_GT(kept, 100000u) << "or nothing was tested";
}

TEST(FixedWritesTest, WhatRoutersAndNatsWriteKeepsTheLayout) {
  const std::string udp =
      EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.protocol = kProtoUdp}, std::string(8, 'u')));
  const Layout layout = Parse(udp);
  ASSERT_EQ(layout.l4(), L4::kUdp);
  EXPECT_FALSE(DependsOn(layout, 0, 12)) << "MAC addresses";
  EXPECT_FALSE(DependsOn(layout, 15, 1)) << "type of service";
  EXPECT_FALSE(DependsOn(layout, 22, 1)) << "TTL";
  EXPECT_FALSE(DependsOn(layout, 24, 10)) << "checksum and addresses";
  EXPECT_FALSE(DependsOn(layout, 34, 8)) << "UDP header";
  EXPECT_TRUE(DependsOn(layout, 11, 2)) << "EtherType";
  EXPECT_TRUE(DependsOn(layout, 16, 2)) << "total length";
  EXPECT_TRUE(DependsOn(layout, 20, 1)) << "fragment";
  EXPECT_TRUE(DependsOn(layout, 23, 1)) << "protocol";
}

TEST(FixedWritesTest, ForgetsALayoutThatMayHaveBecomeWrong) {
  FixedWrites addresses, lengths;
  addresses.Add(26, 8);
  lengths.Add(26, 8);
  lengths.Add(16, 2);
  EXPECT_EQ(lengths.end(), 34u);
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(
      EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.protocol = kProtoUdp}, std::string(8, 'u'))));
  const Layout layout = packet->layout();
  EXPECT_EQ(FixedWriter(addresses).Begin(*packet), packet->data());
  EXPECT_TRUE(Same(std::bit_cast<Layout>(packet->mbuf()->hash.fdir.hi), layout));
  FixedWriter writer(lengths);
  EXPECT_EQ(writer.Begin(*packet), packet->data());
  EXPECT_EQ(packet->mbuf()->hash.fdir.hi, 0u);
  EXPECT_EQ(writer.Begin(*packet), packet->data()) << "there is nothing left to forget";
  FreePackets(&packet, 1);
}

TEST(FixedWritesTest, RefusesPacketsThatEndBeforeTheLastWrite) {
  FixedWrites writes;
  writes.Add(2, 2);
  auto pool = PacketPool::CreateOnHeap();
  Packet* packets[] = {pool->Make("abc"), pool->Make("abcd")};
  FixedWriter writer(writes);
  EXPECT_EQ(writer.Begin(*packets[0]), nullptr);
  EXPECT_EQ(writer.Begin(*packets[1]), packets[1]->data());
  FreePackets(packets, 2);
}

struct Field {
  uint32_t offset;
  uint32_t size;
};

absl::StatusOr<Field> FieldAt(int index, uint32_t offset) {
  if (offset > 100) return Error(EINVAL, "field ", index);
  return Field{offset, 4};
}

TEST(FixedFieldsTest, AddBehindThoseThereAre) {
  const FixedFields<Field> none;
  const auto one = *none.With(std::vector<uint32_t>{4}, FieldAt);
  const auto three = *one->With(std::vector<uint32_t>{20, 8}, FieldAt);
  EXPECT_TRUE(none.list.empty());
  EXPECT_EQ(one->writes.end(), 8u);
  ASSERT_EQ(three->list.size(), 3u);
  EXPECT_EQ(three->list[1].offset, 20u);
  EXPECT_EQ(three->writes.end(), 24u);
}

TEST(FixedFieldsTest, RefuseAWrongOneAndTooMany) {
  const FixedFields<Field> none;
  const auto sixteen = *none.With(std::vector<uint32_t>(16, 0), FieldAt);
  EXPECT_EQ(none.With(std::vector<uint32_t>{0, 101}, FieldAt).status().message(), "field 1");
  EXPECT_EQ(sixteen->With(std::vector<uint32_t>{0}, FieldAt).status().message(),
            "'fields' would be 17; at most 16 are possible");
}

}  // namespace
}  // namespace bess
