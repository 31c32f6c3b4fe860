// SPDX-License-Identifier: Apache-2.0
#include "core/graph/loop_buffer.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

class LoopBufferTest : public testing::Test {
 protected:
  LoopBufferTest() { context_.Adopt(1, &arena_); }
  ~LoopBufferTest() override { EXPECT_EQ(pool_->in_use(), 0u); }

  void Put(LoopBuffer& buffer, uint32_t n) {
    Node node = {.ledger = &ledger_};
    context_.RunRoot(node, [&](Context& context, Batch& batch) {
      for (uint32_t i = 0; i < n; ++i) batch.Add(MakeTagged(*pool_, next_id_++));
      LoopBuffer::Process(&buffer, context, batch);
      EXPECT_TRUE(batch.empty());
      return 0;
    });
  }
  // Takes what fits behind `already` packets; returns the ids.
  std::vector<uint64_t> Take(LoopBuffer& buffer, uint32_t already = 0) {
    Batch batch;
    for (uint32_t i = 0; i < already; ++i) batch.Add(MakeTagged(*pool_, 0));
    buffer.Take(batch);
    std::vector<uint64_t> ids;
    for (uint32_t i = already; i < batch.size(); ++i) ids.push_back(ReadTag(*batch[i]).id);
    FreeBatch(batch);
    return ids;
  }
  uint64_t loop_full() const {
    return ledger_.dropped[static_cast<size_t>(DropReason::kLoopFull)].Get();
  }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  BatchArena arena_{2};
  Ledger ledger_;
  Context context_{0};
  uint64_t next_id_ = 0;
};

TEST_F(LoopBufferTest, FirstInFirstOutAroundTheEnd) {
  LoopBuffer buffer;
  uint64_t expected = 0;
  Put(buffer, 30);
  for (int i = 0; i < 100; ++i) {
    Put(buffer, 50);
    for (const uint64_t id : Take(buffer, 14)) EXPECT_EQ(id, expected++);
    EXPECT_EQ(buffer.held(), 30u) << "it is never empty, also not where it wraps";
  }
  for (const uint64_t id : Take(buffer)) EXPECT_EQ(id, expected++);
  EXPECT_EQ(expected, 5030u);
  EXPECT_EQ(loop_full(), 0u);
}

TEST_F(LoopBufferTest, WhatDoesNotFitIsDroppedAtTheEnd) {
  LoopBuffer buffer;
  for (int i = 0; i < 8; ++i) Put(buffer, 60);
  EXPECT_EQ(buffer.held(), 480u);
  Put(buffer, 60);
  EXPECT_EQ(buffer.held(), LoopBuffer::kCapacity);
  EXPECT_EQ(loop_full(), 28u);
  uint64_t expected = 0;
  while (buffer.held() > 0) {
    for (const uint64_t id : Take(buffer)) EXPECT_EQ(id, expected++);
  }
  EXPECT_EQ(expected, LoopBuffer::kCapacity) << "the oldest stay";
}

TEST_F(LoopBufferTest, TakesNoMoreThanABatchHasRoomFor) {
  LoopBuffer buffer;
  Put(buffer, 64);
  Put(buffer, 10);
  EXPECT_EQ(Take(buffer, 60).size(), 4u);
  EXPECT_EQ(Take(buffer, 64).size(), 0u);
  EXPECT_EQ(Take(buffer).size(), 64u);
  EXPECT_EQ(Take(buffer).size(), 6u);
  EXPECT_EQ(Take(buffer).size(), 0u);
}

TEST_F(LoopBufferTest, DiscardFreesAllAndSaysHowMany) {
  LoopBuffer buffer;
  for (int i = 0; i < 3; ++i) Put(buffer, 64);
  EXPECT_EQ(buffer.Discard(), 192u);
  EXPECT_EQ(buffer.held(), 0u);
  EXPECT_EQ(buffer.Discard(), 0u);
  EXPECT_EQ(pool_->in_use(), 0u);
  Put(buffer, 3);  // the destructor frees these
}

TEST_F(LoopBufferTest, AnEdgeHasABufferForEachWorkerThatNeedsOne) {
  Edge edge;
  EXPECT_EQ(edge.loop(0), nullptr);
  EXPECT_EQ(edge.held(), 0u);
  LoopBuffer& first = edge.MakeLoop(0);
  LoopBuffer& last = edge.MakeLoop(kMaxWorkers - 1);
  EXPECT_NE(&first, &last);
  EXPECT_EQ(&edge.MakeLoop(0), &first);
  EXPECT_EQ(edge.loop(0), &first);
  EXPECT_EQ(edge.loop(1), nullptr);
  Put(first, 5);
  Put(last, 7);
  EXPECT_EQ(edge.held(), 12u);
  EXPECT_EQ(edge.Discard(), 12u);
  EXPECT_EQ(edge.held(), 0u);
}

}  // namespace
}  // namespace bess
