// SPDX-License-Identifier: Apache-2.0
#include "core/match/table.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "core/base/soak_testing.h"
#include "core/match/match_testing.h"

namespace bess {
namespace {

Key AllBits(uint32_t words) {
  Key key;
  for (uint32_t w = 0; w < words; ++w) key.words[w] = ~uint64_t{0};
  return key;
}

Key KeyOf(uint64_t number, uint32_t words) {
  Key key;
  for (uint32_t w = 0; w < words; ++w) key.words[w] = number << w;
  return key;
}

std::vector<KeyTable::Value> FindAll(const KeyTable& table, const std::vector<Key>& keys) {
  KeyBatch batch;
  FillKeys(keys, batch);
  std::vector<KeyTable::Value> values(keys.size());
  table.Find(batch, static_cast<uint32_t>(keys.size()), values.data());
  return values;
}

// Random updates and lookups, at each width, beside a std::map.
void CompareWithMap(uint32_t words, uint64_t lookups) {
  Random random;
  FakeHost host;
  const auto table = KeyTable::Create(host, AllBits(words), words);
  std::map<Key, KeyTable::Value> reference;
  for (uint64_t round = 0; round < lookups / kBatchSize; ++round) {
    for (int update = 0; update < 8; ++update) {
      const Key key = KeyOf(random.Between(0u, 3000u), words);
      const auto it = reference.find(key);
      const KeyTable::Value before = it == reference.end() ? KeyTable::kNone : it->second;
      const KeyTable::Value value = 2 * random.Between(0u, 3u);
      ASSERT_EQ(table->Set(key, value), before);
      if (value == KeyTable::kNone) {
        reference.erase(key);
      } else {
        reference[key] = value;
      }
    }
    ASSERT_EQ(table->size(), reference.size());
    std::vector<Key> keys;
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      keys.push_back(KeyOf(random.Between(0u, 3000u), words));
    }
    const auto found = FindAll(*table, keys);
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      const auto it = reference.find(keys[i]);
      ASSERT_EQ(found[i], it == reference.end() ? KeyTable::kNone : it->second);
      ASSERT_EQ(table->Get(keys[i]), found[i]);
    }
  }
  std::map<Key, KeyTable::Value> all;
  table->ForEach([&](const Key& key, KeyTable::Value value) { all[key] = value; });
  EXPECT_EQ(all, reference);
}

TEST(KeyTableTest, EqualsAMapAtEachWidth) {
  // The narrow ones are what most rules have.
  for (uint32_t words = 1; words <= 3; ++words) CompareWithMap(words, SoakPackets(1'300'000));
  for (uint32_t words = 4; words <= kMaxKeyWords; ++words) {
    CompareWithMap(words, SoakPackets(250'000));
  }
}

TEST(KeyTableTest, LooksOnlyAtTheBitsOfItsMask) {
  FakeHost host;
  Key mask;
  mask.words[0] = 0xff00;
  const auto table = KeyTable::Create(host, mask, 1);
  EXPECT_EQ(table->Set(KeyOf(0x1234, 1), 2), KeyTable::kNone);
  EXPECT_EQ(table->Set(KeyOf(0x1277, 1), 4), 2u);
  EXPECT_EQ(FindAll(*table, {KeyOf(0x991200, 1), KeyOf(0x1300, 1)}),
            (std::vector<KeyTable::Value>{4, 0}));
}

TEST(KeyTableTest, ChurnDoesNotFillIt) {
  FakeHost host;
  const auto table = KeyTable::Create(host, AllBits(1), 1);
  for (uint64_t i = 0; i < 1000000; ++i) {
    table->Set(KeyOf(i, 1), 2);
    if (i >= 10) table->Set(KeyOf(i - 10, 1), KeyTable::kNone);
  }
  EXPECT_EQ(table->size(), 10u);
  EXPECT_EQ(table->Get(KeyOf(999995, 1)), 2u);
  EXPECT_EQ(table->Get(KeyOf(999900, 1)), KeyTable::kNone);
}

// Values carry their key, so that a reader knows a value that was never this key's.
KeyTable::Value Marked(uint64_t key, uint64_t version) { return (key << 16 | version) << 1; }

void ReadUntil(const std::atomic<bool>& stop, size_t reader, const KeyTable& table,
               ReaderHost& host, std::atomic<uint64_t>& wrong) {
  Random random;
  while (!stop.load(std::memory_order_relaxed)) {
    std::vector<Key> keys;
    std::vector<uint64_t> numbers;
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      numbers.push_back(random.Between(1u, 1024u));
      keys.push_back(KeyOf(numbers.back(), 2));
    }
    const auto found = FindAll(table, keys);
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      const bool untouched = numbers[i] % 2 == 0;
      const bool good = found[i] == KeyTable::kNone ? !untouched : found[i] >> 17 == numbers[i];
      if (!good) wrong.fetch_add(1);
    }
    host.Pass(reader);
  }
}

TEST(KeyTableTest, ReadersSeeTheOldOrTheNewValueAndNeverMissWhatNobodyTouches) {
  constexpr size_t kReaders = 2;
  ReaderHost host(kReaders);
  const auto table = KeyTable::Create(host, AllBits(2), 2);
  for (uint64_t key = 2; key < 1024; key += 2) table->Set(KeyOf(key, 2), Marked(key, 1));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> readers;
  for (size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] { ReadUntil(stop, i, *table, host, wrong); });
  }
  while (!host.AllPassed()) std::this_thread::yield();
  Random random;
  for (uint64_t i = 0; i < 400000; ++i) {
    const uint64_t key = random.Between(0u, 512u) * 2 + 1;
    table->Set(KeyOf(key, 2), random.Chance(0.4) ? KeyTable::kNone : Marked(key, i % 65536));
    // Keys that nobody reads come and go too, so that the array is replaced again and again.
    table->Set(KeyOf((i + 1) << 12, 2), 2);
    table->Set(KeyOf((i - 500) << 12, 2), KeyTable::kNone);
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(host.freed(), 0u);
}

}  // namespace
}  // namespace bess
