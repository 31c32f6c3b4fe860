// SPDX-License-Identifier: Apache-2.0
#include "modules/l2_forward/mac_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "core/base/soak_testing.h"

namespace bess {
namespace {

using Key = MacTable::Key;
using Entry = std::pair<Key, uint32_t>;

TEST(MacTableTest, KeysAreTheSameHoweverMade) {
  const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 0xff, 0xff};
  EXPECT_EQ(MacTable::ToKey(bytes), MacTable::ToKey(MacAddress{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(MacTable::ToKey(bytes), 0x060504030201u);
}

// buckets, ways
class MacTableShapeTest : public testing::TestWithParam<std::pair<uint32_t, uint32_t>> {};

INSTANTIATE_TEST_SUITE_P(Shapes, MacTableShapeTest,
                         testing::Values(std::pair(1u, 1u), std::pair(1u, 4u), std::pair(2u, 1u),
                                         std::pair(16u, 2u), std::pair(64u, 4u),
                                         std::pair(128u, 1u), std::pair(512u, 4u)));

void ExpectSame(const MacTable& table, const std::map<Key, uint32_t>& reference, Key keys) {
  std::vector<Key> all;
  for (Key key = 0; key < keys; ++key) all.push_back(key);
  std::vector<uint32_t> gates(all.size());
  table.Find(all, gates.data());
  for (const Key key : all) {
    const auto it = reference.find(key);
    ASSERT_EQ(gates[key], it == reference.end() ? MacTable::kNoGate : it->second) << key;
  }
}

// Adds and deletes at random, at and above the table's capacity.
TEST_P(MacTableShapeTest, AgreesWithStdMapUnderChurn) {
  const auto [buckets, ways] = GetParam();
  MacTable table(buckets, ways);
  std::map<Key, uint32_t> reference;
  std::mt19937 random(buckets * 8 + ways);
  const Key keys = table.capacity() * 2;
  uint64_t refused = 0;
  std::vector<Key> wanted(32);
  std::vector<uint32_t> found(wanted.size());
  const uint64_t steps = SoakPackets(640'000) / wanted.size();
  for (uint64_t step = 0; step < steps; ++step) {
    const Key key = random() % keys;
    const uint32_t gate = random() % 8192;
    if (reference.count(key) != 0) {
      table.Erase(key);
      reference.erase(key);
    } else if (!table.Insert({{Entry(key, gate)}})) {
      reference[key] = gate;
    } else {
      ++refused;
    }
    for (Key& one : wanted) one = random() % keys;
    table.Find(wanted, found.data());
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto it = reference.find(wanted[i]);
      ASSERT_EQ(found[i], it == reference.end() ? MacTable::kNoGate : it->second);
    }
  }
  ExpectSame(table, reference, keys);
  EXPECT_LE(reference.size(), table.capacity());
  // With four ways nearly every slot can be used, with one about half.
  EXPECT_GE(reference.size(), table.capacity() * (ways == 4 ? 9 : 4) / 10);
  EXPECT_GT(refused, 0u) << "the test must reach the full table";
}

TEST_P(MacTableShapeTest, ARefusedInsertChangesNothing) {
  const auto [buckets, ways] = GetParam();
  MacTable table(buckets, ways);
  std::map<Key, uint32_t> reference;
  for (Key key = 0; key < table.capacity() / 4; ++key) {
    ASSERT_FALSE(table.Insert({{Entry(key, 1)}}));
    reference[key] = 1;
  }
  std::vector<Entry> too_many;
  for (Key key = 0; key <= table.capacity(); ++key) too_many.emplace_back(10000 + key, 2);
  const std::optional<size_t> failed = table.Insert(too_many);
  ASSERT_TRUE(failed.has_value());
  ExpectSame(table, reference, 20000);
  // What came before the one named fits.
  too_many.resize(*failed);
  EXPECT_FALSE(table.Insert(too_many));
  for (const auto& [key, gate] : too_many) EXPECT_EQ(table.Find(key), 2u);
}

// A quarter of the table stays; a reader must find it at all times while the writer fills and
// empties the rest, which moves entries about all the time.
TEST(MacTableTest, ReadersNeverMissAnEntryThatStays) {
  MacTable table(64, 4);
  std::vector<Key> stay;
  for (Key key = 0; key < table.capacity() / 4; ++key) {
    stay.push_back(key);
    ASSERT_FALSE(table.Insert({{Entry(key, static_cast<uint32_t>(key))}}));
  }
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> rounds{0}, missed{0};
  std::thread reader([&] {
    std::vector<uint32_t> gates(stay.size());
    while (!stop.load()) {
      table.Find(stay, gates.data());
      for (const Key key : stay) missed += gates[key] != key;
      ++rounds;
    }
  });
  std::mt19937 random(7);
  for (int round = 0; round < 600 || rounds < 100; ++round) {
    std::vector<Key> added;
    for (;;) {
      const Key key = 1000 + random() % 1000000;
      if (table.Find(key) != MacTable::kNoGate) continue;
      if (table.Insert({{Entry(key, 9)}})) break;
      added.push_back(key);
    }
    for (const Key key : added) table.Erase(key);
  }
  stop = true;
  reader.join();
  EXPECT_EQ(missed.load(), 0u);
}

}  // namespace
}  // namespace bess
