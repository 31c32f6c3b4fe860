// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule_lists.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

AclKey KeyOf(uint16_t port) {
  AclKey key;
  key.words[AclKey::kRest] = AclKey::kHasPorts | uint64_t{port} << AclKey::kDestinationPortShift;
  return key;
}

TEST(RuleListsTest, FindsEachRuleOfListsOfAllLengths) {
  RuleLists lists;
  for (uint16_t length = 0; length <= 50; ++length) {
    std::vector<RuleLists::Entry> entries;
    for (uint16_t i = 0; i < length; ++i) {
      const AclRule rule{.destination_port = static_cast<uint16_t>(i + 1)};
      entries.push_back({AclPattern(rule), 1000u * length + i});
    }
    EXPECT_EQ(lists.Add(entries), length);
  }
  for (uint16_t length = 0; length <= 50; ++length) {
    EXPECT_EQ(lists.First(length, KeyOf(0)), RuleLists::kNoRule);
    EXPECT_EQ(lists.First(length, KeyOf(length + 1)), RuleLists::kNoRule);
    for (uint16_t i = 0; i < length; ++i) {
      EXPECT_EQ(lists.First(length, KeyOf(i + 1)), 1000u * length + i);
    }
  }
}

TEST(RuleListsTest, ARuleWithoutConditionsHidesThoseBehindIt) {
  RuleLists lists;
  const AclPattern any{AclRule()}, port{AclRule{.destination_port = 7}};
  lists.Add({{port, 3}, {any, 4}, {port, 5}});
  lists.Add({{any, 6}});
  EXPECT_EQ(lists.First(0, KeyOf(7)), 3u);
  EXPECT_EQ(lists.First(0, KeyOf(8)), 4u);
  EXPECT_EQ(lists.First(1, KeyOf(8)), 6u);
}

// A difference in any bit of a key that a rule looks at counts.
TEST(RuleListsTest, ComparesAllBits) {
  RuleLists lists;
  AclPattern pattern{AclRule()};
  for (uint64_t& word : pattern.mask.words) word = ~uint64_t{0};
  for (size_t i = 0; i < AclKey::kWords; ++i) pattern.value.words[i] = 0x0123456789abcdef + i;
  lists.Add({{pattern, 1}});
  EXPECT_EQ(lists.First(0, pattern.value), 1u);
  for (size_t bit = 0; bit < 64 * AclKey::kWords; ++bit) {
    AclKey key = pattern.value;
    key.words[bit / 64] ^= uint64_t{1} << bit % 64;
    EXPECT_EQ(lists.First(0, key), RuleLists::kNoRule) << bit;
  }
}

}  // namespace
}  // namespace bess
