// SPDX-License-Identifier: Apache-2.0
#include "core/packet/segments.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"
#include "core/packet/packet_view.h"

namespace bess {
namespace {

std::string Udp4Frame(size_t payload) {
  const std::string segment = UdpSegment(1, 2, std::string(payload, 'p'));
  return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, segment));
}

absl::Span<uint8_t> Span(std::string& bytes) {
  return {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()};
}

class SegmentsTest : public testing::Test {
 protected:
  ~SegmentsTest() override {
    FreePackets(made_.data(), static_cast<uint32_t>(made_.size()));
    EXPECT_EQ(pool_->in_use(), 0u);
  }

  Packet& Chain(std::initializer_list<std::string_view> segments) {
    return *made_.emplace_back(pool_->MakeChain(segments));
  }
  static std::string Read(const Packet& packet, size_t offset, size_t n) {
    std::string bytes(n, '-');
    return ReadBytes(packet, offset, Span(bytes)) ? bytes : "refused";
  }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  std::vector<Packet*> made_;
};

TEST_F(SegmentsTest, ChainsCountAllSegments) {
  Packet& packet = Chain({"abc", "", "defg"});
  EXPECT_EQ(packet.length(), 3);
  EXPECT_EQ(packet.total_length(), 7u);
  EXPECT_EQ(packet.segments(), 3);
  EXPECT_FALSE(packet.linear());
  EXPECT_EQ(pool_->in_use(), 3u);
}

TEST_F(SegmentsTest, ChainsOfChains) {
  Packet& head = Chain({"ab", "cd"});
  AddSegment(head, pool_->MakeChain({"ef", "gh", "i"}));
  EXPECT_EQ(head.segments(), 5);
  EXPECT_EQ(Read(head, 0, 9), "abcdefghi");
}

TEST_F(SegmentsTest, ReadsWhereverBytesLie) {
  Packet& packet = Chain({"abc", "", "defg"});
  EXPECT_EQ(Read(packet, 0, 7), "abcdefg");
  EXPECT_EQ(Read(packet, 2, 2), "cd");
  EXPECT_EQ(Read(packet, 3, 4), "defg");
  EXPECT_EQ(Read(packet, 7, 0), "");
  EXPECT_EQ(Read(packet, 6, 2), "refused");
  EXPECT_EQ(Read(packet, 8, 0), "refused");
  EXPECT_EQ(Read(packet, SIZE_MAX, 2), "refused") << "offset + n overflows";
}

TEST_F(SegmentsTest, WritesWhereverBytesLie) {
  Packet& packet = Chain({"abc", "defg"});
  packet.layout();
  std::string bytes = "XYZ";
  EXPECT_TRUE(WriteBytes(packet, 1, Span(bytes)));
  EXPECT_EQ(Read(packet, 0, 7), "aXYZefg");
  EXPECT_EQ(packet.mbuf()->hash.fdir.hi, 0u) << "the layout is forgotten";
  EXPECT_FALSE(WriteBytes(packet, 5, Span(bytes)));
  EXPECT_EQ(Read(packet, 0, 7), "aXYZefg");
}

TEST_F(SegmentsTest, PullsBytesForward) {
  Packet& packet = *made_.emplace_back(pool_->Make("ab", 4));
  AddSegment(packet, pool_->MakeChain({"c", "", "def", "gh"}));
  EXPECT_FALSE(PullUp(packet, 7)) << "there is room for six";
  EXPECT_FALSE(PullUp(packet, 9)) << "there are eight";
  EXPECT_EQ(packet.segments(), 5);
  packet.layout();
  EXPECT_TRUE(PullUp(packet, 5));
  EXPECT_EQ(packet.mbuf()->hash.fdir.hi, 0u) << "more headers may be visible now";
  EXPECT_EQ(packet.length(), 5);
  EXPECT_EQ(packet.segments(), 3);
  EXPECT_EQ(packet.total_length(), 8u);
  EXPECT_EQ(Read(packet, 0, 8), "abcdefgh");
  EXPECT_FALSE(MakeLinear(packet));
  EXPECT_EQ(Read(packet, 0, 8), "abcdefgh");
}

TEST_F(SegmentsTest, MakesLinearWhatFits) {
  Packet& packet = *made_.emplace_back(pool_->Make("ab", 4));
  AddSegment(packet, pool_->MakeChain({"", "cdef", ""}));
  EXPECT_TRUE(MakeLinear(packet));
  EXPECT_TRUE(packet.linear());
  EXPECT_EQ(Read(packet, 0, 6), "abcdef");
  EXPECT_EQ(pool_->in_use(), 1u);
}

TEST_F(SegmentsTest, TheTailCanGo) {
  Packet& packet = Chain({"abc", "d", "efg"});
  FreeTail(packet);
  EXPECT_TRUE(packet.linear());
  EXPECT_EQ(packet.total_length(), 3u);
  EXPECT_EQ(pool_->in_use(), 1u);
}

TEST_F(SegmentsTest, SumsAreThoseOfTheLinearPacket) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40 + 1, 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    const size_t first = random() % (bytes.size() + 1);
    const size_t second = first + random() % (bytes.size() - first + 1);
    const std::string_view view = bytes;
    Packet* packet = pool_->MakeChain(
        {view.substr(0, first), view.substr(first, second - first), view.substr(second)});
    const size_t offset = random() % bytes.size();
    const size_t n = random() % (bytes.size() - offset + 1);
    EXPECT_EQ(FoldChecksum(SumBytes(*packet, offset, n)),
              FoldChecksum(SumBytes(Span(bytes).subspan(offset, n))));
    FreePackets(&packet, 1);
  }
}

TEST_F(SegmentsTest, LayoutsAndLengthsCountAllSegments) {
  const std::string frame = Udp4Frame(5000);
  const std::string_view view = frame;
  PacketView packet(Chain({view.substr(0, 300), view.substr(300, 2000), view.substr(2300)}));
  ASSERT_NE(packet.Udp(), nullptr) << "the total length of the IP header fits the packet";
  EXPECT_EQ(packet.L4Length(), frame.size() - 34);
  EXPECT_EQ(packet.L4Bytes().size(), 300u - 34);
  EXPECT_EQ(packet.Bytes(299, 2), nullptr) << "no view of bytes that do not lie together";
}

TEST_F(SegmentsTest, AHeaderThatIsCutIsNotSeen) {
  const std::string frame = Udp4Frame(100);
  const std::string_view view = frame;
  for (size_t cut = 0; cut < 42; ++cut) {
    PacketView packet(Chain({view.substr(0, cut), view.substr(cut)}));
    EXPECT_EQ(packet.Udp(), nullptr) << cut;
    EXPECT_EQ(packet.Ipv4() != nullptr, cut >= 34) << cut;
  }
}

}  // namespace
}  // namespace bess
