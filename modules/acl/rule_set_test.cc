// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/rule_set.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/soak_testing.h"
#include "core/packet/frames_testing.h"
#include "core/packet/packet_pool.h"

namespace bess {
namespace {

// What a packet was made from, or the truth the rules are about.
struct Flow {
  bool ipv6 = false;
  uint32_t source = 0, destination = 0;  // IPv6: the last four bytes
  uint8_t protocol = 0;
  uint16_t source_port = 0, destination_port = 0;
  uint8_t flags = 0;
};

class Generator {
 public:
  uint32_t Below(uint32_t n) { return random_() % n; }

  // Few different values, so that rules do match.
  uint32_t Address() { return 0x0a000000 | Below(4) << 16 | Below(4) << 8 | Below(4); }

  Flow MakeFlow() {
    constexpr uint8_t kProtocols[] = {kProtoTcp, kProtoUdp, kProtoIcmp};
    return {.ipv6 = Below(2) == 0,
            .source = Address(),
            .destination = Address(),
            .protocol = kProtocols[Below(3)],
            .source_port = static_cast<uint16_t>(1 + Below(3)),
            .destination_port = static_cast<uint16_t>(1 + Below(3)),
            .flags = static_cast<uint8_t>(Below(32))};
  }

  // Of `scarcity` rules about one matches a packet.
  AclRule MakeRule(uint32_t scarcity) {
    AclRule rule;
    const bool ipv6 = Below(2) == 0;
    if (scarcity > 64 || Below(2) == 0) rule.source = Prefix(ipv6, scarcity);
    if (scarcity > 4 || Below(2) == 0) rule.destination = Prefix(ipv6, scarcity);
    if (Below(3) == 0) rule.source_port = static_cast<uint16_t>(Below(4));
    if (Below(3) == 0) rule.destination_port = static_cast<uint16_t>(Below(4));
    rule.established = Below(6) == 0;
    rule.drop = Below(2) == 0;
    return rule;
  }

 private:
  AnyPrefix Prefix(bool ipv6, uint32_t scarcity) {
    Ipv4Prefix four{Address(), Below(scarcity) == 0 ? 8 * Below(4) : 25 + Below(8)};
    four.address &= four.mask();
    if (!ipv6) return four;
    if (four.length == 0) return Ipv6Prefix{};
    Ipv6Prefix six{.length = 96 + four.length};
    StoreUnaligned(&six.address[12], Be32(four.address));
    return six;
  }

  std::mt19937 random_{1};
};

std::string Frame(const Flow& flow) {
  const std::string l4 = flow.protocol == kProtoTcp
                             ? TcpSegment(flow.source_port, flow.destination_port, flow.flags)
                             : UdpSegment(flow.source_port, flow.destination_port);
  if (flow.ipv6) {
    return EthernetFrame(kEtherTypeIpv6,
                         Ipv6Packet({.source = std::string(12, '\0') + Be(flow.source, 4),
                                     .destination = std::string(12, '\0') + Be(flow.destination, 4),
                                     .next_header = flow.protocol},
                                    l4));
  }
  return EthernetFrame(
      kEtherTypeIpv4,
      Ipv4Packet(
          {.source = flow.source, .destination = flow.destination, .protocol = flow.protocol}, l4));
}

bool SlowPrefixMatch(const AnyPrefix& prefix, bool ipv6, uint32_t address) {
  if (const auto* four = std::get_if<Ipv4Prefix>(&prefix)) return !ipv6 && four->Contains(address);
  if (const auto* six = std::get_if<Ipv6Prefix>(&prefix)) {
    Ipv6Address whole{};
    StoreUnaligned(&whole[12], Be32(address));
    return ipv6 && six->Contains(whole);
  }
  return true;
}

bool SlowMatch(const AclRule& rule, const Flow& flow) {
  const bool tcp = flow.protocol == kProtoTcp;
  const bool ports = tcp || flow.protocol == kProtoUdp;
  if (!SlowPrefixMatch(rule.source, flow.ipv6, flow.source)) return false;
  if (!SlowPrefixMatch(rule.destination, flow.ipv6, flow.destination)) return false;
  if (rule.source_port != 0 && !(ports && rule.source_port == flow.source_port)) return false;
  if (rule.destination_port != 0 && !(ports && rule.destination_port == flow.destination_port)) {
    return false;
  }
  return !rule.established || (tcp && (flow.flags & (kTcpAck | kTcpRst)) != 0);
}

class AclRuleSetChurnTest : public testing::Test {
 protected:
  static constexpr size_t kFlows = 1000;

