// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/set_metadata.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using AttributeArg = pb::SetMetadataArg::Attribute;

AttributeArg Copied(uint64_t size, int32_t offset, const std::string& mask = "",
                    int32_t shift = 0) {
  AttributeArg attribute;
  attribute.set_name("a");
  attribute.set_size(size);
  attribute.set_offset(offset);
  attribute.set_mask(mask);
  attribute.set_rshift_bits(shift);
  return attribute;
}
AttributeArg Number(uint64_t size, uint64_t value) {
  AttributeArg attribute = Copied(size, 0);
  attribute.set_value_int(value);
  return attribute;
}
AttributeArg Bytes(uint64_t size, const std::string& value) {
  AttributeArg attribute = Copied(size, 0);
  attribute.set_value_bin(value);
  return attribute;
}

pb::SetMetadataArg Arg(std::initializer_list<AttributeArg> attributes) {
  pb::SetMetadataArg arg;
  for (const AttributeArg& attribute : attributes) {
    AttributeArg* added = arg.add_attrs();
    *added = attribute;
    if (arg.attrs_size() > 1) added->set_name(std::string(1, char('a' + arg.attrs_size() - 1)));
  }
  return arg;
}

constexpr char kPacket[] = "0123456789abcdefghijklmnopqrstuvwxyz";

// The first `n` bytes of metadata of kPacket, of which the attribute takes those before `size`.
std::string Written(const AttributeArg& attribute, size_t n) {
  ModuleTester tester("SetMetadata", Arg({attribute}));
  EXPECT_TRUE(tester.ok()) << tester.status();
  Packet* packet = tester.host().pool().Make(kPacket);
  std::fill_n(packet->metadata(), kMetadataSize, uint8_t{'~'});
  tester.SendPackets(0, {packet});
  EXPECT_THAT(tester.Received(0), ElementsAre(kPacket)) << "the packet itself never changes";
  return tester.metadata(0).at(0).substr(0, n);
}

using std::string_literals::operator""s;

TEST(SetMetadataTest, Constants) {
  EXPECT_EQ(Written(Number(2, 0x4142), 3), "AB~");
  EXPECT_EQ(Written(Number(4, 0x42), 5), std::string("\0\0\0B~", 5));
  EXPECT_EQ(Written(Number(8, 0x4142434445464748), 9), "ABCDEFGH~");
  EXPECT_EQ(Written(Number(10, 0x4142434445464748), 11), std::string("\0\0ABCDEFGH~", 11));
  EXPECT_EQ(Written(Number(1, 255), 2), "\xff~");
  EXPECT_EQ(Written(Number(3, 0), 4), std::string("\0\0\0~", 4)) << "a constant 0 is no copy";
  EXPECT_EQ(Written(Bytes(5, "hello"), 6), "hello~");
  EXPECT_EQ(Written(Bytes(32, std::string(32, 'x')), 33), std::string(32, 'x') + "~");
}

TEST(SetMetadataTest, CopiesOfEverySize) {
  const std::string packet = kPacket;
  for (size_t size = 1; size <= 32; ++size) {
    EXPECT_EQ(Written(Copied(size, 4), size + 1), packet.substr(4, size) + "~");
  }
  EXPECT_EQ(Written(Copied(4, 32), 5), "wxyz~") << "the last bytes of the packet";
}

TEST(SetMetadataTest, Masks) {
  EXPECT_EQ(Written(Copied(4, 0, "\xff\x00\x0f\xf0"s), 5), "0\0\x02\x30~"s);
}

TEST(SetMetadataTest, Shifts) {
  EXPECT_EQ(Written(Copied(4, 0, "", 8), 5),
            "\0"
            "012~"s);
  EXPECT_EQ(Written(Copied(4, 0, "", 24), 5),
            "\0\0\0"
            "0~"s);
  EXPECT_EQ(Written(Copied(4, 0, "", -8), 5), "123\0~"s);
  EXPECT_EQ(Written(Copied(4, 0, "", -24), 5), "3\0\0\0~"s);
  EXPECT_EQ(Written(Copied(32, 0, "", 248), 33), std::string(31, '\0') + "0~");
}

TEST(SetMetadataTest, MasksBeforeItShifts) {
  EXPECT_EQ(Written(Copied(3, 0, "\x0f\xff\xff"s, 8), 4),
            "\0\0"
            "1~"s);
  EXPECT_EQ(Written(Copied(3, 0, "\xff\x00\xff"s, -8), 4),
            "\0"
            "2\0~"s);
}

TEST(SetMetadataTest, DropsPacketsThatEndBeforeACopy) {
  ModuleTester tester("SetMetadata", Arg({Number(1, 1), Copied(4, 2)}));
  tester.Send(0, {"012345", "01234", "", "0123456"});
  EXPECT_THAT(tester.Received(0), ElementsAre("012345", "0123456"));
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 2u);
}

