// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/split.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::SplitArg AtOffset(uint64_t size, int64_t offset) {
  pb::SplitArg arg;
  arg.set_size(size);
  arg.set_offset(offset);
  return arg;
}

pb::SplitArg InAttribute(uint64_t size, const std::string& name) {
  pb::SplitArg arg;
  arg.set_size(size);
  arg.set_attribute(name);
  return arg;
}

void ExpectRefused(const pb::SplitArg& arg, const std::string& text) {
  const absl::Status status = ModuleTester("Split", arg).status();
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

std::string Bytes(std::initializer_list<int> bytes) { return {bytes.begin(), bytes.end()}; }

TEST(SplitTest, ReadsABigEndianNumber) {
  ModuleTester tester("Split", AtOffset(2, 1));
  const std::string to_3 = Bytes({9, 0, 3}), to_0x1fff = Bytes({9, 0x1f, 0xff, 7});
  tester.Send(0, {to_3, to_0x1fff, to_3});
  EXPECT_THAT(tester.Received(3), ElementsAre(to_3, to_3));
  EXPECT_THAT(tester.Received(0x1fff), ElementsAre(to_0x1fff));
}

TEST(SplitTest, TakesOffsetZeroWhenNothingIsSaid) {
  pb::SplitArg arg;
  arg.set_size(1);
  ModuleTester tester("Split", arg);
  tester.Send(0, {Bytes({5})});
  EXPECT_EQ(tester.count(5), 1u);
}

TEST(SplitTest, ReadsNumbersOfEachSize) {
  for (uint32_t size = 1; size <= 8; ++size) {
    ModuleTester tester("Split", AtOffset(size, 0));
    tester.Send(0, {std::string(size - 1, '\0') + '\x11'});
    EXPECT_EQ(tester.count(0x11), 1u) << size;
  }
}

// A narrowed number would end at gate 5, or with 16 bits at a gate that exists.
TEST(SplitTest, DropsNumbersThatAreNoGate) {
  ModuleTester tester("Split", AtOffset(8, 0));
  tester.Send(0, {Bytes({0, 0, 0, 0, 0, 1, 0, 5}), Bytes({0, 0, 0, 1, 0, 0, 0, 5}),
                  Bytes({1, 0, 0, 0, 0, 0, 0, 5}), Bytes({0, 0, 0, 0, 0, 0, 0x20, 0}),
                  Bytes({0, 0, 0, 0, 0, 0, 0x80, 0})});
  EXPECT_EQ(tester.dropped(DropReason::kNoGate), 5u);
  EXPECT_EQ(tester.all_dropped(), 5u);
  EXPECT_EQ(tester.count(5), 0u);
}

TEST(SplitTest, DropsPacketsTooShortForTheNumber) {
  ModuleTester tester("Split", AtOffset(2, 4));
  tester.Send(0, {"", "1234", "12345"});
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 3u);
}

TEST(SplitTest, ReadsAnAttribute) {
  ModuleTester tester("Split", InAttribute(2, "gate"));
  ASSERT_EQ(tester.module().attributes().size(), 1u);
  EXPECT_EQ(tester.module().attributes()[0].name, "gate");
  EXPECT_EQ(tester.module().attributes()[0].size, 2u);
  tester.PlaceAttribute(0, 6);
  Packet* packet = tester.host().pool().Make("x");
  packet->metadata()[6] = 0x01;
  packet->metadata()[7] = 0x02;
  tester.SendPackets(0, {packet});
  EXPECT_THAT(tester.Received(0x102), ElementsAre("x"));
}

TEST(SplitTest, SendsAllToGate0WhenNobodyWritesTheAttribute) {
  ModuleTester tester("Split", InAttribute(8, "gate"));
  tester.PlaceAttribute(0, kNoWriter);
  tester.Send(0, {"x"});
  EXPECT_EQ(tester.count(0), 1u);
}

TEST(SplitTest, RefusesBadArguments) {
  ExpectRefused(AtOffset(0, 0), "'size' must be 1..8 bytes, not 0");
  ExpectRefused(AtOffset(9, 0), "not 9");
  ExpectRefused(AtOffset((uint64_t{1} << 32) + 1, 0), "not 4294967297");
  ExpectRefused(AtOffset(1, 1025), "'offset' must be 0..1024 bytes, not 1025");
  ExpectRefused(AtOffset(1, -1), "not -1");
  ExpectRefused(InAttribute(9, "gate"), "'size'");
  ExpectRefused(InAttribute(2, ""), "name");
  EXPECT_TRUE(ModuleTester("Split", AtOffset(8, 1024)).ok());
}

}  // namespace
}  // namespace bess
