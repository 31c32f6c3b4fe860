// SPDX-License-Identifier: Apache-2.0
#include "nf/wire.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace {

// The binary interface of version 3. Whoever has to change this test has to raise the version.
TEST(WireTest, IsVersion3) {
  EXPECT_EQ(BESS_NF_VERSION, 3u);
  EXPECT_EQ(BESS_NF_MAGIC, 0x314e5342u);
  EXPECT_EQ(BESS_NF_MAX_QUEUES, 16u);
  EXPECT_EQ(BESS_NF_MAX_SLOTS, 4096u);
  EXPECT_EQ(BESS_NF_MAX_BUFFERS, 1u << 24);
  EXPECT_EQ(BESS_NF_MIN_LENGTH, 14u);
  EXPECT_EQ(BESS_NF_FIXED_DESCRIPTORS, 3u);
  EXPECT_EQ(BESS_NF_MAX_DESCRIPTORS, 35u);
  EXPECT_EQ(BESS_NF_ATTACH, 1u);
  EXPECT_EQ(BESS_NF_DETACH, 2u);
}

TEST(WireTest, MessagesKeepTheirLayout) {
  EXPECT_EQ(sizeof(BessNfRequest), 48u);
  EXPECT_EQ(offsetof(BessNfRequest, magic), 0u);
  EXPECT_EQ(offsetof(BessNfRequest, version), 4u);
  EXPECT_EQ(offsetof(BessNfRequest, kind), 8u);
  EXPECT_EQ(offsetof(BessNfRequest, fresh), 12u);
  EXPECT_EQ(offsetof(BessNfRequest, name), 16u);
  EXPECT_EQ(sizeof(BessNfWelcome), 208u);
  EXPECT_EQ(offsetof(BessNfWelcome, magic), 0u);
  EXPECT_EQ(offsetof(BessNfWelcome, version), 4u);
  EXPECT_EQ(offsetof(BessNfWelcome, error), 8u);
  EXPECT_EQ(offsetof(BessNfWelcome, geometry), 16u);
  EXPECT_EQ(offsetof(BessNfWelcome, text), 56u);
  EXPECT_EQ(sizeof(BessNfGeometry), 40u);
  EXPECT_EQ(offsetof(BessNfGeometry, to_nf_queues), 0u);
  EXPECT_EQ(offsetof(BessNfGeometry, from_nf_queues), 4u);
  EXPECT_EQ(offsetof(BessNfGeometry, to_nf_slots), 8u);
  EXPECT_EQ(offsetof(BessNfGeometry, from_nf_slots), 12u);
  EXPECT_EQ(offsetof(BessNfGeometry, fresh_slots), 16u);
  EXPECT_EQ(offsetof(BessNfGeometry, loans), 20u);
  EXPECT_EQ(offsetof(BessNfGeometry, buffers), 24u);
  EXPECT_EQ(offsetof(BessNfGeometry, stride), 28u);
  EXPECT_EQ(offsetof(BessNfGeometry, buffer_size), 32u);
  EXPECT_EQ(offsetof(BessNfGeometry, headroom), 36u);
}

TEST(WireTest, RingsKeepTheirLayout) {
  EXPECT_EQ(sizeof(BessNfDescriptor), 8u);
  EXPECT_EQ(offsetof(BessNfDescriptor, buffer), 0u);
  EXPECT_EQ(offsetof(BessNfDescriptor, offset), 4u);
  EXPECT_EQ(offsetof(BessNfDescriptor, length), 6u);
  EXPECT_EQ(sizeof(BessNfProducerLine), 64u);
  EXPECT_EQ(sizeof(BessNfConsumerPart), 128u);
  EXPECT_EQ(offsetof(BessNfConsumerPart, sleeps), 64u);
}

// Parts follow each other without gaps or overlaps, at multiples of a cache line.
TEST(WireTest, PartsLieWhereTheyBelong) {
  const BessNfGeometry g = {.to_nf_queues = 2,
                            .from_nf_queues = 3,
                            .to_nf_slots = 8,
                            .from_nf_slots = 16,
                            .fresh_slots = 32};
  EXPECT_EQ(bess_nf_to_nf_producer(&g, 0), 0u);
  EXPECT_EQ(bess_nf_to_nf_producer(&g, 1), 128u);
  EXPECT_EQ(bess_nf_fresh_producer(&g, 0), 256u);
  EXPECT_EQ(bess_nf_fresh_producer(&g, 2), 256u + 2 * 320u);
  EXPECT_EQ(bess_nf_from_nf_consumer(&g, 0), 256u + 3 * 320u);
  EXPECT_EQ(bess_nf_switch_memory_size(&g), 256u + 3 * 320u + 3 * 128u);
  EXPECT_EQ(bess_nf_from_nf_producer(&g, 1), 192u);
  EXPECT_EQ(bess_nf_to_nf_consumer(&g, 0), 3 * 192u);
  EXPECT_EQ(bess_nf_fresh_consumer(&g, 0), 3 * 192u + 2 * 128u);
  EXPECT_EQ(bess_nf_nf_memory_size(&g), 3 * 192u + 5 * 128u);
}

}  // namespace