TEST(SetMetadataTest, SkipsWhatNobodyReads) {
  ModuleTester tester("SetMetadata", Arg({Copied(4, 2), Bytes(2, "hi")}));
  tester.PlaceAttribute(0, kNoReader);
  tester.PlaceAttribute(1, 7);
  Packet* packet = tester.host().pool().Make("short");
  std::fill_n(packet->metadata(), kMetadataSize, uint8_t{'~'});
  tester.SendPackets(0, {packet});
  ASSERT_EQ(tester.metadata(0).size(), 1u);
  EXPECT_EQ(tester.metadata(0)[0], "~~~~~~~hi" + std::string(kMetadataSize - 9, '~'));

  tester.PlaceAttribute(1, kNoReader);
  tester.Send(0, {"short"});
  EXPECT_EQ(tester.count(0), 2u);
}

TEST(SetMetadataTest, DeclaresWhatItWrites) {
  ModuleTester tester("SetMetadata", Arg({Number(2, 1), Copied(5, 0)}));
  ASSERT_EQ(tester.module().attributes().size(), 2u);
  EXPECT_EQ(tester.module().attributes()[1].name, "b");
  EXPECT_EQ(tester.module().attributes()[1].size, 5u);
  EXPECT_EQ(tester.module().attributes()[1].mode, AttributeMode::kWrite);
}

void ExpectRefused(const pb::SetMetadataArg& arg, const std::string& text, int code = EINVAL) {
  ModuleTester tester("SetMetadata", arg);
  EXPECT_EQ(StatusErrno(tester.status()), code) << text;
  EXPECT_THAT(std::string(tester.status().message()), HasSubstr(text));
}

TEST(SetMetadataTest, RefusesBadAttributes) {
  ExpectRefused(pb::SetMetadataArg(), "'attrs' must name at least one attribute");
  ExpectRefused(Arg({Copied(0, 0)}), "attribute 'a' must have 1..32 bytes, not 0");
  ExpectRefused(Arg({Copied(33, 0)}), "attribute 'a' must have 1..32 bytes, not 33");
  AttributeArg unnamed = Copied(1, 0);
  unnamed.clear_name();
  ExpectRefused(Arg({unnamed}), "needs a name");
  pb::SetMetadataArg twice = Arg({Copied(1, 0), Copied(2, 0)});
  twice.mutable_attrs(1)->set_name("a");
  ExpectRefused(twice, "attribute 'a' is declared twice", EEXIST);
  pb::SetMetadataArg many;
  for (int i = 0; i < 17; ++i) {
    *many.add_attrs() = Number(1, 1);
    many.mutable_attrs(i)->set_name(absl::StrCat("a", i));
  }
  ExpectRefused(many, "'a16' is one too many", ENOSPC);
}

TEST(SetMetadataTest, RefusesBadConstants) {
  ExpectRefused(Arg({Number(1, 256)}), "'value_int' 256 does not fit into 1 bytes");
  ExpectRefused(Arg({Number(7, 1ull << 56)}), "does not fit into 7 bytes");
  ExpectRefused(Arg({Bytes(4, "abc")}), "'value_bin' must have 4 bytes, as 'size' says, not 3");
  ExpectRefused(Arg({Bytes(2, "abc")}), "'value_bin' must have 2 bytes, as 'size' says, not 3");
  AttributeArg masked = Number(1, 1);
  masked.set_mask("x");
  ExpectRefused(Arg({masked}), "apply to a copy from the packet, not to a constant");
  AttributeArg shifted = Number(2, 1);
  shifted.set_rshift_bits(8);
  ExpectRefused(Arg({shifted}), "apply to a copy from the packet, not to a constant");
}

TEST(SetMetadataTest, RefusesBadCopies) {
  ExpectRefused(Arg({Copied(4, -1)}), "'offset' must be 0..16380 for 4 bytes, not -1");
  ExpectRefused(Arg({Copied(4, 16381)}), "'offset' must be 0..16380 for 4 bytes, not 16381");
  ExpectRefused(Arg({Copied(4, INT32_MAX)}), "'offset' must be 0..16380");
  ExpectRefused(Arg({Copied(4, 0, "abc")}), "'mask' must have 4 bytes, as 'size' says, not 3");
  ExpectRefused(Arg({Copied(4, 0, "", 4)}), "'rshift_bits' must be a multiple of 8");
  ExpectRefused(Arg({Copied(4, 0, "", 32)}), "between -32 and 32, both excluded, not 32");
  ExpectRefused(Arg({Copied(4, 0, "", -32)}), "both excluded, not -32");
  ExpectRefused(Arg({Copied(4, 0, "", INT32_MIN)}), "both excluded, not -2147483648");
  EXPECT_TRUE(ModuleTester("SetMetadata", Arg({Copied(4, 2044)})).ok());
}

TEST(SetMetadataTest, CopiesAcrossSegments) {
  ModuleTester tester("SetMetadata", Arg({Copied(4, 2)}));
  PacketPool& pool = tester.host().pool();
  tester.SendPackets(0, {pool.MakeChain({"012", "3", "", "45"}), pool.MakeChain({"0123", "4"})});
  EXPECT_EQ(tester.metadata(0).at(0).substr(0, 4), "2345");
  EXPECT_EQ(tester.count(0) + tester.all_dropped(), 2u);
}

}  // namespace
}  // namespace bess
