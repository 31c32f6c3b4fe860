// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "core/base/soak_testing.h"
#include "core/graph/lookup_testing.h"
#include "core/match/match_testing.h"
#include "modules/exact_match.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::ExactMatchArg Over(const std::vector<pb::Field>& fields,
                       const std::vector<pb::Field>& values = {}) {
  pb::ExactMatchArg arg;
  arg.mutable_fields()->Assign(fields.begin(), fields.end());
  arg.mutable_values()->Assign(values.begin(), values.end());
  return arg;
}

pb::ExactMatchCommandAddArg Rule(uint64_t gate, const std::vector<pb::FieldData>& fields,
                                 const std::vector<pb::FieldData>& values = {}) {
  pb::ExactMatchCommandAddArg rule;
  rule.set_gate(gate);
  *rule.mutable_fields() = ListOf(fields);
  *rule.mutable_values() = ListOf(values);
  return rule;
}

absl::Status Delete(ModuleTester& tester, const std::vector<pb::FieldData>& fields) {
  pb::ExactMatchCommandDeleteArg arg;
  *arg.mutable_fields() = ListOf(fields);
  return tester.Command("delete", arg);
}

absl::Status SetDefaultGate(ModuleTester& tester, uint64_t gate) {
  pb::ExactMatchCommandSetDefaultGateArg arg;
  arg.set_gate(gate);
  return tester.Command("set_default_gate", arg);
}

pb::ExactMatchConfig Config(ModuleTester& tester) {
  pb::ExactMatchConfig config;
  EXPECT_TRUE(tester.Command("get_runtime_config", pb::EmptyArg(), &config).ok());
  return config;
}

void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(ExactMatchTest, HitsGoToTheirGateAndMissesToTheDefaultGate) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 2), AtOffset(3, 1)}));
  ASSERT_TRUE(tester.Command("add", Rule(5, {Raw("ab"), Raw("d")})).ok());
  ASSERT_TRUE(tester.Command("add", Rule(8192, {Raw("xy"), Raw("d")})).ok());
  tester.Send(0, {"ab-d", "ab-e", "xy-d"});
  EXPECT_THAT(tester.Received(5), ElementsAre("ab-d"));
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 1u);
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
  ASSERT_TRUE(SetDefaultGate(tester, 3).ok());
  tester.Send(0, {"ab-e"});
  EXPECT_THAT(tester.Received(3), ElementsAre("ab-e"));
}

TEST(ExactMatchTest, ShortPacketsMatchNoRuleNotEvenOneOfZeros) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 2), AtOffset(2, 2)}));
  ASSERT_TRUE(tester.Command("add", Rule(5, {Raw("ab"), Number(0)})).ok());
  ASSERT_TRUE(SetDefaultGate(tester, 3).ok());
  tester.Send(0, {"ab", std::string("ab\0", 3), std::string("ab\0\0", 4), ""});
  EXPECT_EQ(tester.count(5), 1u);
  EXPECT_EQ(tester.count(3), 3u);
}

TEST(ExactMatchTest, AddingARuleAgainReplacesIt) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 1)}));
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("a")})).ok());
  ASSERT_TRUE(tester.Command("add", Rule(2, {Raw("a")})).ok());
  tester.Send(0, {"a"});
  EXPECT_EQ(tester.count(2), 1u);
  EXPECT_EQ(Config(tester).rules_size(), 1);
}

TEST(ExactMatchTest, DeletingWhatIsNotThereIsAnError) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 1)}));
  EXPECT_EQ(StatusErrno(Delete(tester, {Raw("a")})), ENOENT);
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("a")})).ok());
  EXPECT_TRUE(Delete(tester, {Raw("a")}).ok());
  EXPECT_EQ(StatusErrno(Delete(tester, {Raw("a")})), ENOENT);
  tester.Send(0, {"a"});
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 1u);
}

TEST(ExactMatchTest, AFullTableSaysSoAndStillReplaces) {
  pb::ExactMatchArg arg = Over({AtOffset(0, 1)});
  arg.set_entries(2);
  ModuleTester tester("ExactMatch", arg);
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("a")})).ok());
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("b")})).ok());
  ExpectRefused(tester.Command("add", Rule(1, {Raw("c")})), ENOSPC, "'entries' is 2");
  EXPECT_TRUE(tester.Command("add", Rule(3, {Raw("a")})).ok());
  ASSERT_TRUE(Delete(tester, {Raw("b")}).ok());
  EXPECT_TRUE(tester.Command("add", Rule(1, {Raw("c")})).ok());
}

TEST(ExactMatchTest, HasRoomFor32768RulesUnlessToldOtherwise) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 4)}));
  for (uint64_t i = 0; i < 32768; ++i) {
    ASSERT_TRUE(tester.Command("add", Rule(1, {Number(i)})).ok());
  }
  EXPECT_EQ(StatusErrno(tester.Command("add", Rule(1, {Number(32768)}))), ENOSPC);
}

