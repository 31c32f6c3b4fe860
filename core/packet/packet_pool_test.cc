// SPDX-License-Identifier: Apache-2.0
//
// Heap pools here; pools that need an EAL are tested in core/port, where there is one.
#include "core/packet/packet_pool.h"

#include <gtest/gtest.h>

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

TEST(HeapPoolTest, CopyRefusesWhatDoesNotFit) {
  auto pool = PacketPool::CreateOnHeap();
  Packet* packet = pool->Make(std::string(kDataRoom + 1, 'x'));
  EXPECT_EQ(pool->Copy(*packet), nullptr);
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
}

}  // namespace
}  // namespace bess
