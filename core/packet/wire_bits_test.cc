// SPDX-License-Identifier: Apache-2.0
#include "core/packet/wire_bits.h"

#include <gtest/gtest.h>

#include <string>

#include "core/packet/packet_pool.h"

namespace bess {
namespace {

TEST(WireBitsTest, CountsTheFramingOfEachPacket) {
  EXPECT_EQ(WireBits(0, 0), 0u);
  EXPECT_EQ(WireBits(1, 60), 672u);  // 14.88 Mpps x 672 = 10 Gb/s
  EXPECT_EQ(WireBits(2, 120), 1344u);
}

TEST(WireBitsTest, CountsABatch) {
  auto pool = PacketPool::CreateOnHeap();
  Batch batch;
  EXPECT_EQ(WireBits(batch), 0u);
  batch.Add(pool->Make(std::string(60, 'a')));
  batch.Add(pool->Make(std::string(1514, 'b')));
  EXPECT_EQ(WireBits(batch), (60u + 1514u + 48u) * 8u);
  FreeBatch(batch);
}

}  // namespace
}  // namespace bess
