// SPDX-License-Identifier: Apache-2.0
#include "core/packet/batch.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/packet/packet_pool.h"

namespace bess {
namespace {

TEST(BatchTest, FillsToItsSize) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  for (uint32_t i = 0; i < kBatchSize; ++i) {
    EXPECT_EQ(batch.room(), kBatchSize - i);
    batch.Add(nullptr);
  }
  EXPECT_TRUE(batch.full());
  batch.clear();
  EXPECT_TRUE(batch.empty());
}

TEST(BatchTest, PrefetchesWhateverThereIs) {
  const auto pool = PacketPool::CreateOnHeap(64);
  Batch batch;
  PrefetchHeaders(batch);
  Packet* packet = nullptr;
  ASSERT_TRUE(pool->Alloc(&packet, 1, 60));
  batch.Add(packet);
  PrefetchHeaders(batch);
  EXPECT_FALSE(packet->layout_known()) << "to fetch bytes is not to look at them";
  std::memset(packet->data(), 0, 60);
  packet->layout();
  EXPECT_TRUE(packet->layout_known());
  FreeBatch(batch);
}

TEST(BatchListTest, IsFirstInFirstOut) {
  Batch a, b, c;
  BatchList list;
  list.PushBack(&a);
  list.PushBack(&b);
  list.PushFront(&c);
  EXPECT_EQ(list.PopFront(), &c);
  EXPECT_EQ(list.PopFront(), &a);
  list.PushBack(&a);
  EXPECT_EQ(list.PopFront(), &b);
  EXPECT_EQ(list.PopFront(), &a);
  EXPECT_TRUE(list.empty());
  list.PushFront(&b);
  list.PushBack(&c);
  EXPECT_EQ(list.PopFront(), &b);
  EXPECT_EQ(list.PopFront(), &c);
}

}  // namespace
}  // namespace bess
