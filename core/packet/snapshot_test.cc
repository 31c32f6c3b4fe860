// SPDX-License-Identifier: Apache-2.0
#include "core/packet/snapshot.h"

#include <gtest/gtest.h>

#include <string>

namespace bess {
namespace {

class SnapshotTest : public testing::Test {
 protected:
  std::string Kept() const {
    return {snapshot_.bytes.begin(), snapshot_.bytes.begin() + snapshot_.length};
  }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  PacketSnapshot snapshot_;
};

TEST_F(SnapshotTest, KeepsBytesLengthTimeAndMetadata) {
  Packet* packet = pool_->Make("hello");
  packet->metadata()[127] = 9;
  snapshot_.Take(*packet, 77, PacketSnapshot::kMostBytes);
  EXPECT_EQ(Kept(), "hello");
  EXPECT_EQ(snapshot_.total_length, 5u);
  EXPECT_EQ(snapshot_.time, 77u);
  EXPECT_EQ(snapshot_.metadata[127], 9);
  FreePackets(&packet, 1);
}

TEST_F(SnapshotTest, CutsAtTheLimit) {
  Packet* packet = pool_->Make(std::string(3000, 'x'));
  for (const uint32_t most : {0u, 1u, 1518u, PacketSnapshot::kMostBytes}) {
    snapshot_.Take(*packet, 0, most);
    EXPECT_EQ(Kept(), std::string(most, 'x'));
    EXPECT_EQ(snapshot_.total_length, 3000u);
  }
  FreePackets(&packet, 1);
}

TEST_F(SnapshotTest, KeepsAllSegments) {
  Packet* packets[] = {pool_->Make("first "), pool_->Make(""), pool_->Make("second")};
  rte_mbuf* head = packets[0]->mbuf();
  head->next = packets[1]->mbuf();
  head->next->next = packets[2]->mbuf();
  head->nb_segs = 3;
  head->pkt_len = 12;
  snapshot_.Take(*packets[0], 0, 10);
  EXPECT_EQ(Kept(), "first seco");
  snapshot_.Take(*packets[0], 0, 100);
  EXPECT_EQ(Kept(), "first second");
  packets[1]->mbuf()->next = nullptr;
  head->next = nullptr;
  head->nb_segs = 1;
  head->pkt_len = 6;
  FreePackets(packets, 3);
}

}  // namespace
}  // namespace bess
