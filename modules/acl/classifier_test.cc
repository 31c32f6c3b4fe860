// SPDX-License-Identifier: Apache-2.0
//
// rule_set_test.cc compares classifiers with the slow way; here are the places where they could
// break.
#include "modules/acl/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"

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

// Of `n` rules that only their ports tell apart, half of them with a source. The list is as long
// for either address.
TEST(AclClassifierTest, LongListsAreTwoThenBitmaps) {
  for (const uint16_t n : {62, 63, 64, 65, 66, 125, 126, 127, 128}) {
    std::vector<AclRule> rules;
    for (uint16_t i = 0; i < n; ++i) rules.push_back({.destination_port = uint16_t(i + 1)});
    for (uint16_t i = 0; i < n; i += 2) rules[i].source = Ipv4Prefix{0x0a000000, 8 + i % 24u};
    for (uint16_t i = 1; i < n; i += 4) rules[i].destination = Ipv4Prefix{0x0b000000, 8 + i % 24u};
    const auto classifier = Make(rules);
    EXPECT_EQ(classifier->has_lists(), n <= 2 * 63) << n;
    AclKey key = Ipv4Key(0x0a000000, 0x0b000000);
    for (uint64_t port = 0; port <= n + 1u; ++port) {
      key.words[AclKey::kRest] =
          AclKey::kIsIpv4 | AclKey::kHasPorts | port << AclKey::kDestinationPortShift;
      const bool there = port >= 1 && port <= n;
      EXPECT_EQ(Match(*classifier, key), there ? port - 1 : AclClassifier::kNoRule);
    }
  }
}

// Of the two rules that a key satisfies, one is found by its source and one by its destination.
TEST(AclClassifierTest, TheFirstOfTwoListsIsFirst) {
  constexpr uint32_t kRules = 1000;
  std::vector<AclRule> rules;
  for (uint32_t i = 0; i < kRules; ++i) {
    const Ipv4Prefix prefix{0x0a000000 + i, 32};
    rules.push_back(i % 2 == 0 ? AclRule{.source = prefix} : AclRule{.destination = prefix});
  }
  const auto classifier = Make(rules);
  EXPECT_TRUE(classifier->has_lists());
  for (uint32_t i = 0; i < kRules; ++i) {
    const uint32_t source = (i * 7 % kRules) & ~1u, destination = (i * 11 % kRules) | 1u;
    const AclKey both = Ipv4Key(0x0a000000 + source, 0x0a000000 + destination);
    EXPECT_EQ(Match(*classifier, both), std::min(source, destination));
  }
  EXPECT_EQ(Match(*classifier, Ipv4Key(1, 2)), AclClassifier::kNoRule);
}

TEST(AclClassifierTest, AListHasRulesOfBothFamilies) {
  const auto classifier = Make({{.source = Ipv4Prefix{0x0a000000, 8}, .destination_port = 1},
                                {.destination = Ipv6Prefix{}},
                                {.source = Ipv4Prefix{0x0a0a0000, 16}},
                                {.source_port = 2}});
  ASSERT_TRUE(classifier->has_lists());
  EXPECT_EQ(Match(*classifier, Ipv4Key(0x0a000001, 0)), AclClassifier::kNoRule);
  EXPECT_EQ(Match(*classifier, Ipv4Key(0x0a0a0001, 0)), 2u);
  AclKey key;
  key.words[AclKey::kRest] = AclKey::kIsIpv6;
  EXPECT_EQ(Match(*classifier, key), 1u);
}

// Rules and keys with few different values, so that many match. About one rule in `rare` asks for
// no source or destination, or for a short prefix.
class Generator {
 public:
  explicit Generator(uint64_t rare) : rare_(rare) {}

  AclRule MakeRule() {
    const bool ipv6 = random_.Below(2) == 0;
    AclRule rule{.established = random_.Below(4) == 0};
    if (random_.Below(rare_) != 0) rule.source = Prefix(ipv6);
    if (random_.Below(rare_) != 0) rule.destination = Prefix(ipv6);
    if (random_.Below(2) == 0) rule.source_port = static_cast<uint16_t>(random_.Below(3));
    if (random_.Below(2) == 0) rule.destination_port = static_cast<uint16_t>(random_.Below(3));
    return rule;
  }

  AclKey MakeKey() {
    constexpr uint64_t kFamilies[] = {0, AclKey::kIsIpv4, AclKey::kIsIpv6};
    AclKey key;
    const uint64_t family = kFamilies[random_.Below(3)];
    if (family == 0) return key;
    for (const size_t word : {AclKey::kSource, AclKey::kDestination}) {
      key.words[word] = family == AclKey::kIsIpv4 ? Address() : ByteSwap(uint64_t{Address()} << 32);
    }
    key.words[AclKey::kRest] = family;
    if (random_.Below(4) != 0) key.words[AclKey::kRest] |= Ports();
    return key;
  }

 private:
  uint32_t Address() {
    return static_cast<uint32_t>(random_.Below(64) << 24 | random_.Below(2) << 16 |
                                 random_.Below(2));
  }
  uint64_t Ports() {
    return AclKey::kHasPorts | random_.Below(2) * AclKey::kIsEstablished |
           random_.Below(3) << AclKey::kSourcePortShift |
           random_.Below(3) << AclKey::kDestinationPortShift;
  }
  AnyPrefix Prefix(bool ipv6) {
    Ipv4Prefix four{.length = static_cast<uint32_t>(
                        random_.Below(rare_) == 0 ? random_.Below(9) : 8 + random_.Below(25))};
    four.address = Address() & four.mask();
    if (!ipv6) return four;
    Ipv6Prefix six{.length = four.length};
    StoreUnaligned(six.address.data(), Be32(four.address));
    return six;
  }

  Random random_{1};
  uint64_t rare_;
};

uint32_t SlowMatch(const std::vector<AclRule>& rules, const AclKey& key) {
  for (uint32_t i = 0; i < rules.size(); ++i) {
    if (AclPattern(rules[i]).Matches(key)) return i;
  }
  return AclClassifier::kNoRule;
}

TEST(AclClassifierTest, ListsAndBitmapsAgreeWithOneByOne) {
  int lists = 0, bitmaps = 0, matches = 0;
  for (uint64_t rare = 1; rare <= 16; rare *= 2) {
    Generator generator(rare);
    for (const int size : {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 150, 300, 600, 1000}) {
      std::vector<AclRule> rules;
      for (int i = 0; i < size; ++i) rules.push_back(generator.MakeRule());
      const auto classifier = Make(rules);
      ++(classifier->has_lists() ? lists : bitmaps);
      std::vector<AclKey> keys;
      for (int i = 0; i < 200; ++i) keys.push_back(generator.MakeKey());
      std::vector<uint32_t> found(keys.size());
      classifier->Match(keys, found.data());
      for (size_t i = 0; i < keys.size(); ++i) {
        ASSERT_EQ(found[i], SlowMatch(rules, keys[i])) << size << " rules, rare " << rare;
        matches += found[i] != AclClassifier::kNoRule;
      }
    }
  }
  EXPECT_GT(lists, 8);
  EXPECT_GT(bitmaps, 8);
  EXPECT_GT(matches, 1000);
}

}  // namespace
}  // namespace bess
