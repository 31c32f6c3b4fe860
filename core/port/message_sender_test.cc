// SPDX-License-Identifier: Apache-2.0
#include "core/port/message_sender.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "core/packet/packet_pool.h"

namespace bess {
namespace {

class MessageSenderTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends_), 0); }
  ~MessageSenderTest() override {
    FreePackets(packets_.data(), static_cast<uint32_t>(packets_.size()));
    for (const int end : ends_) close(end);
  }

  uint32_t Send() {
    return sender_.Send(ends_[0], packets_.data(), static_cast<uint32_t>(packets_.size()));
  }
  std::string Receive() {
    std::string bytes(1 << 18, 0);
    const ssize_t n = recv(ends_[1], bytes.data(), bytes.size(), MSG_DONTWAIT);
    return n < 0 ? "nothing" : bytes.substr(0, static_cast<size_t>(n));
  }
  Packet* MakeLong(size_t segments, size_t bytes) {
    const std::string part(bytes, 'l');
    return pool_->MakeChain(std::vector<std::string_view>(segments, part));
  }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  std::vector<Packet*> packets_;
  MessageSender sender_;
  int ends_[2];
};

TEST_F(MessageSenderTest, AMessageAPacketWhateverItsSegments) {
  packets_ = {pool_->Make("one"), pool_->MakeChain({"t", "", "wo"}), pool_->Make("three")};
  EXPECT_EQ(Send(), 3u);
  EXPECT_EQ(Receive(), "one");
  EXPECT_EQ(Receive(), "two");
  EXPECT_EQ(Receive(), "three");
}

TEST_F(MessageSenderTest, ManySegmentsNeedSeveralCalls) {
  for (int i = 0; i < 20; ++i) packets_.push_back(MakeLong(100, 10));
  EXPECT_EQ(Send(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Receive(), std::string(1000, 'l')) << i;
}

TEST_F(MessageSenderTest, WhatIsTooLongDoesNotHoldUpTheOthers) {
  Packet* too_long = MakeLong(64, 16384);
  Packet* too_many = MakeLong(1025, 1);
  packets_ = {pool_->Make("a"), too_long, pool_->Make("b"), too_many, pool_->Make("c")};
  EXPECT_EQ(Send(), 3u);
  EXPECT_EQ(Receive(), "a");
  EXPECT_EQ(Receive(), "b");
  EXPECT_EQ(Receive(), "c");
  EXPECT_THAT(std::vector<Packet*>(packets_.begin() + 3, packets_.end()),
              testing::UnorderedElementsAre(too_long, too_many));
}

TEST_F(MessageSenderTest, PacketsOfNoBytesAreNoMessages) {
  Packet* none = pool_->Make("");
  Packet* nothing = pool_->MakeChain({"", "", ""});
  packets_ = {none, pool_->Make("a"), nothing, pool_->Make("b")};
  EXPECT_EQ(Send(), 2u);
  EXPECT_EQ(Receive(), "a");
  EXPECT_EQ(Receive(), "b");
  EXPECT_EQ(Receive(), "nothing");
  EXPECT_THAT(std::vector<Packet*>(packets_.begin() + 2, packets_.end()),
              testing::UnorderedElementsAre(none, nothing));
}

TEST_F(MessageSenderTest, AFullSocketTakesTheFirstOnes) {
  for (int i = 0; i < 5000; ++i) packets_.push_back(pool_->Make(std::to_string(i)));
  const uint32_t sent = Send();
  ASSERT_LT(sent, 5000u);
  for (uint32_t i = 0; i < sent; ++i) ASSERT_EQ(Receive(), std::to_string(i));
  EXPECT_EQ(Receive(), "nothing");
}

}  // namespace
}  // namespace bess
