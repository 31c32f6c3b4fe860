// SPDX-License-Identifier: Apache-2.0
#include "core/match/values.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/match/match_testing.h"

namespace bess {
namespace {

TEST(ValuesTest, WritesAttributesAndPacketBytes) {
  const std::vector<Attribute> attributes = {{"a", 3}, {"unread", 4}};
  PbFields list;
  *list.Add() = InAttribute("a", 3);
  *list.Add() = AtOffset(2, 2);
  *list.Add() = InAttribute("unread", 4);
  ValueFields fields;
  ASSERT_TRUE(fields.Init(list, {}, attributes).ok());
  const Values values =
      *fields.Read("values", ListOf({Number(0x030201), Number(0x0201), Number(7)}));
  FakeBatch fake({"abcdef", "abc", "abcdef", "abcdef"}, {kMetadataSize - 3, kNoReader});
  const Values* each[] = {&values, &values, nullptr, &values};
  Verdict verdicts[] = {Verdict::Gate(1), Verdict::Gate(1), Verdict::Gate(1),
                        Verdict::Drop(DropReason::kDenied)};
  fields.Set(fake.context(), fake.batch, each, verdicts);
  EXPECT_EQ(PacketBytes(*fake.batch[0]), "ab\1\2ef");
  const uint8_t* end = fake.batch[0]->metadata() + kMetadataSize - 4;
  EXPECT_EQ(std::vector<uint8_t>(end, end + 4), (std::vector<uint8_t>{0, 1, 2, 3}));
  EXPECT_EQ(verdicts[0], Verdict::Gate(1));
  EXPECT_EQ(verdicts[1], Verdict::Drop(DropReason::kTruncated));
  EXPECT_EQ(PacketBytes(*fake.batch[2]), "abcdef");
  EXPECT_EQ(PacketBytes(*fake.batch[3]), "abcdef");
}

TEST(ValuesTest, MasksKeepTheOtherBits) {
  PbFields list;
  *list.Add() = AtOffset(0, 2);
  ValueFields fields;
  ASSERT_TRUE(fields.Init(list, ListOf({Raw("\xf0\x0f")}), {}).ok());
  const Values values = *fields.Read("values", ListOf({Raw("\x55\x55")}));
  FakeBatch fake({"\xaa\xaa"}, {});
  const Values* each[] = {&values};
  Verdict verdicts[] = {Verdict::Gate(0)};
  fields.Set(fake.context(), fake.batch, each, verdicts);
  EXPECT_EQ(PacketBytes(*fake.batch[0]), "\x5a\xa5");
}

TEST(ValuesTest, TakesOneConstantAndMaskForEachPlace) {
  PbFields list;
  for (int i = 0; i < 8; ++i) *list.Add() = AtOffset(0, 8);
  ValueFields fields;
  ASSERT_TRUE(fields.Init(list, {}, {}).ok());
  EXPECT_EQ(StatusErrno(fields.Read("values", ListOf({Number(1)})).status()), EINVAL);
  ValueFields masked;
  EXPECT_EQ(StatusErrno(masked.Init(list, ListOf({Number(1)}), {})), EINVAL);
  *list.Add() = AtOffset(0, 8);
  ValueFields nine;
  EXPECT_EQ(StatusErrno(nine.Init(list, {}, {})), EINVAL);
}

}  // namespace
}  // namespace bess
