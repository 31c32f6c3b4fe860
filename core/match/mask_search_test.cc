// SPDX-License-Identifier: Apache-2.0
#include "core/match/mask_search.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <utility>

#include "core/base/soak_testing.h"
#include "core/base/status.h"
#include "core/match/match_testing.h"

namespace bess {
namespace {

constexpr uint64_t kRoom = 1 << 20;

// Three fields in two words.
const KeyFields& Fields() {
  static const KeyFields fields = [] {
    PbFields list;
    for (const uint32_t size : {4, 4, 2}) *list.Add() = AtOffset(0, size);
    KeyFields made;
    EXPECT_TRUE(made.Init("fields", list, {}).ok());
    return made;
  }();
  return fields;
}

Key KeyOf(uint64_t a, uint64_t b, uint64_t c) {
  return *Fields().Read("d", ListOf({Number(a), Number(b), Number(c)}), ByteOrder::kBig);
}

Key Masked(Key key, const Key& mask) {
  for (size_t w = 0; w < kMaxKeyWords; ++w) key.words[w] &= mask.words[w];
  return key;
}

std::vector<const MaskedRule*> FindAll(const MaskSearch& search, const std::vector<Key>& keys,
                                       uint64_t lacks_third = 0) {
  KeyBatch batch;
  FillKeys(keys, batch);
  batch.absent[2] = lacks_third;
  batch.any_absent = lacks_third != 0;
  std::vector<const MaskedRule*> best(keys.size());
  search.Find(batch, static_cast<uint32_t>(keys.size()), best.data());
  return best;
}

// All rules in a list: what a MaskSearch must agree with.
class Reference {
 public:
  struct Best {
    bool found = false;
    int64_t priority = 0;
  };

  void Set(const Key& key, const Key& mask, const MaskedRule& rule) { rules_[{mask, key}] = rule; }
  bool Remove(const Key& key, const Key& mask) { return rules_.erase({mask, key}) != 0; }
  Best Find(const Key& key, bool lacks_third) const {
    Best best;
    for (const auto& [where, rule] : rules_) {
      if (lacks_third && (Fields().FieldsIn(where.first) & 4) != 0) continue;
      if (Masked(key, where.first) != where.second) continue;
      if (!best.found || rule.priority > best.priority) best = {true, rule.priority};
    }
    return best;
  }
  size_t size() const { return rules_.size(); }

