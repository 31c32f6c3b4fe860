// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/nanosecond_clock.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "core/packet/time_stamp.h"
#include "modules/timestamp.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::TimestampArg At(uint64_t offset) {
  pb::TimestampArg arg;
  arg.set_offset(offset);
  return arg;
}

pb::TimestampArg In(const std::string& attribute) {
  pb::TimestampArg arg;
  arg.set_attr_name(attribute);
  return arg;
}

TEST(TimestampTest, WritesTheTimeIntoItsAttribute) {
  const NanosecondClock clock;
  ModuleTester tester("Timestamp", pb::TimestampArg());
  tester.PlaceAttribute(0, 40);
  const uint64_t before = clock.Now();
  tester.Send(0, {"a", ""});
  const uint64_t after = clock.Now();
  ASSERT_EQ(tester.metadata(0).size(), 2u);
  for (const std::string& metadata : tester.metadata(0)) {
    const auto time = LoadUnaligned<uint64_t>(metadata.data() + 40);
    EXPECT_GE(time, before);
    EXPECT_LE(time, after);
  }
}

TEST(TimestampTest, NamesItsAttribute) {
  for (const auto& [arg, name] : {std::pair(pb::TimestampArg(), "timestamp"),
                                  std::pair(In(""), "timestamp"), std::pair(In("t1"), "t1")}) {
    ModuleTester tester("Timestamp", arg);
    ASSERT_EQ(tester.module().attributes().size(), 1u);
    const Attribute& attribute = tester.module().attributes()[0];
    EXPECT_EQ(attribute.name, name);
    EXPECT_EQ(attribute.size, 8u);
    EXPECT_EQ(attribute.mode, AttributeMode::kWrite);
  }
}

TEST(TimestampTest, WritesNothingThatNobodyReads) {
  ModuleTester tester("Timestamp", pb::TimestampArg());
  tester.PlaceAttribute(0, kNoReader);
  Packet* packet = tester.host().pool().Make("a");
  std::fill_n(packet->metadata(), kMetadataSize, 0xee);
  tester.SendPackets(0, {packet});
  EXPECT_THAT(tester.metadata(0), ElementsAre(std::string(kMetadataSize, '\xee')));
}

TEST(TimestampTest, WritesTheTimeIntoThePacket) {
  const NanosecondClock clock;
  ModuleTester tester("Timestamp", At(2));
  EXPECT_TRUE(tester.module().attributes().empty());
  const uint64_t before = clock.Now();
  tester.Send(0, {std::string(20, '.')});
  const std::string packet = tester.Received(0).at(0);
  EXPECT_EQ(packet.substr(0, 6), ".." + Be(kTimeStampMark, 4));
  EXPECT_GE(LoadUnaligned<Be64>(packet.data() + 6).value(), before);
  EXPECT_EQ(packet.substr(14), "......");
}

// BESS computed the room behind the offset with numbers that cannot be negative.
TEST(TimestampTest, LeavesShortPacketsAsTheyAre) {
  ModuleTester tester("Timestamp", At(8));
  for (size_t n = 0; n < 20; ++n) {
    const std::string packet(n, '.');
    tester.Send(0, {packet});
    EXPECT_THAT(tester.Received(0), ElementsAre(packet));
  }
}

TEST(TimestampTest, RefusesPlacesNoBufferHas) {
  EXPECT_TRUE(ModuleTester("Timestamp", At(2036)).ok());
  for (const uint64_t offset : {uint64_t{2037}, uint64_t{1} << 32, ~uint64_t{0}}) {
    const absl::Status status = ModuleTester("Timestamp", At(offset)).status();
    EXPECT_EQ(StatusErrno(status), EINVAL);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("'offset' must be 0..2036 bytes, not ", offset)));
  }
}

}  // namespace
}  // namespace bess
