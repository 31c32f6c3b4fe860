// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "supdate.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using Arg = sample::supdate::pb::SequentialUpdateArg;

Arg Field(int64_t offset, uint64_t size, uint64_t min, uint64_t max) {
  Arg arg;
  auto& field = *arg.add_fields();
  field.set_offset(offset);
  field.set_size(size);
  field.set_min(min);
  field.set_max(max);
  return arg;
}

TEST(SequentialUpdateTest, CountsFromMinToMaxAndAgain) {
  ModuleTester tester("SequentialUpdate", Field(1, 1, 'a', 'c'));
  tester.Send(0, {"---", "---", "---", "---"});
  tester.Send(0, {"---"});
  EXPECT_THAT(tester.Received(0), ElementsAre("-a-", "-b-", "-c-", "-a-", "-b-"));
}

TEST(SequentialUpdateTest, WritesInNetworkOrder) {
  ModuleTester tester("SequentialUpdate", Field(0, 4, 0x61626364, 0x61626364));
  ASSERT_TRUE(tester.Command("add", Field(4, 2, 0x7879, 0xffff)).ok());
  tester.Send(0, {"------"});
  EXPECT_THAT(tester.Received(0), ElementsAre("abcdxy"));
}

TEST(SequentialUpdateTest, LeavesShortPacketsAlone) {
  ModuleTester tester("SequentialUpdate", Field(2, 2, 0x6161, 0x6262));
  tester.Send(0, {"", "---", "----"});
  EXPECT_THAT(tester.Received(0), ElementsAre("", "---", "--ac"));
}

TEST(SequentialUpdateTest, ClearEndsIt) {
  ModuleTester tester("SequentialUpdate", Field(0, 1, 'a', 'c'));
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  tester.Send(0, {"-"});
  EXPECT_THAT(tester.Received(0), ElementsAre("-"));
}

TEST(SequentialUpdateTest, RefusesWhatIsOutOfBounds) {
  ModuleTester tester("SequentialUpdate", Field(2044, 4, 0, UINT32_MAX));
  ASSERT_TRUE(tester.ok()) << tester.status();
  const Arg bad[] = {Field(-1, 1, 0, 0),
                     Field(2048, 1, 0, 0),
                     Field(2045, 4, 0, 0),
                     Field(0, 3, 0, 0),
                     Field(0, 0, 0, 0),
                     Field(0, 8, 0, 0),
                     Field(0, 1, 0, 256),
                     Field(0, 2, 2, 1),
                     Field(INT64_MAX, 4, 0, 0),
                     Field(0, 4, 0, 1ull << 32),
                     Field(0, uint64_t{1} << 32, 0, 0)};
  for (const Arg& arg : bad) {
    EXPECT_EQ(StatusErrno(tester.Command("add", arg)), EINVAL) << arg.ShortDebugString();
  }
  Arg many;
  for (int i = 0; i < 16; ++i) *many.add_fields() = Field(0, 1, 0, 1).fields(0);
  EXPECT_EQ(StatusErrno(tester.Command("add", many)), EINVAL) << "there would be 17";
  many.mutable_fields()->RemoveLast();
  EXPECT_TRUE(tester.Command("add", many).ok());
}

}  // namespace
}  // namespace bess
