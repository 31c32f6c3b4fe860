// SPDX-License-Identifier: Apache-2.0
#include "core/packet/vlan.h"

#include <gtest/gtest.h>

#include <string>

#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

const std::string kAddresses = Mac(0x010203040506) + Mac(0x0708090a0b0c);
const std::string kPlain = kAddresses + Be(kEtherTypeIpv4, 2) + "payload";
const std::string kTagged =
    kAddresses + Be(kEtherTypeVlan, 2) + Be(0xa123, 2) + Be(kEtherTypeIpv4, 2) + "payload";
const std::string kTwice = kAddresses + Be(kEtherTypeQinQ, 2) + Be(0xffff, 2) +
                           Be(kEtherTypeVlan, 2) + Be(0xa123, 2) + Be(kEtherTypeIpv4, 2) +
                           "payload";

class VlanTest : public testing::Test {
 protected:
  ~VlanTest() override {
    if (packet_ != nullptr) FreePackets(&packet_, 1);
  }
  Packet& Make(const std::string& bytes) {
    if (packet_ != nullptr) FreePackets(&packet_, 1);
    packet_ = pool_->Make(bytes);
    return *packet_;
  }
  std::string bytes() const {
    return {reinterpret_cast<const char*>(packet_->data()), packet_->length()};
  }

 private:
  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  Packet* packet_ = nullptr;
};

TEST_F(VlanTest, PushesInsideOutAndPopsOutsideIn) {
  Packet& packet = Make(kPlain);
  EXPECT_TRUE(PushVlanTag(packet, Be16(0xa123)));
  EXPECT_EQ(bytes(), kTagged);
  EXPECT_TRUE(PushVlanTag(packet, Be16(0xffff)));
  EXPECT_EQ(bytes(), kTwice);
  EXPECT_EQ(PopVlanTag(packet), 0xffff);
  EXPECT_EQ(bytes(), kTagged);
  EXPECT_EQ(PopVlanTag(packet), 0xa123);
  EXPECT_EQ(bytes(), kPlain);
  EXPECT_EQ(PopVlanTag(packet), 0);
  EXPECT_EQ(bytes(), kPlain);
}

TEST_F(VlanTest, ForgetsTheLayout) {
  Packet& packet = Make(kPlain);
  EXPECT_EQ(packet.layout().vlan_tags, 0u);
  PushVlanTag(packet, Be16(1));
  EXPECT_EQ(packet.layout().vlan_tags, 1u);
  PopVlanTag(packet);
  EXPECT_EQ(packet.layout().vlan_tags, 0u);
}

TEST_F(VlanTest, PushesUntilThereIsNoHeadroom) {
  Packet& packet = Make(kPlain);
  for (uint16_t left = packet.headroom(); left >= 4; left -= 4) {
    ASSERT_TRUE(PushVlanTag(packet, Be16(1)));
  }
  const std::string full = bytes();
  EXPECT_FALSE(PushVlanTag(packet, Be16(2)));
  EXPECT_EQ(bytes(), full);
}

TEST_F(VlanTest, PopsNothingOffPacketsCutShort) {
  for (size_t n = 0; n < 18; ++n) {
    EXPECT_EQ(PopVlanTag(Make(kTagged.substr(0, n))), std::nullopt) << n;
    EXPECT_EQ(bytes(), kTagged.substr(0, n));
  }
  EXPECT_EQ(PopVlanTag(Make(kTagged.substr(0, 18))), 0xa123);
  EXPECT_EQ(bytes(), kPlain.substr(0, 14));
}

}  // namespace
}  // namespace bess
