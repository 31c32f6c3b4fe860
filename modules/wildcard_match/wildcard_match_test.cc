// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/soak_testing.h"
#include "core/graph/lookup_testing.h"
#include "core/match/match_testing.h"
#include "modules/wildcard_match.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Data = std::vector<pb::FieldData>;

pb::WildcardMatchArg Over(const std::vector<pb::Field>& fields,
                          const std::vector<pb::Field>& values = {}) {
  pb::WildcardMatchArg arg;
  arg.mutable_fields()->Assign(fields.begin(), fields.end());
  arg.mutable_values()->Assign(values.begin(), values.end());
  return arg;
}

pb::WildcardMatchCommandAddArg Rule(uint64_t gate, int64_t priority, const Data& values,
                                    const Data& masks, const Data& valuesv = {}) {
  pb::WildcardMatchCommandAddArg rule;
  rule.set_gate(gate);
  rule.set_priority(priority);
  *rule.mutable_values() = ListOf(values);
  *rule.mutable_masks() = ListOf(masks);
  *rule.mutable_valuesv() = ListOf(valuesv);
  return rule;
}

absl::Status Delete(ModuleTester& tester, const Data& values, const Data& masks) {
  pb::WildcardMatchCommandDeleteArg arg;
  *arg.mutable_values() = ListOf(values);
  *arg.mutable_masks() = ListOf(masks);
  return tester.Command("delete", arg);
}

absl::Status SetDefaultGate(ModuleTester& tester, uint64_t gate) {
  pb::WildcardMatchCommandSetDefaultGateArg arg;
  arg.set_gate(gate);
  return tester.Command("set_default_gate", arg);
}

pb::WildcardMatchConfig Config(ModuleTester& tester) {
  pb::WildcardMatchConfig config;
  EXPECT_TRUE(tester.Command("get_runtime_config", pb::EmptyArg(), &config).ok());
  return config;
}

void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(WildcardMatchTest, TheHighestPriorityWins) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 1), AtOffset(1, 1)}));
  ASSERT_TRUE(
      tester.Command("add", Rule(1, 1, {Raw("a"), Number(0)}, {Number(255), Number(0)})).ok());
  ASSERT_TRUE(
      tester.Command("add", Rule(2, 9, {Number(0), Raw("b")}, {Number(0), Number(255)})).ok());
  ASSERT_TRUE(
      tester.Command("add", Rule(8192, -3, {Number(0), Number(0)}, {Number(0), Number(0)})).ok());
  tester.Send(0, {"ab", "ac", "xb", "xx"});
  EXPECT_THAT(tester.Received(2), ElementsAre("ab", "xb"));
  EXPECT_THAT(tester.Received(1), ElementsAre("ac"));
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
}

TEST(WildcardMatchTest, PrioritiesAreNotCutTo32Bits) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 1)}));
  // A user plane function sends 2^32 - 1 less the precedence, of which the lowest is to win.
  const auto priority = [](int64_t precedence) { return int64_t{UINT32_MAX} - precedence; };
  const auto add = [&](uint64_t gate, int64_t value, uint8_t mask) {
    return tester.Command("add", Rule(gate, value, {Number(1)}, {Number(mask)}));
  };
  ASSERT_TRUE(add(1, priority(10), 0x01).ok());
  ASSERT_TRUE(add(2, priority(3000000000), 0x03).ok());
  ASSERT_TRUE(add(3, 5, 0x07).ok());
  tester.Send(0, {"\1"});
  EXPECT_EQ(tester.count(1), 1u);
  ASSERT_TRUE(add(4, INT64_MAX, 0x0f).ok());
  tester.Send(0, {"\1"});
  EXPECT_EQ(tester.count(4), 1u);
}

