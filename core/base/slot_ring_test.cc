// SPDX-License-Identifier: Apache-2.0
#include "core/base/slot_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace bess {
namespace {

TEST(SlotRingTest, GivesOutAsManySlotsAsThereAre) {
  SlotRing<int, 2> ring;
  EXPECT_EQ(ring.Full(), nullptr);
  for (int i = 0; i < 2; ++i) {
    *ring.Empty() = i;
    ring.PutFull();
  }
  EXPECT_EQ(ring.Empty(), nullptr);
  EXPECT_EQ(*ring.Full(), 0);
  ring.PutEmpty();
  EXPECT_EQ(*ring.Full(), 1);
  EXPECT_NE(ring.Empty(), nullptr);
}

TEST(SlotRingTest, TwoThreadsPassEveryValueInOrder) {
  constexpr uint64_t kValues = 200'000;
  SlotRing<uint64_t, 8> ring;
  std::thread filler([&] {
    for (uint64_t i = 0; i < kValues;) {
      uint64_t* slot = ring.Empty();
      if (slot == nullptr) continue;
      *slot = i++;
      ring.PutFull();
    }
  });
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < kValues;) {
    const uint64_t* slot = ring.Full();
    if (slot == nullptr) continue;
    wrong += *slot != i++;
    ring.PutEmpty();
  }
  filler.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace bess
