// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/graph/fake_host_testing.h"
#include "core/port/port_table.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LoopPortTest : public testing::Test {
 protected:
  ~LoopPortTest() override {
    EXPECT_TRUE(table_.Reset().ok());
    EXPECT_EQ(pool_->in_use(), 0u) << "what nobody received is freed with the port";
  }
  absl::Status Make(uint64_t in, uint64_t out) {
    return table_.Create({.name = "p", .driver = "LoopPort", .rx_queues = in, .tx_queues = out})
        .status();
  }
  uint32_t Send(uint32_t queue, const std::vector<std::string>& bytes) {
    const auto lease = table_.Lease("p", Direction::kSend, "test");
    std::vector<Packet*> packets;
    for (const std::string& one : bytes) packets.push_back(pool_->Make(one));
    const auto n = static_cast<uint32_t>(packets.size());
    const uint32_t sent = (*lease)->port().Send(queue, packets.data(), n);
    FreePackets(packets.data() + sent, n - sent);
    return sent;
  }
  std::vector<std::string> Receive(uint32_t queue) {
    const auto lease = table_.Lease("p", Direction::kReceive, "test");
    Packet* packets[kBatchSize];
    const uint32_t n = (*lease)->port().Receive(queue, packets, kBatchSize).packets;
    std::vector<std::string> bytes;
    for (uint32_t i = 0; i < n; ++i) bytes.push_back(PacketBytes(*packets[i]));
    FreePackets(packets, n);
    return bytes;
  }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  PortTable table_{*pool_};
};

TEST_F(LoopPortTest, GivesBackWhatWasSentToAQueue) {
  ASSERT_TRUE(Make(2, 2).ok());
  EXPECT_EQ(Send(0, {"a", "b"}), 2u);
  EXPECT_EQ(Send(1, {"c"}), 1u);
  EXPECT_THAT(Receive(1), ElementsAre("c"));
  EXPECT_THAT(Receive(0), ElementsAre("a", "b"));
  EXPECT_THAT(Receive(0), ElementsAre());
}

TEST_F(LoopPortTest, TakesWhatThereIsRoomFor) {
  ASSERT_TRUE(Make(1, 1).ok());
  for (int i = 0; i < 40; ++i) {
    const bool has_room = i < 16;
    EXPECT_EQ(Send(0, std::vector<std::string>(kBatchSize, std::to_string(i))),
              has_room ? kBatchSize : 0u);
  }
  for (int i = 0; i < 16; ++i) EXPECT_EQ(Receive(0).back(), std::to_string(i));
  EXPECT_THAT(Receive(0), ElementsAre());
}

TEST_F(LoopPortTest, HasAsManyQueuesEachWay) {
  const absl::Status status = Make(2, 1);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("'num_out_q' must be 'num_inc_q', 2, not 1"));
}

}  // namespace
}  // namespace bess