TEST(WildcardMatchTest, FieldsThatAPacketLacksMatchOnlyWhereNoRuleLooks) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 1), AtOffset(1, 4)}));
  ASSERT_TRUE(
      tester.Command("add", Rule(1, 1, {Raw("a"), Number(0)}, {Number(255), Number(0)})).ok());
  ASSERT_TRUE(
      tester.Command("add", Rule(2, 9, {Raw("a"), Number(0)}, {Number(255), Number(255)})).ok());
  tester.Send(0, {"a", std::string("a\0\0\0\0", 5), ""});
  EXPECT_THAT(tester.Received(1), ElementsAre("a"));
  EXPECT_EQ(tester.count(2), 1u);
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 1u);
}

TEST(WildcardMatchTest, DeletingWhatIsNotThereIsAnError) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 1)}));
  EXPECT_EQ(StatusErrno(Delete(tester, {Number(1)}, {Number(1)})), ENOENT);
  ASSERT_TRUE(tester.Command("add", Rule(1, 0, {Number(1)}, {Number(1)})).ok());
  EXPECT_EQ(StatusErrno(Delete(tester, {Number(0)}, {Number(1)})), ENOENT);
  EXPECT_EQ(StatusErrno(Delete(tester, {Number(1)}, {Number(3)})), ENOENT);
  EXPECT_TRUE(Delete(tester, {Number(1)}, {Number(1)}).ok());
  EXPECT_EQ(StatusErrno(Delete(tester, {Number(1)}, {Number(1)})), ENOENT);
}

TEST(WildcardMatchTest, MasksAreNotUsedUpByChurn) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 2)}));
  for (uint64_t mask = 1; mask <= 2000; ++mask) {
    ASSERT_TRUE(tester.Command("add", Rule(1, 0, {Number(mask)}, {Number(mask)})).ok());
    ASSERT_TRUE(Delete(tester, {Number(mask)}, {Number(mask)}).ok());
  }
}

TEST(WildcardMatchTest, TakesManyMasksAndSaysWhenThereAreTooMany) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 2)}));
  for (uint64_t mask = 1; mask <= 256; ++mask) {
    ASSERT_TRUE(tester.Command("add", Rule(1, 0, {Number(mask)}, {Number(mask)})).ok());
  }
  ExpectRefused(tester.Command("add", Rule(1, 0, {Number(0)}, {Number(257)})), ENOSPC, "256");
  EXPECT_EQ(Config(tester).rules_size(), 256);
}

TEST(WildcardMatchTest, EntriesBoundTheRulesOfEachMask) {
  pb::WildcardMatchArg arg = Over({AtOffset(0, 1)});
  arg.set_entries(1);
  ModuleTester tester("WildcardMatch", arg);
  ASSERT_TRUE(tester.Command("add", Rule(1, 0, {Number(1)}, {Number(1)})).ok());
  ExpectRefused(tester.Command("add", Rule(1, 0, {Number(0)}, {Number(1)})), ENOSPC, "at most 1");
  EXPECT_TRUE(tester.Command("add", Rule(2, 0, {Number(1)}, {Number(1)})).ok());
  EXPECT_TRUE(tester.Command("add", Rule(1, 0, {Number(0)}, {Number(2)})).ok());
}

TEST(WildcardMatchTest, AttributesThatNobodyWritesAreZero) {
  ModuleTester tester("WildcardMatch", Over({InAttribute("a", 4), AtOffset(0, 1)}));
  tester.PlaceAttribute(0, kNoWriter);
  const auto rule = Rule(1, 0, {Number(0), Raw("x")}, {Number(UINT32_MAX), Number(255)});
  ASSERT_TRUE(tester.Command("add", rule).ok());
  Packet* packet = tester.host().pool().Make("x", 0);
  std::memset(packet->metadata(), 0xff, kMetadataSize);
  tester.SendPackets(0, {packet});
  EXPECT_EQ(tester.count(1), 1u);
}

