// SPDX-License-Identifier: Apache-2.0
#include "core/tc/tournament.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace bess {
namespace {

using Cup = Tournament<uint32_t>;

std::vector<uint32_t> Entrants(uint32_t n) {
  std::vector<uint32_t> entrants(n);
  for (uint32_t i = 0; i < n; ++i) entrants[i] = 100 + i;
  return entrants;
}

TEST(TournamentTest, NobodyTakesPartAtFirst) {
  for (const uint32_t n : {0u, 1u, 2u, 3u, 64u}) EXPECT_FALSE(Cup(Entrants(n)).any()) << n;
}

TEST(TournamentTest, TheLowestSlotWinsAmongEquals) {
  Cup cup(Entrants(5));
  for (const uint32_t slot : {4u, 2u, 3u, 1u}) {
    cup.Set(slot, 7);
  }
  EXPECT_EQ(cup.top(), 101u);
  cup.Set(1, Cup::kOut);
  EXPECT_EQ(cup.top(), 102u);
}

TEST(TournamentTest, FindsTheLeastOfAnyKeys) {
  std::mt19937_64 random(1);
  for (const uint32_t n : {1u, 2u, 3u, 7u, 8u, 1000u}) {
    Cup cup(Entrants(n));
    std::vector<uint64_t> keys(n, Cup::kOut);
    for (int i = 0; i < 20000; ++i) {
      const auto slot = static_cast<uint32_t>(random() % n);
      const bool out = random() % 3 == 0;
      keys[slot] = out ? Cup::kOut : random() % (i % 2 == 0 ? 10 : Cup::kOut);
      cup.Set(slot, keys[slot]);
      const auto least = std::min_element(keys.begin(), keys.end());
      ASSERT_EQ(cup.top_key(), *least);
      ASSERT_EQ(cup.key(slot), keys[slot]);
      if (cup.any()) {
        ASSERT_EQ(cup.top(), 100 + static_cast<uint32_t>(least - keys.begin()));
      }
    }
  }
}

}  // namespace
}  // namespace bess
