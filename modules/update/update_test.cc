// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/update.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::UpdateArg Fields(std::initializer_list<std::tuple<int64_t, uint64_t, uint64_t>> fields) {
  pb::UpdateArg arg;
  for (const auto& [offset, size, value] : fields) {
    auto* field = arg.add_fields();
    field->set_offset(offset);
    field->set_size(size);
    field->set_value(value);
  }
  return arg;
}

void ExpectRefused(const pb::UpdateArg& arg, const std::string& text) {
  ModuleTester fresh("Update", arg);
  EXPECT_EQ(StatusErrno(fresh.status()), EINVAL) << text;
  EXPECT_THAT(std::string(fresh.status().message()), HasSubstr(text));

  ModuleTester running("Update", Fields({{0, 1, 'x'}}));
  EXPECT_EQ(StatusErrno(running.Command("add", arg)), EINVAL) << text;
  running.Send(0, {"...."});
  EXPECT_THAT(running.Received(0), ElementsAre("x...")) << "a refused command changes nothing";
}

// BESS always read and wrote eight bytes, beyond the packet too.
TEST(UpdateTest, WritesExactlyTheBytesOfTheField) {
  for (uint64_t size = 1; size <= 8; ++size) {
    const std::string number = Be(0xa1a2a3a4a5a6a7a8, 8).substr(8 - size);
    const uint64_t value = 0xa1a2a3a4a5a6a7a8 & (UINT64_MAX >> (64 - 8 * size));
    ModuleTester tester("Update", Fields({{3, size, value}}));
    tester.Send(0, {std::string(3 + size, '.'), std::string(20, '.')});
    EXPECT_THAT(tester.Received(0),
                ElementsAre("..." + number, "..." + number + std::string(17 - size, '.')));
  }
}

TEST(UpdateTest, WritesFieldsInOrder) {
  ModuleTester tester("Update", Fields({{0, 4, 0x61616161}, {2, 2, 0x6262}, {3, 1, 'c'}}));
  tester.Send(0, {"......"});
  EXPECT_THAT(tester.Received(0), ElementsAre("aabc.."));
}

TEST(UpdateTest, DropsPacketsThatEndBeforeAField) {
  ModuleTester tester("Update", Fields({{0, 1, 'a'}, {4, 2, 0x6262}}));
  tester.Send(0, {"......", ".....", "", "......."});
  EXPECT_THAT(tester.Received(0), ElementsAre("a...bb", "a...bb."));
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 2u);
}

TEST(UpdateTest, AddsFieldsAndClearsThem) {
  ModuleTester tester("Update", pb::UpdateArg());
  tester.Send(0, {"...", ""});
  ASSERT_TRUE(tester.Command("add", Fields({{0, 1, 'a'}})).ok());
  ASSERT_TRUE(tester.Command("add", Fields({{1, 1, 'b'}})).ok());
  tester.Send(0, {"..."});
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  tester.Send(0, {"...", "."});
  EXPECT_THAT(tester.Received(0), ElementsAre("...", "", "ab.", "...", "."));
}

TEST(UpdateTest, RefusesBadFields) {
  ExpectRefused(Fields({{0, 1, 'y'}, {0, 0, 0}}), "fields[1]: 'size' must be 1..8, not 0");
  ExpectRefused(Fields({{0, 9, 0}}), "fields[0]: 'size' must be 1..8, not 9");
  ExpectRefused(Fields({{-1, 1, 0}}), "'offset' must be 0..16383 for 1 bytes, not -1");
  ExpectRefused(Fields({{16377, 8, 0}}), "'offset' must be 0..16376 for 8 bytes, not 16377");
  ExpectRefused(Fields({{INT64_MAX, 8, 0}}), "'offset' must be 0..16376 for 8 bytes");
  ExpectRefused(Fields({{0, 1, 256}}), "'value' must be 0..255 for 1 bytes, not 256");
  ExpectRefused(Fields({{0, 7, 1ull << 56}}), "'value' must be 0..72057594037927935 for 7 bytes");
}

TEST(UpdateTest, TakesTheLargestValues) {
  ModuleTester tester("Update", Fields({{2040, 8, UINT64_MAX}, {0, 1, 255}}));
  EXPECT_TRUE(tester.ok()) << tester.status();
}

TEST(UpdateTest, HasAtMostSixteenFields) {
  pb::UpdateArg arg;
  for (int i = 0; i < 16; ++i) arg.add_fields()->set_size(1);
  ModuleTester tester("Update", arg);
  ASSERT_TRUE(tester.ok());
  const absl::Status status = tester.Command("add", Fields({{0, 1, 0}}));
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'fields' would be 17; at most 16"));
}

TEST(UpdateTest, WritesAcrossSegments) {
  ModuleTester tester("Update", Fields({{0, 1, 'x'}, {2, 4, 0x61626364}, {7, 1, 'y'}}));
  PacketPool& pool = tester.host().pool();
  tester.SendPackets(0,
                     {pool.MakeChain({"...", "", "..", "..."}), pool.MakeChain({"...", "...."})});
  EXPECT_THAT(tester.Received(0), ElementsAre("x.abcd.y"));
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 1u) << "a byte too short, all segments counted";
}

TEST(UpdateKindsTest, NothingBeforeAClearCounts) {
  const auto update = ModuleRegistry::Get().Find("Update");
  EXPECT_EQ(update->FindCommand("add")->kind, CommandKind::kAdds);
  EXPECT_EQ(update->FindCommand("clear")->kind, CommandKind::kClears);
}

}  // namespace
}  // namespace bess