TEST(WildcardMatchTest, HitsWriteTheirValuesInLittleEndianOrder) {
  ModuleTester tester("WildcardMatch", Over({InAttribute("a", 2)}, {InAttribute("v", 4)}));
  const auto rule = Rule(1, 0, {Number(0x0102)}, {Number(0xffff)}, {Number(0x01020304)});
  ASSERT_TRUE(tester.Command("add", rule).ok());
  Packet* packet = tester.host().pool().Make("x", 0);
  std::memcpy(packet->metadata(), "\1\2", 2);
  tester.SendPackets(0, {packet});
  ASSERT_EQ(tester.count(1), 1u);
  EXPECT_EQ(tester.metadata(1)[0].substr(32, 4), "\4\3\2\1");
}

TEST(WildcardMatchTest, TheConfigurationHasAllRulesAndCanBePutBack) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 2)}, {InAttribute("v", 1)}));
  for (int64_t i = 0; i < 20; ++i) {
    const auto number = static_cast<uint64_t>(i);
    const auto mask = Number(i % 2 == 0 ? 0xffff : 0x00ff);
    ASSERT_TRUE(
        tester.Command("add", Rule(number, i - 10, {Number(number)}, {mask}, {Number(3)})).ok());
  }
  ASSERT_TRUE(SetDefaultGate(tester, 9).ok());
  const pb::WildcardMatchConfig config = Config(tester);
  ASSERT_EQ(config.rules_size(), 20);
  EXPECT_EQ(config.rules(0).priority(), 9);
  EXPECT_EQ(config.rules(19).priority(), -10);
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  EXPECT_EQ(Config(tester).rules_size(), 0);
  EXPECT_EQ(Config(tester).default_gate(), 9u);
  ASSERT_TRUE(tester.Command("set_runtime_config", config).ok());
  EXPECT_EQ(Config(tester).SerializeAsString(), config.SerializeAsString());
}

TEST(WildcardMatchTest, ABadConfigurationChangesNothing) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 1)}));
  ASSERT_TRUE(tester.Command("add", Rule(1, 1, {Raw("a")}, {Number(255)})).ok());
  const std::string before = Config(tester).SerializeAsString();
  pb::WildcardMatchConfig config;
  *config.add_rules() = Rule(1, 1, {Raw("b")}, {Number(255)});
  *config.add_rules() = Rule(1, 1, {Number(2)}, {Number(1)});
  ExpectRefused(tester.Command("set_runtime_config", config), EINVAL,
                "'rules[1].values[0]' has bits set that 'rules[1].masks[0]' leaves out");
  config.mutable_rules()->RemoveLast();
  config.set_default_gate(8193);
  ExpectRefused(tester.Command("set_runtime_config", config), EINVAL, "'default_gate'");
  EXPECT_EQ(Config(tester).SerializeAsString(), before);
}

TEST(WildcardMatchTest, BadRulesChangeNothing) {
  ModuleTester tester("WildcardMatch", Over({AtOffset(0, 1), AtOffset(1, 8)}));
  const auto refused = [&](const pb::WildcardMatchCommandAddArg& rule, const std::string& text) {
    ExpectRefused(tester.Command("add", rule), EINVAL, text);
  };
  const Data good = {Number(1), Number(1)};
  refused(Rule(8193, 0, good, good), "'gate' must be a gate, 0..8192, not 8193");
  refused(Rule(1, 0, {Number(1)}, good), "'values' must have 2 entries");
  refused(Rule(1, 0, good, {Number(1)}), "'masks' must have 2 entries");
  refused(Rule(1, 0, {Number(1), Raw(std::string(100, 'x'))}, good), "'values[1].value_bin'");
  refused(Rule(1, 0, good, {Number(256), Number(1)}), "'masks[0].value_int'");
  refused(Rule(1, 0, {Number(1), Number(2)}, good), "'values[1]' has bits set");
  refused(Rule(1, 0, good, good, {Number(1)}), "'valuesv' must have 0 entries");
  ExpectRefused(SetDefaultGate(tester, 8193), EINVAL, "not 8193");
  EXPECT_EQ(Config(tester).rules_size(), 0);
}

