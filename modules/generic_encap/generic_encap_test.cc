// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/generic_encap.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using FieldArg = pb::GenericEncapArg::EncapField;

FieldArg Number(uint64_t size, uint64_t value) {
  FieldArg field;
  field.set_size(size);
  field.mutable_value()->set_value_int(value);
  return field;
}
FieldArg Bytes(uint64_t size, const std::string& value) {
  FieldArg field;
  field.set_size(size);
  field.mutable_value()->set_value_bin(value);
  return field;
}
FieldArg FromAttribute(uint64_t size, const std::string& name) {
  FieldArg field;
  field.set_size(size);
  field.set_attribute(name);
  return field;
}

pb::GenericEncapArg Arg(const std::vector<FieldArg>& fields) {
  pb::GenericEncapArg arg;
  for (const FieldArg& field : fields) *arg.add_fields() = field;
  return arg;
}

void ExpectRefused(const pb::GenericEncapArg& arg, const std::string& text) {
  const absl::Status status = ModuleTester("GenericEncap", arg).status();
  EXPECT_EQ(StatusErrno(status), EINVAL) << text;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(GenericEncapTest, PutsConstantsInOrder) {
  ModuleTester tester("GenericEncap", Arg({Number(1, 0x41), Number(2, 0x4243), Bytes(3, "DEF"),
                                           Number(8, 0x4748494a4b4c4d4e)}));
  tester.Send(0, {"", "payload"});
  EXPECT_THAT(tester.Received(0), ElementsAre("ABCDEFGHIJKLMN", "ABCDEFGHIJKLMNpayload"));
}

TEST(GenericEncapTest, PutsAttributesBetweenConstants) {
  ModuleTester tester("GenericEncap", Arg({Number(2, 0x4142), FromAttribute(4, "a"), Bytes(1, "-"),
                                           FromAttribute(8, "b"), FromAttribute(4, "a")}));
  ASSERT_TRUE(tester.ok()) << tester.status();
  Packet* packet = tester.host().pool().Make("payload");
  std::fill_n(packet->metadata(), kMetadataSize, uint8_t{'~'});
  std::copy_n("aaaa", 4, packet->metadata());
  std::copy_n("bbbbbbbb", 8, packet->metadata() + 32);
  tester.SendPackets(0, {packet});
  EXPECT_THAT(tester.Received(0), ElementsAre("ABaaaa-bbbbbbbbaaaapayload"));
  EXPECT_EQ(tester.module().attributes().size(), 2u) << "one that stands twice is declared once";
}

TEST(GenericEncapTest, FieldsOfEverySize) {
  for (uint32_t count = 0; count <= 8; ++count) {
    for (uint32_t size = 1; size <= 8; ++size) {
      ModuleTester tester("GenericEncap", Arg(std::vector<FieldArg>(count, Number(size, 0x5a))));
      tester.Send(0, {"payload"});
      std::string expected;
      for (uint32_t i = 0; i < count; ++i) expected += Be(0x5a, size);
      EXPECT_THAT(tester.Received(0), ElementsAre(expected + "payload"));
    }
  }
}

// BESS wrote past the end of its array.
TEST(GenericEncapTest, RefusesMoreFieldsThanItHasRoomFor) {
  for (const size_t count : {9u, 100u, 10000u}) {
    ExpectRefused(Arg(std::vector<FieldArg>(count, Number(8, 1))),
                  absl::StrCat("'fields' must have 0..8 fields, not ", count));
  }
}

TEST(GenericEncapTest, RefusesBadFields) {
  ExpectRefused(Arg({Number(1, 1), Number(0, 1)}), "field 1: 'size' must be 1..8 bytes, not 0");
  ExpectRefused(Arg({Number(9, 1)}), "field 0: 'size' must be 1..8 bytes, not 9");
  ExpectRefused(Arg({Number((uint64_t{1} << 32) + 1, 1)}), "not 4294967297");
  ExpectRefused(Arg({Number(1, 256)}), "field 0: 'value_int' 256 does not fit into 1 bytes");
  ExpectRefused(Arg({Number(7, uint64_t{1} << 56)}), "does not fit into 7 bytes");
  ExpectRefused(Arg({Bytes(4, "abc")}), "'value_bin' must have 4 bytes, as 'size' says, not 3");
  ExpectRefused(Arg({Bytes(4, std::string(100, 'x'))}), "'value_bin' must have 4 bytes");
  FieldArg nothing;
  nothing.set_size(1);
  ExpectRefused(Arg({nothing}), "field 0 needs an 'attribute' or a 'value'");
  nothing.mutable_value();
  ExpectRefused(Arg({nothing}), "field 0 needs an 'attribute' or a 'value'");
  ExpectRefused(Arg({FromAttribute(4, "")}), "an attribute needs a name");
}

TEST(GenericEncapTest, AnAttributeHasOneSize) {
  const auto arg = Arg({FromAttribute(4, "a"), FromAttribute(2, "a")});
  EXPECT_EQ(StatusErrno(ModuleTester("GenericEncap", arg).status()), EEXIST);
}

TEST(GenericEncapTest, DropsWhatHasNoHeadroom) {
  ModuleTester tester("GenericEncap", Arg(std::vector<FieldArg>(8, Number(8, 1))));
  Packet* tight = tester.host().pool().Make("payload");
  ASSERT_NE(tight->Prepend(static_cast<uint16_t>(tight->headroom() - 64)), nullptr);
  Packet* full = tester.host().pool().Make("payload");
  ASSERT_NE(full->Prepend(static_cast<uint16_t>(full->headroom() - 63)), nullptr);
  tester.SendPackets(0, {tight, full});
  EXPECT_EQ(tester.count(0), 1u);
  EXPECT_EQ(tester.dropped(DropReason::kNoRoom), 1u);
}

}  // namespace
}  // namespace bess