TEST(ExactMatchTest, MasksHideBitsOfPacketsAndRules) {
  pb::ExactMatchArg arg = Over({AtOffset(0, 4), AtOffset(4, 1)});
  *arg.mutable_masks() = ListOf({Number(0xffffff00), Raw("\x0f")});
  ModuleTester tester("ExactMatch", arg);
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("abcd"), Raw("1")})).ok());
  tester.Send(0, {"abcx1", "abcda", "abd-1", "abcd2"});
  EXPECT_THAT(tester.Received(1), ElementsAre("abcx1", "abcda"));
}

TEST(ExactMatchTest, NumbersAreLittleEndianInAttributesAndBigEndianInPackets) {
  ModuleTester tester("ExactMatch", Over({InAttribute("a", 2), AtOffset(0, 2)}));
  ASSERT_TRUE(tester.Command("add", Rule(1, {Number(0x0102), Number(0x0102)})).ok());
  const auto packet = [&](const std::string& attribute, const std::string& bytes) {
    Packet* made = tester.host().pool().Make(bytes, 0);
    std::memcpy(made->metadata(), attribute.data(), 2);
    return made;
  };
  tester.SendPackets(0, {packet("\2\1", "\1\2"), packet("\1\2", "\1\2"), packet("\2\1", "\2\1")});
  EXPECT_EQ(tester.count(1), 1u);
}

TEST(ExactMatchTest, AttributesThatNobodyWritesAreZero) {
  ModuleTester tester("ExactMatch", Over({InAttribute("a", 4), InAttribute("b", 4), AtOffset(0, 1)},
                                         {InAttribute("v", 4)}));
  for (const uint32_t attribute : {0, 1}) tester.PlaceAttribute(attribute, kNoWriter);
  tester.PlaceAttribute(2, kNoReader);
  ASSERT_TRUE(tester.Command("add", Rule(1, {Number(0), Number(0), Raw("x")}, {Number(7)})).ok());
  Packet* packet = tester.host().pool().Make("x", 0);
  std::memset(packet->metadata(), 0xff, kMetadataSize);
  tester.SendPackets(0, {packet});
  EXPECT_EQ(tester.count(1), 1u);
  EXPECT_EQ(tester.metadata(1)[0], std::string(kMetadataSize, '\xff')) << "nobody reads it";
}

TEST(ExactMatchTest, HitsWriteTheirValues) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 1)}, {InAttribute("v", 4), AtOffset(1, 2)}));
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("a")}, {Number(0x01020304), Raw("XY")})).ok());
  ASSERT_TRUE(SetDefaultGate(tester, 2).ok());
  tester.Send(0, {"a--", "b--", "a-"});
  EXPECT_THAT(tester.Received(1), ElementsAre("aXY"));
  EXPECT_EQ(tester.metadata(1)[0].substr(0, 4), "\4\3\2\1");
  EXPECT_THAT(tester.Received(2), ElementsAre("b--"));
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 1u);
}

TEST(ExactMatchTest, TheConfigurationHasAllRulesAndCanBePutBack) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 2)}, {InAttribute("v", 2)}));
  ASSERT_TRUE(tester.Command("add", Rule(2, {Number(0x0001)}, {Number(7)})).ok());
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("bb")}, {Raw("xy")})).ok());
  ASSERT_TRUE(SetDefaultGate(tester, 9).ok());
  const pb::ExactMatchConfig config = Config(tester);
  ASSERT_EQ(config.rules_size(), 2);
  EXPECT_EQ(config.default_gate(), 9u);
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  EXPECT_EQ(Config(tester).rules_size(), 0);
  EXPECT_EQ(Config(tester).default_gate(), 9u);
  ASSERT_TRUE(tester.Command("set_runtime_config", config).ok());
  EXPECT_EQ(Config(tester).SerializeAsString(), config.SerializeAsString());
  tester.Send(0, {"bb"});
  EXPECT_EQ(tester.metadata(1)[0].substr(0, 2), "xy");
}

TEST(ExactMatchTest, ABadConfigurationChangesNothing) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 1)}));
  ASSERT_TRUE(tester.Command("add", Rule(1, {Raw("a")})).ok());
  const std::string before = Config(tester).SerializeAsString();
  pb::ExactMatchConfig config;
  *config.add_rules() = Rule(1, {Raw("b")});
  *config.add_rules() = Rule(8193, {Raw("c")});
  ExpectRefused(tester.Command("set_runtime_config", config), EINVAL, "'rules[1].gate'");
  config.mutable_rules()->RemoveLast();
  config.set_default_gate(8193);
  ExpectRefused(tester.Command("set_runtime_config", config), EINVAL, "'default_gate'");
  EXPECT_EQ(Config(tester).SerializeAsString(), before);
}