 private:
  std::map<std::pair<Key, Key>, MaskedRule> rules_;
};

Key RandomKey(Random& random) {
  return KeyOf(random.Between(0u, 4u), random.Between(0u, 4u), random.Between(0u, 4u));
}
Key RandomMask(Random& random) {
  const auto part = [&](uint64_t all) { return random.Chance(0.5) ? all : 2; };
  return KeyOf(part(UINT32_MAX), part(UINT32_MAX), random.Chance(0.5) ? UINT16_MAX : 0);
}

void Change(Random& random, MaskSearch& search, Reference& reference) {
  const Key mask = RandomMask(random);
  const Key key = Masked(RandomKey(random), mask);
  if (random.Chance(0.6)) {
    const bool there = reference.Remove(key, mask);
    ASSERT_EQ(StatusErrno(search.Remove(key, mask)), there ? 0 : ENOENT);
    return;
  }
  const MaskedRule rule{.priority = random.Between(-20, 20), .gate = 7};
  reference.Set(key, mask, rule);
  ASSERT_TRUE(search.Set(key, mask, rule).ok());
}

TEST(MaskSearchTest, EqualsASlowSearch) {
  Random random;
  FakeHost host;
  MaskSearch search(host, Fields(), kRoom);
  Reference reference;
  for (uint64_t round = 0; round < SoakPackets(1'280'000) / kBatchSize; ++round) {
    Change(random, search, reference);
    std::vector<Key> keys;
    for (uint32_t i = 0; i < kBatchSize; ++i) keys.push_back(RandomKey(random));
    const uint64_t lacking = round % 2 == 0 ? 0 : random.Word();
    const auto best = FindAll(search, keys, lacking);
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      const auto wanted = reference.Find(keys[i], (lacking >> i & 1) != 0);
      ASSERT_EQ(best[i] != nullptr, wanted.found);
      ASSERT_TRUE(!wanted.found || best[i]->priority == wanted.priority);
    }
  }
  size_t rules = 0;
  search.ForEach([&](const Key&, const Key&, const MaskedRule&) { ++rules; });
  EXPECT_EQ(rules, reference.size());
}

TEST(MaskSearchTest, MasksGoWithTheirLastRule) {
  FakeHost host;
  MaskSearch search(host, Fields(), kRoom);
  for (uint64_t i = 1; i <= 10000; ++i) {
    const Key mask = KeyOf(i, 0, 0);
    ASSERT_TRUE(search.Set(mask, mask, {.priority = 1}).ok());
    ASSERT_EQ(search.masks(), 1u);
    ASSERT_TRUE(search.Remove(mask, mask).ok());
  }
  EXPECT_EQ(search.masks(), 0u);
}

TEST(MaskSearchTest, SaysWhenThereIsNoRoom) {
  FakeHost host;
  MaskSearch search(host, Fields(), 2);
  for (uint64_t i = 1; i <= kMaxMasks; ++i) {
    ASSERT_TRUE(search.Set(KeyOf(0, 0, 0), KeyOf(i, 0, 0), {}).ok());
  }
  EXPECT_EQ(StatusErrno(search.Set(KeyOf(0, 0, 0), KeyOf(0, 1, 0), {})), ENOSPC);
  EXPECT_TRUE(search.Set(KeyOf(1, 0, 0), KeyOf(1, 0, 0), {}).ok());
  const Key mask = KeyOf(3, 0, 0);
  EXPECT_TRUE(search.Set(KeyOf(1, 0, 0), mask, {}).ok());
  EXPECT_EQ(StatusErrno(search.Set(KeyOf(2, 0, 0), mask, {})), ENOSPC);
  EXPECT_TRUE(search.Set(KeyOf(1, 0, 0), mask, {.priority = 5}).ok());
}

TEST(MaskSearchTest, OfEqualPrioritiesTheOlderMaskWins) {
  FakeHost host;
  MaskSearch search(host, Fields(), kRoom);
  ASSERT_TRUE(search.Set(KeyOf(1, 0, 0), KeyOf(1, 0, 0), {.priority = 5, .gate = 1}).ok());
  ASSERT_TRUE(search.Set(KeyOf(1, 0, 0), KeyOf(3, 0, 0), {.priority = 5, .gate = 2}).ok());
  EXPECT_EQ(FindAll(search, {KeyOf(1, 0, 0)})[0]->gate, 1u);
  // Also when the other one is tried first, for another rule of its mask.
  ASSERT_TRUE(search.Set(KeyOf(2, 0, 0), KeyOf(3, 0, 0), {.priority = 9, .gate = 3}).ok());
  EXPECT_EQ(FindAll(search, {KeyOf(1, 0, 0)})[0]->gate, 1u);
}

TEST(MaskSearchTest, TheLowestPriorityOfAllStillMatches) {
  FakeHost host;
  MaskSearch search(host, Fields(), kRoom);
  ASSERT_TRUE(search.Set({}, {}, {.priority = INT64_MIN, .gate = 4}).ok());
  EXPECT_EQ(FindAll(search, {KeyOf(1, 2, 3)})[0]->gate, 4u);
}

// Below the changing rules lies one for everything; above all, one that only even keys match.
void ReadUntil(const std::atomic<bool>& stop, size_t reader, const MaskSearch& search,
               ReaderHost& host, std::atomic<uint64_t>& wrong) {
  Random random;
  while (!stop.load(std::memory_order_relaxed)) {
    std::vector<Key> keys;
    std::vector<uint64_t> numbers;
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      numbers.push_back(random.Between(0u, 64u));
      keys.push_back(KeyOf(numbers.back(), 0, 0));
    }
    const auto best = FindAll(search, keys);
    for (uint32_t i = 0; i < kBatchSize; ++i) {
      const bool good =
          best[i] != nullptr &&
          (numbers[i] % 2 == 0 ? best[i]->gate == 2
                               : best[i]->gate == 1 || best[i]->values[0] == numbers[i]);
      if (!good) wrong.fetch_add(1);
    }
    host.Pass(reader);
  }
}

TEST(MaskSearchTest, ReadersNeverMissARuleThatNobodyTouches) {
  constexpr size_t kReaders = 2;
  ReaderHost host(kReaders);
  MaskSearch search(host, Fields(), kRoom);
  ASSERT_TRUE(search.Set({}, {}, {.priority = -1, .gate = 1}).ok());
  ASSERT_TRUE(search.Set({}, KeyOf(1, 0, 0), {.priority = 1000, .gate = 2}).ok());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> readers;
  for (size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] { ReadUntil(stop, i, search, host, wrong); });
  }
  while (!host.AllPassed()) std::this_thread::yield();
  Random random;
  for (int i = 0; i < 100000; ++i) {
    const uint64_t number = random.Between(0u, 32u) * 2 + 1;
    const Key mask = KeyOf(UINT32_MAX, random.Between(0u, 4u), 0);
    if (random.Chance(0.5)) {
      (void)search.Remove(KeyOf(number, 0, 0), mask);
    } else {
      const int64_t priority = random.Between(0, 2000);
      const MaskedRule rule{.priority = priority, .gate = 3, .values = {number}};
      ASSERT_TRUE(search.Set(KeyOf(number, 0, 0), mask, rule).ok());
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(host.freed(), 0u);
}

}  // namespace
}  // namespace bess
