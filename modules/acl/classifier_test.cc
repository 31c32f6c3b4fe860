// SPDX-License-Identifier: Apache-2.0
//
// rule_set_test.cc compares classifiers with the slow way; here are the places where they could
// break.
#include "modules/acl/classifier.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

AclKey Ipv4Key(uint32_t source, uint32_t destination) {
  AclKey key;
  key.words[AclKey::kSource] = source;
  key.words[AclKey::kDestination] = destination;
  key.words[AclKey::kRest] = AclKey::kIsIpv4;
  return key;
}

uint32_t Match(const AclClassifier& classifier, const AclKey& key) {
  uint32_t rule = 0;
  classifier.Match({&key, 1}, &rule);
  return rule;
}

std::unique_ptr<const AclClassifier> Make(const std::vector<AclRule>& rules) {
  auto made = AclClassifier::Create(rules);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

TEST(BitmapClassesTest, ClassesShareBlocksUntilTheyDiffer) {
  BitmapClasses classes(1025);
  classes.Set(0, 0);
  classes.Set(0, 1024);
  const uint32_t other = classes.Add(0);
  classes.Set(other, 1);
  EXPECT_EQ(classes.block(0, 0).words[0], 1u);
  EXPECT_EQ(classes.block(other, 0).words[0], 3u);
  EXPECT_EQ(&classes.block(0, 2), &classes.block(other, 2));
  EXPECT_EQ(classes.summary(0, 0), 0b101u);
  EXPECT_EQ(classes.block(other, 1).words[0], 0u);
}

TEST(AclClassifierTest, NoRulesAndRulesWithoutConditions) {
  EXPECT_EQ(Match(*Make({}), Ipv4Key(1, 2)), AclClassifier::kNoRule);
  EXPECT_EQ(Match(*Make({{}, {}}), Ipv4Key(1, 2)), 0u);
  EXPECT_EQ(Match(*Make({{}, {}}), AclKey()), 0u);
}

TEST(AclClassifierTest, FindsEachOfManyRules) {
  std::vector<AclRule> rules;
  for (uint32_t i = 0; i < 40000; ++i) {
    rules.push_back({.source = Ipv4Prefix{0x0a000000 + (i << 8), 24},
                     .destination = Ipv4Prefix{i % 7 << 24, 8}});
  }
  rules.push_back({.destination = Ipv4Prefix{}});
  const auto classifier = Make(rules);
  for (uint32_t i = 0; i < 40000; i += 13) {
    EXPECT_EQ(Match(*classifier, Ipv4Key(0x0a000007 + (i << 8), i % 7 << 24)), i);
    EXPECT_EQ(Match(*classifier, Ipv4Key(0x0a000007 + (i << 8), (i + 1) % 7 << 24)), 40000u);
  }
  EXPECT_EQ(Match(*classifier, AclKey()), AclClassifier::kNoRule);
}

}  // namespace
}  // namespace bess