TEST(WildcardMatchTest, BadArgumentsAreRefused) {
  const auto refused = [](const pb::WildcardMatchArg& arg, const std::string& text) {
    ModuleTester tester("WildcardMatch", arg);
    ExpectRefused(tester.status(), EINVAL, text);
  };
  refused(Over({}), "'fields' must name at least one");
  refused(Over(std::vector<pb::Field>(9, AtOffset(0, 1))), "at most 8 fields, not 9");
  refused(Over({AtOffset(0, 1)}, {AtOffset(0, 9)}), "'values[0].num_bytes'");
  pb::WildcardMatchArg arg = Over({AtOffset(0, 1)});
  arg.set_entries(UINT64_MAX);
  refused(arg, "'entries'");
}

TEST(WildcardMatchTest, GivesItsArgumentBack) {
  const pb::WildcardMatchArg arg = Over({AtOffset(3, 2)});
  ModuleTester tester("WildcardMatch", arg);
  pb::WildcardMatchArg reply;
  ASSERT_TRUE(tester.Command("get_initial_arg", pb::EmptyArg(), &reply).ok());
  EXPECT_EQ(reply.SerializeAsString(), arg.SerializeAsString());
}

// What a rule says of the four bytes it looks at.
struct Masked {
  uint32_t value, mask;
  int64_t priority;
  uint32_t gate;
};

uint32_t FewBits(Random& random) { return static_cast<uint32_t>(random.Word()) & 0x01000103; }

std::string SomePacket(Random& random) {
  const uint32_t bytes = FewBits(random);
  std::string packet(9, static_cast<char>(random.Word()));
  for (size_t i = 0; i < 4; ++i) packet[3 + i] = static_cast<char>(bytes >> (24 - 8 * i));
  return packet;
}

uint32_t SlowGate(const std::vector<Masked>& rules, const std::string& packet, uint32_t none) {
  uint32_t bytes = 0;
  for (size_t i = 3; i < 7; ++i) bytes = bytes << 8 | static_cast<uint8_t>(packet[i]);
  const Masked* best = nullptr;
  for (const Masked& rule : rules) {
    if ((bytes & rule.mask) != rule.value) continue;
    if (best == nullptr || rule.priority > best->priority) best = &rule;
  }
  return best == nullptr ? none : best->gate;
}

// Rules come and go at random; each has a priority of its own, so that one wins.
void CompareWithAList(Random& random, uint64_t batches) {
  constexpr uint32_t kGates = 6;
  ModuleTester tester("WildcardMatch", Over({AtOffset(3, 2), AtOffset(5, 2)}));
  const auto halves = [](uint32_t number) {
    return Data{Number(number >> 16), Number(number & 0xffff)};
  };
  std::vector<Masked> rules;
  for (uint64_t batch = 0; batch < batches; ++batch) {
    const uint32_t mask = FewBits(random), value = FewBits(random) & mask;
    const bool there = std::erase_if(rules, [&](const Masked& rule) {
                         return rule.value == value && rule.mask == mask;
                       }) != 0;
    if (random.Chance(0.5)) {
      ASSERT_EQ(Delete(tester, halves(value), halves(mask)).ok(), there);
    } else {
      const auto step = static_cast<int64_t>(batch);
      rules.push_back({value, mask, random.Chance(0.5) ? step : -step, random.Between(0u, kGates)});
      const Masked& rule = rules.back();
      const auto arg = Rule(rule.gate, rule.priority, halves(value), halves(mask));
      ASSERT_TRUE(tester.Command("add", arg).ok());
    }
    ExpectGates(
        tester, kGates, [&] { return SomePacket(random); },
        [&](const std::string& packet) { return SlowGate(rules, packet, kGates); });
  }
}

TEST(WildcardMatchTest, AgreesWithAListWhileRulesChange) {
  constexpr uint64_t kBatches = 2000;
  Random random;
  for (uint64_t n = 0; n < SoakPackets(256'000); n += kBatches * kBatchSize) {
    CompareWithAList(random, kBatches);
  }
}

}  // namespace
}  // namespace bess
