// SPDX-License-Identifier: Apache-2.0
#include "core/match/key.h"

#include <gmock/gmock.h>

#include <cstring>

#include "core/base/status.h"
#include "core/match/match_testing.h"

namespace bess {
namespace {

Key KeyAt(const KeyBatch& keys, uint32_t words, uint32_t i) {
  Key key;
  for (uint32_t w = 0; w < words; ++w) key.words[w] = keys.words[w][i];
  return key;
}

std::string RandomBytes(Random& random, size_t n) {
  std::string bytes(n, 0);
  for (char& c : bytes) c = static_cast<char>(random.Between(0, 256));
  return bytes;
}

// What is gathered from a packet is what the same bytes, given as constants, make.
TEST(KeyTest, GathersWhatIsReadFromConstants) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    PbFields list;
    for (int n = random.Between(1, 9); n > 0; --n) {
      *list.Add() = AtOffset(random.Between(0u, 40u), random.Between(1u, 9u));
    }
    KeyFields fields;
    ASSERT_TRUE(fields.Init("fields", list, {}).ok());
    std::vector<std::string> packets;
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      packets.push_back(RandomBytes(random, random.Between(48u, 64u)));
    }
    FakeBatch fake(packets, {});
    KeyBatch keys;
    fields.Gather(fake.context(), fake.batch, keys);
    EXPECT_FALSE(keys.any_absent);
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      PbFieldData data;
      for (const pb::Field& f : list)
        *data.Add() = Raw(packets[i].substr(f.offset(), f.num_bytes()));
      const Key key = *fields.Read("data", data, ByteOrder::kBig);
      ASSERT_EQ(KeyAt(keys, fields.words(), i), key);
      PbFieldData back;
      fields.Write(key, &back);
      for (int f = 0; f < data.size(); ++f) ASSERT_EQ(back[f].value_bin(), data[f].value_bin());
    }
  }
}

TEST(KeyTest, TellsWhichPacketsLackAField) {
  PbFields list;
  *list.Add() = AtOffset(0, 2);
  *list.Add() = AtOffset(4, 4);
  KeyFields fields;
  ASSERT_TRUE(fields.Init("fields", list, {}).ok());
  FakeBatch fake({"", "a", "ab", "abcdefg", "abcdefgh", std::string(60, 'x')}, {});
  KeyBatch keys;
  fields.Gather(fake.context(), fake.batch, keys);
  EXPECT_TRUE(keys.any_absent);
  EXPECT_EQ(Lacking(keys, 1), 0b000011u);
  EXPECT_EQ(Lacking(keys, 2), 0b001111u);
  EXPECT_EQ(Lacking(keys, 3), 0b001111u);
  EXPECT_EQ(Lacking(keys, 0), 0u);
}

TEST(KeyTest, ReadsAttributesUpToTheEndOfTheirArea) {
  const std::vector<Attribute> attributes = {{"a", 3}, {"b", 5}, {"none", 8}};
  PbFields list;
  *list.Add() = InAttribute("a", 3);
  *list.Add() = InAttribute("b", 5);
  *list.Add() = InAttribute("none", 8);
  KeyFields fields;
  ASSERT_TRUE(fields.Init("fields", list, attributes).ok());
  EXPECT_EQ(fields.words(), 2u);
  FakeBatch fake({"x"}, {0, kMetadataSize - 5, kNoWriter});
  uint8_t* area = fake.batch[0]->metadata();
  for (uint32_t i = 0; i < kMetadataSize; ++i) area[i] = static_cast<uint8_t>(i);
  KeyBatch keys;
  fields.Gather(fake.context(), fake.batch, keys);
  const Key wanted = *fields.Read(
      "d", ListOf({Raw(std::string("\0\1\2", 3)), Raw("\x7b\x7c\x7d\x7e\x7f"), Number(0)}),
      ByteOrder::kLittle);
  EXPECT_EQ(KeyAt(keys, 2, 0), wanted);
}

TEST(KeyTest, NumbersAreBigEndianInPacketsAndAsToldInAttributes) {
  const std::vector<Attribute> attributes = {{"a", 2}};
  PbFields list;
  *list.Add() = InAttribute("a", 2);
  *list.Add() = AtOffset(12, 2);
  KeyFields fields;
  ASSERT_TRUE(fields.Init("fields", list, attributes).ok());
  const auto numbers = ListOf({Number(0x0102), Number(0x0800)});
  EXPECT_EQ(
      *fields.Read("d", numbers, ByteOrder::kLittle),
      *fields.Read("d", ListOf({Raw("\2\1"), Raw(std::string("\x08\0", 2))}), ByteOrder::kBig));
  EXPECT_EQ(
      *fields.Read("d", numbers, ByteOrder::kBig),
      *fields.Read("d", ListOf({Raw("\1\2"), Raw(std::string("\x08\0", 2))}), ByteOrder::kBig));
}

TEST(KeyTest, TakesOneToEightFieldsAndAsManyConstants) {
  PbFields list;
  KeyFields none;
  EXPECT_EQ(StatusErrno(none.Init("fields", list, {})), EINVAL);
  for (int i = 0; i < 8; ++i) *list.Add() = AtOffset(0, 8);
  KeyFields eight;
  ASSERT_TRUE(eight.Init("fields", list, {}).ok());
  EXPECT_EQ(eight.words(), 8u);
  EXPECT_EQ(eight.FieldsIn(eight.bits()), 0xffu);
  EXPECT_EQ(StatusErrno(eight.Read("d", ListOf({Number(1)}), ByteOrder::kBig).status()), EINVAL);
  *list.Add() = AtOffset(0, 8);
  KeyFields nine;
  EXPECT_EQ(StatusErrno(nine.Init("fields", list, {})), EINVAL);
}

}  // namespace
}  // namespace bess
