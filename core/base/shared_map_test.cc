// SPDX-License-Identifier: Apache-2.0
#include "core/base/shared_map.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <random>

namespace bess {
namespace {

using Map = SharedMap<int>;
using Reference = std::map<std::string, std::shared_ptr<const int>, std::less<>>;

void ExpectEqual(const Map& map, const Reference& reference) {
  ASSERT_EQ(map.size(), reference.size());
  ASSERT_EQ(map.empty(), reference.empty());
  ASSERT_TRUE(std::equal(
      map.begin(), map.end(), reference.begin(), reference.end(),
      [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
}

// Of two states of the reference, name by name.
std::map<std::string, std::pair<const int*, const int*>> Differences(const Reference& before,
                                                                     const Reference& after) {
  std::map<std::string, std::pair<const int*, const int*>> all;
  for (const auto& [name, value] : before) all[name].first = value.get();
  for (const auto& [name, value] : after) all[name].second = value.get();
  std::erase_if(all, [](const auto& each) { return each.second.first == each.second.second; });
  return all;
}

TEST(SharedMapTest, TheEmptyMap) {
  Map map;
  EXPECT_EQ(map.begin(), map.end());
  EXPECT_EQ(map.find("a"), map.end());
  EXPECT_FALSE(map.Erase("a"));
  map.Set("a", std::make_shared<const int>(1));
  EXPECT_TRUE(map.Erase("a"));
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(map.begin(), map.end());
}

TEST(SharedMapTest, AnEditLeavesCopiesAlone) {
  Map map;
  map.Set("a", std::make_shared<const int>(1));
  const Map copy = map;
  EXPECT_TRUE(copy.Shares(map));
  map.Set("a", std::make_shared<const int>(2));
  map.Set("b", std::make_shared<const int>(3));
  EXPECT_FALSE(copy.Shares(map));
  EXPECT_EQ(*copy.find("a")->second, 1);
  EXPECT_FALSE(copy.contains("b"));
  map.clear();
  EXPECT_EQ(copy.size(), 1u);
}

TEST(SharedMapTest, DoesWhatAMapDoes) {
  std::mt19937 rng(1);
  for (const uint32_t names : {5u, 100u, 3000u}) {
    Map map, before;
    Reference reference, reference_before;
    for (int edit = 0; edit < 6000; ++edit) {
      const std::string name = std::to_string(rng() % names);
      if (rng() % 3 == 0) {
        ASSERT_EQ(map.Erase(name), reference.erase(name) == 1);
      } else {
        auto value = std::make_shared<const int>(edit);
        reference[name] = value;
        map.Set(name, std::move(value));
      }
      const auto found = map.find(name);
      ASSERT_EQ(found != map.end(), reference.contains(name));
      if (found != map.end()) {
        ASSERT_EQ(found->second, reference.at(name));
      }
      if (rng() % 100 != 0) continue;
      ExpectEqual(map, reference);
      ExpectEqual(before, reference_before);
      std::map<std::string, std::pair<const int*, const int*>> seen;
      Map::ForEachDifference(before, map, [&](const std::string& at, const int* a, const int* b) {
        ASSERT_TRUE(seen.emplace(at, std::pair(a, b)).second);
      });
      ASSERT_EQ(seen, Differences(reference_before, reference));
      before = map;
      reference_before = reference;
    }
  }
}

// What a difference costs is seen in what it touches: chunks that both have are not entered.
TEST(SharedMapTest, MostOfACopyIsShared) {
  Map map;
  for (int i = 0; i < 10000; ++i) map.Set(std::to_string(i), std::make_shared<const int>(i));
  const Map before = map;
  const auto* far = &*map.find("9");
  const auto* near = &*map.find("5000");
  map.Set("5000", std::make_shared<const int>(-1));
  EXPECT_EQ(&*map.find("9"), far) << "an entry elsewhere is the same one";
  EXPECT_NE(&*map.find("5000"), near);
  EXPECT_EQ(&*before.find("5000"), near);
}

}  // namespace
}  // namespace bess
