// SPDX-License-Identifier: Apache-2.0
//
// Heap pools here; pools that need an EAL are tested in core/port, where there is one.
#include "core/packet/packet_pool.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/packet/segments.h"

namespace bess {
namespace {

TEST(HeapPoolTest, CountsWhatIsOut) {
  auto pool = PacketPool::CreateOnHeap(3);
  Packet* packets[3];
  ASSERT_TRUE(pool->Alloc(packets, 3, 60));
  EXPECT_EQ(pool->in_use(), 3u);
  Packet* more;
  EXPECT_FALSE(pool->Alloc(&more, 1, 60)) << "the pool is at its capacity";
  FreePackets(packets, 3);
  EXPECT_EQ(pool->in_use(), 0u);
}

TEST(HeapPoolTest, MadePacketsEndWithTheirBytes) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make("hello", 2);
  EXPECT_EQ(packet->length(), 5);
  EXPECT_EQ(packet->tailroom(), 2);
  EXPECT_EQ(packet->headroom(), kHeadroom);
  EXPECT_EQ(packet->Append(3), nullptr);
  EXPECT_NE(packet->Append(2), nullptr);
  EXPECT_EQ(packet->total_length(), 7u);
  FreePackets(&packet, 1);
}

TEST(HeapPoolTest, CopyTakesDataAndMetadata) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make("payload");
  packet->metadata()[5] = 42;
  Packet* copy = pool->Copy(*packet);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(std::memcmp(copy->data(), "payload", 7), 0);
  EXPECT_EQ(copy->length(), 7);
  EXPECT_EQ(copy->metadata()[5], 42);
  Packet* both[] = {packet, copy};
  FreePackets(both, 2);
  EXPECT_EQ(pool->in_use(), 0u);
}

