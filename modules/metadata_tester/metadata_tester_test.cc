// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/metadata_tester.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Sizes = std::map<std::string, int64_t>;

pb::MetadataTestArg Declaring(const Sizes& read, const Sizes& write = {},
                              const Sizes& update = {}) {
  pb::MetadataTestArg arg;
  for (const auto& [name, size] : read) (*arg.mutable_read())[name] = size;
  for (const auto& [name, size] : write) (*arg.mutable_write())[name] = size;
  for (const auto& [name, size] : update) (*arg.mutable_update())[name] = size;
  return arg;
}

void ExpectRefused(const pb::MetadataTestArg& arg, int code, const std::string& text) {
  ModuleTester tester("MetadataTest", arg);
  EXPECT_EQ(StatusErrno(tester.status()), code);
  EXPECT_THAT(std::string(tester.status().message()), HasSubstr(text));
}

TEST(MetadataTestTest, DeclaresWhatItIsTold) {
  ModuleTester tester("MetadataTest", Declaring({{"r", 1}}, {{"w", 32}, {"v", 4}}, {{"u", 8}}));
  ASSERT_TRUE(tester.ok()) << tester.status();
  std::map<std::string, std::pair<uint32_t, AttributeMode>> declared;
  for (const Attribute& x : tester.module().attributes()) declared[x.name] = {x.size, x.mode};
  EXPECT_EQ(declared.size(), 4u);
  EXPECT_EQ(declared["r"], std::pair(1u, AttributeMode::kRead));
  EXPECT_EQ(declared["w"], std::pair(32u, AttributeMode::kWrite));
  EXPECT_EQ(declared["v"], std::pair(4u, AttributeMode::kWrite));
  EXPECT_EQ(declared["u"], std::pair(8u, AttributeMode::kUpdate));
}

TEST(MetadataTestTest, DeclaresInOrderOfNames) {
  Sizes many;
  for (const char* name : {"q", "a", "m", "z", "c", "b", "y"}) many[name] = 1;
  ModuleTester tester("MetadataTest", Declaring({}, many));
  std::vector<std::string> names;
  for (const Attribute& x : tester.module().attributes()) names.push_back(x.name);
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "m", "q", "y", "z"));
}

TEST(MetadataTestTest, ConnectsGatesOfTheSameNumber) {
  ModuleTester tester("MetadataTest", pb::MetadataTestArg());
  tester.Send(0, {"a"});
  tester.Send(8191, {"b"});
  EXPECT_THAT(tester.Received(0), ElementsAre("a"));
  EXPECT_THAT(tester.Received(8191), ElementsAre("b"));
}

TEST(MetadataTestTest, WritesZerosOnlyToWhatItSaysItWrites) {
  ModuleTester tester("MetadataTest", Declaring({{"r", 2}}, {{"w", 4}}, {{"u", 2}}));
  tester.PlaceAttribute(0, 8);   // w, which comes first
  tester.PlaceAttribute(1, 16);  // r
  tester.PlaceAttribute(2, 24);  // u
  Packet* packet = tester.host().pool().Make("a");
  std::fill_n(packet->metadata(), kMetadataSize, 0xee);
  tester.SendPackets(0, {packet});
  std::string expected(kMetadataSize, '\xee');
  expected.replace(8, 4, 4, '\0');
  EXPECT_THAT(tester.metadata(0), ElementsAre(expected));
}

TEST(MetadataTestTest, SkipsWhatNobodyReads) {
  ModuleTester tester("MetadataTest", Declaring({}, {{"w", 4}}));
  tester.PlaceAttribute(0, kNoReader);
  Packet* packet = tester.host().pool().Make("a");
  std::fill_n(packet->metadata(), kMetadataSize, 0xee);
  tester.SendPackets(0, {packet});
  EXPECT_THAT(tester.metadata(0), ElementsAre(std::string(kMetadataSize, '\xee')));
}

TEST(MetadataTestTest, RefusesSizesAnAttributeCannotHave) {
  for (const int64_t size : {int64_t{0}, int64_t{33}, int64_t{-1}, INT64_MIN, INT64_MAX}) {
    const std::string text = absl::StrCat("attribute 'x' must have 1..32 bytes, not ", size);
    ExpectRefused(Declaring({{"x", size}}), EINVAL, "'read': " + text);
    ExpectRefused(Declaring({}, {{"x", size}}), EINVAL, "'write': " + text);
    ExpectRefused(Declaring({}, {}, {{"x", size}}), EINVAL, "'update': " + text);
  }
  ExpectRefused(Declaring({{"", 4}}), EINVAL, "needs a name");
}

TEST(MetadataTestTest, RefusesANameGivenTwiceAndTooMany) {
  ExpectRefused(Declaring({{"x", 4}}, {{"x", 4}}), EEXIST, "'x'");
  ExpectRefused(Declaring({{"x", 4}}, {}, {{"x", 4}}), EEXIST, "'x'");
  Sizes many;
  for (char c = 'a'; c < 'a' + 17; ++c) many[std::string(1, c)] = 1;
  ExpectRefused(Declaring(many), ENOSPC, "at most 16 attributes");
}

}  // namespace
}  // namespace bess