TEST(ExactMatchTest, BadRulesChangeNothing) {
  ModuleTester tester("ExactMatch", Over({AtOffset(0, 1), AtOffset(1, 8)}));
  const auto refused = [&](const pb::ExactMatchCommandAddArg& rule, const std::string& text) {
    ExpectRefused(tester.Command("add", rule), EINVAL, text);
  };
  refused(Rule(8193, {Number(1), Number(1)}), "'gate' must be a gate, 0..8192, not 8193");
  refused(Rule(uint64_t{1} << 32, {Number(1), Number(1)}), "not 4294967296");
  refused(Rule(1, {Number(1)}), "'fields' must have 2 entries");
  refused(Rule(1, {Number(256), Number(1)}), "'fields[0].value_int'");
  refused(Rule(1, {Number(1), Raw(std::string(100, 'x'))}), "'fields[1].value_bin' must have 8");
  refused(Rule(1, {Number(1), Number(1)}, {Number(1)}), "'values' must have 0 entries");
  ExpectRefused(SetDefaultGate(tester, 8193), EINVAL, "not 8193");
  EXPECT_EQ(Config(tester).rules_size(), 0);
  EXPECT_EQ(Config(tester).default_gate(), 8192u);
}

TEST(ExactMatchTest, BadArgumentsAreRefused) {
  const auto refused = [](const pb::ExactMatchArg& arg, const std::string& text) {
    ModuleTester tester("ExactMatch", arg);
    ExpectRefused(tester.status(), EINVAL, text);
  };
  refused(Over({}), "'fields' must name at least one");
  refused(Over(std::vector<pb::Field>(9, AtOffset(0, 1))), "at most 8 fields, not 9");
  refused(Over({AtOffset(0, 9)}), "'fields[0].num_bytes'");
  refused(Over({AtOffset(1025, 1)}), "'fields[0].offset'");
  refused(Over({AtOffset(0, 1)}, {AtOffset(1025, 1)}), "'values[0].offset'");
  pb::ExactMatchArg arg = Over({AtOffset(0, 1)});
  arg.set_entries(UINT64_MAX);
  refused(arg, "'entries'");
  arg.set_entries(0);
  *arg.mutable_masks() = ListOf({Number(0)});
  refused(arg, "'masks[0]' must have at least one bit");
  *arg.mutable_masks() = ListOf({Number(1), Number(1)});
  refused(arg, "'masks' must have 1 entries");
}

TEST(ExactMatchTest, GivesItsArgumentBack) {
  const pb::ExactMatchArg arg = Over({AtOffset(3, 2)});
  ModuleTester tester("ExactMatch", arg);
  pb::ExactMatchArg reply;
  ASSERT_TRUE(tester.Command("get_initial_arg", pb::EmptyArg(), &reply).ok());
  EXPECT_EQ(reply.SerializeAsString(), arg.SerializeAsString());
}

// Bytes of few values at the two places a rule looks at, and anything around them.
std::string SomePacket(Random& random) {
  std::string packet(8, static_cast<char>(random.Word()));
  packet[1] = static_cast<char>(random.Between(0, 24));
  packet[4] = static_cast<char>(random.Between(0, 8));
  packet[5] = static_cast<char>(random.Between(0, 8));
  return packet;
}
std::string KeyOf(const std::string& packet) { return packet.substr(1, 1) + packet.substr(4, 2); }

// Rules come, change and go at random, one by one and all at once.
void CompareWithAMap(Random& random, uint64_t batches) {
  constexpr uint32_t kGates = 6;
  ModuleTester tester("ExactMatch", Over({AtOffset(1, 1), AtOffset(4, 2)}));
  std::map<std::string, uint64_t> reference;
  for (uint64_t batch = 0; batch < batches; ++batch) {
    const std::string key = KeyOf(SomePacket(random));
    const std::vector<pb::FieldData> fields = {Raw(key.substr(0, 1)), Raw(key.substr(1))};
    if (random.Chance(0.01)) {
      ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
      reference.clear();
    } else if (random.Chance(0.4)) {
      ASSERT_EQ(Delete(tester, fields).ok(), reference.erase(key) != 0);
    } else {
      reference[key] = random.Between(0u, kGates);
      ASSERT_TRUE(tester.Command("add", Rule(reference[key], fields)).ok());
    }
    ExpectGates(
        tester, kGates, [&] { return SomePacket(random); },
        [&](const std::string& packet) {
          const auto it = reference.find(KeyOf(packet));
          return it == reference.end() ? kGates : static_cast<uint32_t>(it->second);
        });
  }
}

TEST(ExactMatchTest, AgreesWithAMapWhileRulesChange) {
  constexpr uint64_t kBatches = 2000;
  Random random;
  for (uint64_t n = 0; n < SoakPackets(256'000); n += kBatches * kBatchSize) {
    CompareWithAMap(random, kBatches);
  }
}

}  // namespace
}  // namespace bess
