// SPDX-License-Identifier: Apache-2.0
#include "core/match/field.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/match/match_testing.h"

namespace bess {
namespace {

using testing::HasSubstr;

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(FieldTest, ReadsWhatIsInRange) {
  const std::vector<Attribute> attributes = {{"a", 4}, {"b", 8}};
  const auto place = ReadField("f", AtOffset(1024, 8), attributes);
  ASSERT_TRUE(place.ok());
  EXPECT_FALSE(place->is_attribute);
  EXPECT_EQ(place->position, 1024u);
  EXPECT_EQ(place->size, 8u);
  const auto attribute = ReadField("f", InAttribute("b", 8), attributes);
  ASSERT_TRUE(attribute.ok());
  EXPECT_TRUE(attribute->is_attribute);
  EXPECT_EQ(attribute->position, 1u);
}

TEST(FieldTest, RefusesWhatIsNot) {
  const std::vector<Attribute> attributes = {{"a", 4}};
  const auto refused = [&](const pb::Field& f) { return ReadField("f", f, attributes).status(); };
  ExpectRefused(refused(AtOffset(0, 0)), "'f.num_bytes' must be 1..8 bytes, not 0");
  ExpectRefused(refused(AtOffset(0, 9)), "not 9");
  ExpectRefused(refused(AtOffset(1025, 1)), "'f.offset' must be 0..1024 bytes, not 1025");
  ExpectRefused(refused(AtOffset(UINT32_MAX, 1)), "not 4294967295");
  ExpectRefused(refused(InAttribute("c", 4)), "not 'c'");
  ExpectRefused(refused(InAttribute("a", 2)), "must be 4, the size of attribute 'a', not 2");
  ExpectRefused(CheckFieldCount("fs", 9), "'fs' takes at most 8 fields, not 9");
}

TEST(FieldTest, DeclaresEachAttributeOnce) {
  PbFields read, written;
  *read.Add() = InAttribute("a", 4);
  *read.Add() = InAttribute("a", 4);
  *read.Add() = AtOffset(0, 4);
  *read.Add() = InAttribute("b", 2);
  *written.Add() = InAttribute("b", 2);
  *written.Add() = InAttribute("c", 1);
  const auto attributes = AttributesOf(read, written);
  ASSERT_EQ(attributes.size(), 3u);
  EXPECT_EQ(attributes[0].mode, AttributeMode::kRead);
  EXPECT_EQ(attributes[1].mode, AttributeMode::kUpdate);
  EXPECT_EQ(attributes[2].mode, AttributeMode::kWrite);
  EXPECT_EQ(AttributesOf(read, written, true)[2].mode, AttributeMode::kUpdate);
}

TEST(FieldTest, NumbersBecomeBytesInEitherOrder) {
  EXPECT_EQ(*ReadFieldData("d", Number(0x1234), 2, ByteOrder::kLittle), 0x1234u);
  EXPECT_EQ(*ReadFieldData("d", Number(0x1234), 2, ByteOrder::kBig), 0x3412u);
  EXPECT_EQ(*ReadFieldData("d", Number(1), 8, ByteOrder::kBig), uint64_t{1} << 56);
  EXPECT_EQ(*ReadFieldData("d", Raw("\x12\x34"), 2, ByteOrder::kBig), 0x3412u);
  EXPECT_EQ(*ReadFieldData("d", Raw("\x12\x34"), 2, ByteOrder::kLittle), 0x3412u);
  EXPECT_EQ(*ReadFieldData("d", pb::FieldData(), 2, ByteOrder::kBig), 0u);
  EXPECT_EQ(ToFieldData(0x3412, 2).value_bin(), "\x12\x34");
}

TEST(FieldTest, RawBytesNeverRunOverTheField) {
  const auto refused = [](const pb::FieldData& data, uint32_t size) {
    return ReadFieldData("d", data, size, ByteOrder::kBig).status();
  };
  ExpectRefused(refused(Raw(std::string(4096, 'x')), 8), "must have 8 bytes, not 4096");
  ExpectRefused(refused(Raw("x"), 2), "'d.value_bin' must have 2 bytes, not 1");
  ExpectRefused(refused(Number(256), 1), "'d.value_int' must fit 1 bytes, unlike 256");
  EXPECT_TRUE(ReadFieldData("d", Number(UINT64_MAX), 8, ByteOrder::kBig).ok());
}

}  // namespace
}  // namespace bess
