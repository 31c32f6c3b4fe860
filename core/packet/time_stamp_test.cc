// SPDX-License-Identifier: Apache-2.0
#include "core/packet/time_stamp.h"

#include <gtest/gtest.h>

#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

class TimeStampTest : public testing::Test {
 protected:
  PacketView Make(const std::string& bytes) { return PacketView(*(packet_ = pool_->Make(bytes))); }
  void TearDown() override { FreePackets(&packet_, 1); }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  Packet* packet_ = nullptr;
};

TEST_F(TimeStampTest, IsReadAsItWasWritten) {
  const PacketView packet = Make(std::string(20, '.'));
  EXPECT_TRUE(WriteTimeStamp(packet, 3, 0x0123456789abcdef));
  EXPECT_EQ(ReadTimeStamp(packet, 3), 0x0123456789abcdefu);
  const std::string expected =
      "..." + Be(kTimeStampMark, 4) + Be(0x0123456789abcdef, 8) + std::string(5, '.');
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(packet.Bytes(0, 20)), 20), expected);
}

TEST_F(TimeStampTest, NeedsTheWholeOfItsRoom) {
  const PacketView packet = Make(std::string(14, '.'));
  EXPECT_TRUE(WriteTimeStamp(packet, 2, 1));
  EXPECT_FALSE(WriteTimeStamp(packet, 3, 2));
  EXPECT_FALSE(WriteTimeStamp(packet, ~size_t{0}, 2));
  EXPECT_EQ(ReadTimeStamp(packet, 2), 1u);
  EXPECT_EQ(ReadTimeStamp(packet, 3), 0u);
  EXPECT_EQ(ReadTimeStamp(packet, ~size_t{0}), 0u);
}

TEST(TimeStampOffsetTest, EndsWhereAStampNoLongerFits) {
  EXPECT_TRUE(CheckTimeStampOffset(2036).ok());
  const absl::Status status = CheckTimeStampOffset(2037);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_NE(status.message().find("0..2036 bytes, not 2037"), status.message().npos);
}

TEST_F(TimeStampTest, OtherBytesAreNone) {
  EXPECT_EQ(ReadTimeStamp(Make(std::string(12, '\x9d')), 0), 0u);
}

}  // namespace
}  // namespace bess
