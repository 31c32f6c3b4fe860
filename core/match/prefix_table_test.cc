// SPDX-License-Identifier: Apache-2.0
#include "core/match/prefix_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "core/base/soak_testing.h"

namespace bess {
namespace {

template <size_t kBytes>
std::unique_ptr<PrefixTable<kBytes>> MakeTable(uint32_t groups = 1000) {
  auto table = PrefixTable<kBytes>::Create(groups);
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

PrefixTable<4>::Prefix Four(const std::string& text) { return ToBytes(*ParseIpv4Prefix(text)); }
PrefixTable<16>::Prefix Six(const std::string& text) { return ToBytes(*ParseIpv6Prefix(text)); }

template <size_t kBytes>
uint32_t FindOne(const PrefixTable<kBytes>& table, const typename PrefixTable<kBytes>::Prefix& p) {
  uint32_t value = 0;
  table.Find({&p.address, 1}, &value);
  return value;
}

TEST(PrefixTableTest, TheLongestPrefixDecides) {
  const auto table = MakeTable<4>();
  EXPECT_EQ(FindOne(*table, Four("10.1.2.3")), table->kNone);
  uint32_t value = 0;
  for (const char* prefix :
       {"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.0/28", "10.1.2.3/32"}) {
    ASSERT_TRUE(table->Add(Four(prefix), value));
    EXPECT_EQ(FindOne(*table, Four("10.1.2.3")), value) << prefix;
    EXPECT_EQ(table->Get(Four(prefix)), value);
    ++value;
  }
  EXPECT_EQ(FindOne(*table, Four("10.1.2.4")), 4u);
  EXPECT_EQ(FindOne(*table, Four("10.1.2.16")), 3u);
  EXPECT_EQ(FindOne(*table, Four("10.1.3.0")), 2u);
  EXPECT_EQ(FindOne(*table, Four("10.2.0.0")), 1u);
  EXPECT_EQ(FindOne(*table, Four("9.255.255.255")), 0u);
}

TEST(PrefixTableTest, EveryLengthOfIpv6) {
  const auto table = MakeTable<16>();
  const Ipv6Prefix host = *ParseIpv6Prefix("2001:db8:1234:5678:9abc:def0:1234:5678");
  for (uint32_t length = 0; length <= 128; ++length) {
    Ipv6Prefix prefix{.length = length};
    for (size_t i = 0; i < 16; ++i) prefix.address[i] = host.address[i] & prefix.mask()[i];
    ASSERT_TRUE(table->Add(ToBytes(prefix), length));
    EXPECT_EQ(FindOne(*table, ToBytes(host)), length);
  }
  EXPECT_EQ(table->groups_used(), table->kGroupsOfOne);
  EXPECT_EQ(FindOne(*table, Six("2001:db8:1234:5678::")), 64u);
  EXPECT_EQ(FindOne(*table, Six("2001:db8::")), 35u);
}

TEST(PrefixTableTest, DeletedPrefixesUncoverShorterOnes) {
  const auto table = MakeTable<4>();
  for (const char* prefix : {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/25", "10.1.2.0/30"}) {
    ASSERT_TRUE(table->Add(Four(prefix), Four(prefix).length));
  }
  EXPECT_FALSE(table->Delete(Four("10.1.2.0/24")));
  ASSERT_TRUE(table->Delete(Four("10.1.2.0/30")));
  EXPECT_EQ(FindOne(*table, Four("10.1.2.1")), 25u);
  EXPECT_FALSE(table->Delete(Four("10.1.2.0/30")));
  ASSERT_TRUE(table->Delete(Four("10.1.2.0/25")));
  EXPECT_EQ(FindOne(*table, Four("10.1.2.1")), 16u);
  ASSERT_TRUE(table->Delete(Four("10.1.0.0/16")));
  EXPECT_EQ(FindOne(*table, Four("10.1.2.1")), 8u);
  ASSERT_TRUE(table->Delete(Four("10.0.0.0/8")));
  EXPECT_EQ(FindOne(*table, Four("10.1.2.1")), table->kNone);
  EXPECT_EQ(table->size(), 0u);
}

TEST(PrefixTableTest, AddingAgainGivesAnotherValue) {
  const auto table = MakeTable<4>();
  for (const char* prefix : {"10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/32"}) {
    ASSERT_TRUE(table->Add(Four(prefix), 1));
    ASSERT_TRUE(table->Add(Four(prefix), table->kMaxValue));
    EXPECT_EQ(FindOne(*table, Four("10.0.0.0")), table->kMaxValue);
    EXPECT_EQ(table->size(), 1u);
    ASSERT_TRUE(table->Delete(Four(prefix)));
    EXPECT_EQ(table->groups_used(), 0u);
  }
}

TEST(PrefixTableTest, GroupsAreTakenWhenNeededAndGivenBack) {
  const auto table = MakeTable<16>(5);
  ASSERT_TRUE(table->Add(Six("2001:db8::/48"), 1));
  EXPECT_EQ(table->groups_used(), 3u);
  ASSERT_TRUE(table->Add(Six("2001:db8:100::/48"), 2));
  EXPECT_EQ(table->groups_used(), 4u) << "the first four bytes are the same";
  EXPECT_FALSE(table->Add(Six("2001:db8:100:2::/64"), 3)) << "two are needed, one is left";
  EXPECT_FALSE(table->Get(Six("2001:db8:100:2::/64")).has_value());
  EXPECT_EQ(FindOne(*table, Six("2001:db8:100:2::1")), 2u) << "refused, so nothing changed";
  ASSERT_TRUE(table->Add(Six("2001:db8:100:200::/56"), 3));
  EXPECT_EQ(table->groups_used(), 5u);
  ASSERT_TRUE(table->Add(Six("2001::/16"), 4)) << "needs none";
  ASSERT_TRUE(table->Delete(Six("2001:db8::/48")));
  EXPECT_EQ(table->groups_used(), 4u);
  ASSERT_TRUE(table->Delete(Six("2001:db8:100:200::/56")));
  ASSERT_TRUE(table->Delete(Six("2001:db8:100::/48")));
  EXPECT_EQ(table->groups_used(), 0u);
  EXPECT_EQ(FindOne(*table, Six("2001:db8:100:2::1")), 4u);
}

TEST(PrefixTableTest, AFullTableStillLetsAGroupGrow) {
  const auto table = MakeTable<4>(1);
  ASSERT_TRUE(table->Add(Four("10.1.2.0/28"), 28));
  for (const char* refused : {"10.1.3.0/28", "10.1.3.0/32"}) {
    EXPECT_FALSE(table->Add(Four(refused), 1));
    EXPECT_EQ(FindOne(*table, Four("10.1.3.0")), table->kNone);
  }
  ASSERT_TRUE(table->Add(Four("10.1.2.1/32"), 32));
  EXPECT_EQ(table->groups_used(), 1u);
  EXPECT_EQ(FindOne(*table, Four("10.1.2.0")), 28u);
  EXPECT_EQ(FindOne(*table, Four("10.1.2.1")), 32u);
  EXPECT_FALSE(table->Add(Four("10.1.3.0/28"), 1));
  ASSERT_TRUE(table->Delete(Four("10.1.2.1/32")));
  ASSERT_TRUE(table->Delete(Four("10.1.2.0/28")));
  EXPECT_EQ(table->groups_used(), 0u);
  ASSERT_TRUE(table->Add(Four("10.1.3.0/28"), 1));
}

// The obvious way: all prefixes in a list, the longest that holds the address wins.
template <size_t kBytes>
class SlowTable {
 public:
  using Prefix = typename PrefixTable<kBytes>::Prefix;

  bool Holds(const Prefix& prefix, const typename PrefixTable<kBytes>::Address& address) const {
    uint32_t bit = 0;
    for (; bit + 8 <= prefix.length; bit += 8) {
      if (prefix.address[bit / 8] != address[bit / 8]) return false;
    }
    const uint32_t rest = prefix.length - bit;
    return rest == 0 || (prefix.address[bit / 8] ^ address[bit / 8]) >> (8 - rest) == 0;
  }
  uint32_t Find(const typename PrefixTable<kBytes>::Address& address) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries) {
      if (best != nullptr && entry.prefix.length < best->prefix.length) continue;
      if (Holds(entry.prefix, address)) best = &entry;
    }
    return best == nullptr ? UINT32_MAX : best->value;
  }

  struct Entry {
    Prefix prefix;
    uint32_t value;
  };
  std::vector<Entry> entries;
};

// For all addresses of the first groups from 10.0.0.0 on.
void ExpectGroupsAgree(const PrefixTable<4>& table, const SlowTable<4>& slow, uint32_t groups) {
  for (uint32_t address = 0x0a000000; address < 0x0a000000 + groups * 256; ++address) {
    const auto host = ToBytes(Ipv4Prefix{address, 32});
    ASSERT_EQ(FindOne(table, host), slow.Find(host.address)) << FormatIpv4(address);
  }
}

// Each round begins with groups for another length, which then grow step by step while the table is
// full. The next round uses again what this one gave back.
TEST(PrefixTableTest, GroupsGrowWithTheirPrefixesAndBeginSmallAgain) {
  constexpr uint32_t kGroups = 3;
  const auto table = MakeTable<4>(kGroups);
  for (uint32_t first = 25; first <= 32; ++first) {
    SlowTable<4> slow;
    for (uint32_t length = first; length <= 32; ++length) {
      for (uint32_t group = 0; group < kGroups; ++group) {
        Ipv4Prefix prefix{0x0a000000 + group * 256 + length * 90 % 256, length};
        prefix.address &= prefix.mask();
        slow.entries.push_back({ToBytes(prefix), first * 1000 + length * 10 + group});
        ASSERT_TRUE(table->Add(slow.entries.back().prefix, slow.entries.back().value));
      }
      ASSERT_NO_FATAL_FAILURE(ExpectGroupsAgree(*table, slow, kGroups));
    }
    EXPECT_EQ(table->groups_used(), kGroups);
    for (; !slow.entries.empty(); slow.entries.pop_back()) {
      ASSERT_NO_FATAL_FAILURE(ExpectGroupsAgree(*table, slow, kGroups));
      ASSERT_TRUE(table->Delete(slow.entries.back().prefix));
    }
    EXPECT_EQ(table->groups_used(), 0u);
  }
}

template <typename T>
class PrefixTableChurnTest : public testing::Test {};
template <size_t kBytes>
using Bytes = std::integral_constant<size_t, kBytes>;
using Families = testing::Types<Bytes<4>, Bytes<16>>;
TYPED_TEST_SUITE(PrefixTableChurnTest, Families);

// Addresses of few different bytes, so that prefixes lie in each other at every depth; and half of
// them with few different first 24 bits.
template <size_t kBytes>
typename PrefixTable<kBytes>::Address SomeAddress(std::mt19937& random) {
  typename PrefixTable<kBytes>::Address address;
  for (uint8_t& byte : address) {
    const uint32_t bits = static_cast<uint32_t>(random());
    byte = static_cast<uint8_t>((bits & 15) == 0 ? bits >> 8 : (bits & 16) << 3 | (bits >> 8 & 1));
  }
  if (random() % 2 == 0) address[1] = address[2] = 0;
  return address;
}

template <size_t kBytes>
typename PrefixTable<kBytes>::Prefix SomePrefix(std::mt19937& random) {
  typename PrefixTable<kBytes>::Prefix prefix;
  prefix.length = static_cast<uint32_t>(random() % (8 * kBytes + 1));
  if (random() % 2 == 0) prefix.length = static_cast<uint32_t>(8 * kBytes - random() % 8);
  const auto address = SomeAddress<kBytes>(random);
  for (uint32_t bit = 0; bit < prefix.length; ++bit) {
    prefix.address[bit / 8] |= address[bit / 8] & (0x80 >> bit % 8);
  }
  return prefix;
}

// Whether an IPv4 prefix is too long for the group where it belongs.
bool MakesAGroupGrow(const SlowTable<4>& slow, const PrefixTable<4>::Prefix& prefix) {
  uint32_t longest = 24;
  for (const auto& entry : slow.entries) {
    const auto& address = entry.prefix.address;
    if (std::equal(address.begin(), address.begin() + 3, prefix.address.begin())) {
      longest = std::max(longest, entry.prefix.length);
    }
  }
  return longest > 24 && prefix.length > std::max(longest, 28u);
}

TYPED_TEST(PrefixTableChurnTest, AgreesWithTheSlowWay) {
  constexpr size_t kBytes = TypeParam::value;
  const auto table = MakeTable<kBytes>(40 * PrefixTable<kBytes>::kGroupsOfOne);
  SlowTable<kBytes> slow;
  std::mt19937 random(kBytes);
  std::vector<typename PrefixTable<kBytes>::Address> addresses(100);
  std::vector<uint32_t> found(addresses.size());
  uint64_t hits = 0, misses = 0, grown = 0;
  const uint64_t steps = SoakPackets(3'000'000) / addresses.size();
  for (uint64_t step = 0; step < steps; ++step) {
    if (slow.entries.size() < 40 && random() % 2 == 0) {
      const auto prefix = SomePrefix<kBytes>(random);
      const uint32_t value = static_cast<uint32_t>(random()) % (table->kMaxValue + 1);
      if constexpr (kBytes == 4) grown += MakesAGroupGrow(slow, prefix);
      ASSERT_TRUE(table->Add(prefix, value));
      std::erase_if(slow.entries, [&](const auto& entry) { return entry.prefix == prefix; });
      slow.entries.push_back({prefix, value});
    } else if (!slow.entries.empty()) {
      const size_t victim = random() % slow.entries.size();
      ASSERT_TRUE(table->Delete(slow.entries[victim].prefix));
      slow.entries.erase(slow.entries.begin() + static_cast<ptrdiff_t>(victim));
    }
    if (step % 1000 == 999) {
      for (const auto& entry : slow.entries) ASSERT_TRUE(table->Delete(entry.prefix));
      slow.entries.clear();
      ASSERT_EQ(table->groups_used(), 0u);
    }
    for (auto& address : addresses) address = SomeAddress<kBytes>(random);
    for (size_t i = 0; i < slow.entries.size(); ++i) {  // the same group, often another slot
      addresses[i] = slow.entries[i].prefix.address;
      addresses[i].back() ^= static_cast<uint8_t>(random());
    }
    table->Find(addresses, found.data());
    for (size_t i = 0; i < addresses.size(); ++i) {
      ASSERT_EQ(found[i], slow.Find(addresses[i])) << "step " << step;
      ++(found[i] == table->kNone ? misses : hits);
    }
  }
  EXPECT_GT(hits, 15 * steps);
  EXPECT_GT(misses, 3 * steps);
  EXPECT_GE(grown, kBytes == 4 ? steps / 100 : 0);
}

// While the writer goes round, the table always has a route for the address: the short one or the
// long one, whose group grows. Each size of it that served the address serves another in between,
// with another value.
TEST(PrefixTableTest, ReadersSeeTheTableBeforeOrAfterAChange) {
  const auto table = MakeTable<4>(2);
  const auto is_short = Four("10.0.0.0/12"), is_long = Four("10.1.2.128/28");
  const auto neighbour = Four("10.1.2.255/32"), fallback = Four("10.0.0.0/11");
  const auto other_long = Four("11.0.0.128/28"), other_host = Four("11.0.1.131/32");
  ASSERT_TRUE(table->Add(is_short, 1));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> rounds{0}, wrong{0}, seen_long{0}, seen_short{0};
  std::thread reader([&] {
    const std::vector<PrefixTable<4>::Address> addresses(80, Four("10.1.2.131/32").address);
    while (!stop.load()) {
      // One alone is quick enough to fall between two of the writer's stores.
      std::vector<uint32_t> values(rounds % 2 == 0 ? addresses.size() : 1);
      table->Find({addresses.data(), values.size()}, values.data());
      for (const uint32_t value : values) {
        wrong += value != 1 && value != 2;
        seen_short += value == 1;
        seen_long += value == 2;
      }
      ++rounds;
    }
  });
  const uint64_t steps = SoakPackets(100000);
  for (uint64_t i = 0; i < steps || rounds < 2000; ++i) {
    table->Add(is_long, 2);
    table->Delete(is_short);
    table->Add(neighbour, 3);
    table->Add(other_long, 4);
    table->Add(fallback, 1);
    table->Delete(is_long);
    table->Delete(neighbour);
    table->Add(other_host, 5);
    table->Add(is_short, 1);
    table->Delete(fallback);
    table->Delete(other_long);
    table->Delete(other_host);
  }
  stop = true;
  reader.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_GT(seen_long.load(), 0u);
  EXPECT_GT(seen_short.load(), 0u);
}

}  // namespace
}  // namespace bess