  // Other packets, and no rules.
  void StartAnew() {
    const auto pool = PacketPool::CreateOnHeap();
    for (size_t i = 0; i < kFlows; ++i) {
      flows_[i] = generator_.MakeFlow();
      Packet* packet = pool->Make(Frame(flows_[i]));
      keys_[i] = AclKey::Of(PacketView(*packet));
      FreePackets(&packet, 1);
    }
    first_.assign(kFlows, AclRuleSet::kNoRule);
    set_ = AclRuleSet();
    rules_.clear();
  }
  void Append(const AclRule& rule) {
    const auto index = static_cast<uint32_t>(set_.size());
    set_.Append(rule);
    rules_.push_back(rule);
    for (size_t i = 0; i < flows_.size(); ++i) {
      if (first_[i] == AclRuleSet::kNoRule && SlowMatch(rule, flows_[i])) first_[i] = index;
    }
  }
  void ExpectTheSame() {
    std::vector<uint32_t> found(keys_.size());
    set_.Match(keys_, found.data());
    ASSERT_EQ(found, first_);
    for (const uint32_t rule : found) {
      ++(rule == AclRuleSet::kNoRule ? misses_ : matches_);
      if (rule != AclRuleSet::kNoRule) {
        ASSERT_EQ(set_.rule(rule).drop, rules_[rule].drop);
      }
    }
  }

  Generator generator_;
  std::vector<Flow> flows_ = std::vector<Flow>(kFlows);
  std::vector<AclKey> keys_ = std::vector<AclKey>(kFlows);  // of flows_
  std::vector<uint32_t> first_;                             // by flow: the first rule that matches
  std::vector<AclRule> rules_;                              // what set_ holds
  AclRuleSet set_;
  uint64_t matches_ = 0, misses_ = 0;
};

// Sets grow by few and by many rules at a time; all packets are looked up after each step.
TEST_F(AclRuleSetChurnTest, AgreesWithTheSlowWay) {
  size_t longest = 0, most_runs = 0;
  constexpr uint64_t kSteps = 12;
  const uint64_t rounds = SoakPackets(1'200'000) / (kSteps * kFlows);
  for (uint64_t round = 0; round < rounds; ++round) {
    StartAnew();
    const uint32_t scarcity = 1u << generator_.Below(12);
    for (uint64_t step = 0; step < kSteps; ++step) {
      for (uint32_t n = generator_.Below(2) == 0 ? 1 + generator_.Below(3) : scarcity / 4; n > 0;
           --n) {
        Append(generator_.MakeRule(scarcity));
      }
      ASSERT_TRUE(set_.Settle().ok());
      ExpectTheSame();
      most_runs = std::max(most_runs, set_.runs());
    }
    longest = std::max(longest, set_.settled_size());
  }
  EXPECT_GT(matches_, 1000 * rounds);
  EXPECT_GT(misses_, 1000 * rounds);
  EXPECT_GT(longest, 1024u) << "some sets have several blocks";
  EXPECT_GT(most_runs, 1u);
}

TEST(AclRuleSetTest, FewNewRulesAreNoReasonToMakeAClassifier) {
  AclRuleSet set;
  for (int i = 0; i < 16; ++i) set.Append({.source_port = 1});
  ASSERT_TRUE(set.Settle().ok());
  EXPECT_EQ(set.settled_size(), 0u);
  set.Append({.drop = true});
  ASSERT_TRUE(set.Settle().ok());
  EXPECT_EQ(set.settled_size(), 17u);
  const AclRuleSet before = set;
  set.Append({});
  ASSERT_TRUE(set.Settle().ok());
  EXPECT_EQ(set.settled_size(), 17u);
  EXPECT_EQ(before.size(), 17u) << "versions do not see each other's rules";
  EXPECT_EQ(set.size(), 18u);
  EXPECT_TRUE(set.rule(16).drop);
  EXPECT_FALSE(set.rule(17).drop);
}

TEST(AclRuleSetTest, ALongListHasFewRunsHoweverItGrew) {
  AclRuleSet set;
  for (uint16_t i = 1; i <= 10'000; ++i) {
    set.Append({.source_port = i});
    ASSERT_TRUE(set.Settle().ok());
    ASSERT_LE(set.runs(), 4u);
    ASSERT_LE(set.size() - set.settled_size(), 16u);
  }
  for (uint16_t i = 1; i <= 10'000; ++i) EXPECT_EQ(set.rule(i - 1u).source_port, i);
  AclKey key;
  key.words[AclKey::kRest] = uint64_t{9'000} << AclKey::kSourcePortShift | AclKey::kHasPorts;
  uint32_t found = 0;
  set.Match({&key, 1}, &found);
  EXPECT_EQ(found, 8'999u);
}

TEST(AclRuleSetTest, MatchesManyKeysAtOnce) {
  AclRuleSet set;
  set.Append({.source = Ipv4Prefix{0x0a000000, 8}});
  set.Append({});
  ASSERT_TRUE(set.Settle().ok());
  const auto pool = PacketPool::CreateOnHeap();
  std::vector<AclKey> keys;
  for (int i = 0; i < 100; ++i) {
    const uint32_t source = i % 3 == 0 ? 0x0a000001 : 0x0b000001;
    Packet* packet =
        pool->Make(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.source = source}, UdpSegment(1, 2))));
    keys.push_back(AclKey::Of(PacketView(*packet)));
    FreePackets(&packet, 1);
  }
  std::vector<uint32_t> found(keys.size());
  set.Match(keys, found.data());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], i % 3 == 0 ? 0u : 1u);
}

}  // namespace
}  // namespace bess