std::string Counted(size_t n) {
  std::string bytes(n, 0);
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

std::string AllBytes(const Packet& packet) {
  std::string bytes(packet.total_length(), 0);
  EXPECT_TRUE(ReadBytes(packet, 0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
  return bytes;
}

TEST(HeapPoolTest, CopyTakesAsManyBuffersAsItNeeds) {
  auto pool = PacketPool::CreateOnHeap();
  for (const size_t length : {kDefaultDataRoom + 0, kDefaultDataRoom + 1, 3 * kDefaultDataRoom}) {
    const std::string bytes = Counted(length);
    Packet* packet = pool->Make(bytes);
    Packet* copy = pool->Copy(*packet);
    ASSERT_NE(copy, nullptr);
    EXPECT_EQ(copy->segments(), (length + kDefaultDataRoom - 1) / kDefaultDataRoom);
    EXPECT_EQ(copy->total_length(), length);
    EXPECT_EQ(AllBytes(*copy), bytes);
    Packet* both[] = {packet, copy};
    FreePackets(both, 2);
  }
  EXPECT_EQ(pool->in_use(), 0u);
}

TEST(HeapPoolTest, CopyOfAChainThatFitsOneBufferIsLinear) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->MakeChain({"ab", "", "cde", "f"});
  packet->metadata()[7] = 9;
  Packet* copy = pool->Copy(*packet);
  ASSERT_NE(copy, nullptr);
  EXPECT_TRUE(copy->linear());
  EXPECT_EQ(AllBytes(*copy), "abcdef");
  EXPECT_EQ(copy->metadata()[7], 9);
  Packet* both[] = {packet, copy};
  FreePackets(both, 2);
  EXPECT_EQ(pool->in_use(), 0u);
}

TEST(HeapPoolTest, CopyIsAllOrNothing) {
  auto pool = PacketPool::CreateOnHeap(3);
  Packet* packet = pool->Make(Counted(3 * kDefaultDataRoom));
  EXPECT_EQ(pool->Copy(*packet), nullptr) << "two buffers are left, three are needed";
  EXPECT_EQ(pool->in_use(), 1u);
  FreePackets(&packet, 1);
}

TEST(HeapPoolTest, CopyRefusesWhatIsTooLong) {
  auto pool = PacketPool::CreateOnHeap();
  const std::string part(60000, 'x');
  Packet* packet = pool->MakeChain({part, part, part});
  EXPECT_EQ(pool->Copy(*packet), nullptr);
  FreePackets(&packet, 1);
}

TEST(HeapPoolTest, LargerBuffersHoldJumboFramesInOne) {
  auto pool = PacketPool::CreateOnHeap(8, 9728);
  EXPECT_EQ(pool->data_room(), 9728);
  Packet* packet = pool->Make(Counted(9018));
  Packet* copy = pool->Copy(*packet);
  ASSERT_NE(copy, nullptr);
  EXPECT_TRUE(copy->linear());
  Packet* both[] = {packet, copy};
  FreePackets(both, 2);
}

TEST(HeapPoolTest, BuffersLieAnOddNumberOfCacheLinesApart) {
  for (const int data_room : {2048, 2049, 2112, 4096, 9600, 16384}) {
    auto pool = PacketPool::CreateOnHeap(1, static_cast<uint16_t>(data_room));
    EXPECT_EQ(pool->stride() % 128, 64u);
    EXPECT_GE(pool->stride(), static_cast<uint32_t>(kHeadroom + data_room));
    EXPECT_LT(pool->stride(), static_cast<uint32_t>(kHeadroom + data_room + 128));
  }
}

TEST(PacketTest, ResetLeavesNothingOfTheOldPacket) {
  const auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make("some bytes", 100);
  rte_mbuf& mbuf = *packet->mbuf();
  const uint16_t buffer = mbuf.buf_len;
  mbuf.data_off = 7;
  mbuf.port = 9;
  mbuf.ol_flags = RTE_MBUF_F_RX_VLAN;
  mbuf.packet_type = mbuf.vlan_tci = 11;
  mbuf.hash.fdir.lo = mbuf.hash.fdir.hi = 13;
  packet->Reset(77);
  EXPECT_EQ(packet->headroom(), kHeadroom);
  EXPECT_EQ(packet->length(), 77);
  EXPECT_EQ(packet->total_length(), 77u);
  EXPECT_EQ(packet->room(), uint32_t{buffer} - kHeadroom);
  EXPECT_EQ(packet->segments(), 1);
  EXPECT_EQ(mbuf.refcnt, 1);
  EXPECT_EQ(mbuf.port, RTE_MBUF_PORT_INVALID);
  EXPECT_EQ(mbuf.ol_flags, 0u);
  EXPECT_EQ(mbuf.packet_type, 0u);
  EXPECT_EQ(mbuf.vlan_tci, 0);
  EXPECT_EQ(mbuf.hash.fdir.lo, 0u);
  EXPECT_EQ(mbuf.hash.fdir.hi, 0u);
  EXPECT_EQ(mbuf.buf_len, buffer);
  FreePackets(&packet, 1);
}

TEST(PacketTest, EditsKeepLengthsAndRefuseOverruns) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make("0123456789", 4);
  EXPECT_TRUE(packet->RemoveFront(3));
  EXPECT_EQ(packet->data()[0], '3');
  EXPECT_FALSE(packet->RemoveFront(8));
  EXPECT_TRUE(packet->RemoveBack(2));
  EXPECT_EQ(packet->length(), 5);
  EXPECT_FALSE(packet->RemoveBack(6));
  EXPECT_EQ(packet->Prepend(static_cast<uint16_t>(kHeadroom + 4)), nullptr);
  EXPECT_NE(packet->Prepend(3), nullptr);
  EXPECT_EQ(packet->data()[0], '0');
  EXPECT_EQ(packet->total_length(), 8u);
  FreePackets(&packet, 1);
}

TEST(PoolTest, RefusesSizesOutOfRange) {
  const auto pool = PacketPool::Create("tiny", PacketPool::Kind::kShareable, 10);
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(pool.status().message(), "a packet pool holds 1024..4194304 packets, not 10");
  for (const uint32_t data_room : {0u, 2047u, 16385u, 65536u + 2048u}) {
    const auto other = PacketPool::Create("x", PacketPool::Kind::kShareable, 1024, data_room);
    ASSERT_FALSE(other.ok()) << data_room;
    EXPECT_EQ(StatusErrno(other.status()), EINVAL);
    EXPECT_THAT(std::string(other.status().message()), testing::HasSubstr("2048..16384 bytes"));
  }
}

TEST(PacketPoolTest, APacketLeadsToItsPool) {
  const auto one = PacketPool::CreateOnHeap();
  const auto other = PacketPool::CreateOnHeap();
  Packet* packets[] = {one->Make("a"), other->Make("b")};
  EXPECT_EQ(&PacketPool::Of(*packets[0]), one.get());
  EXPECT_EQ(&PacketPool::Of(*packets[1]), other.get());
  FreePackets(packets, 2);
}

}  // namespace
}  // namespace bess
