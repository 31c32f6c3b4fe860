// SPDX-License-Identifier: Apache-2.0
#include "core/tc/wake_board.h"

#include <gtest/gtest.h>

#include <thread>

namespace bess {
namespace {

std::vector<uint32_t> Taken(WakeBoard& board) {
  std::vector<uint32_t> leaves;
  board.Take([&](uint32_t leaf) { leaves.push_back(leaf); });
  return leaves;
}

TEST(WakeBoardTest, KnocksAreHeardOnceAndOnlyAtClosedDoors) {
  WakeBoard board(130);
  LeafDoor open(board, 3), closed(board, 129);
  closed.SetResting(true);
  open.Knock();
  EXPECT_TRUE(Taken(board).empty());
  closed.Knock();
  closed.Knock();
  EXPECT_EQ(Taken(board), std::vector<uint32_t>{129});
  EXPECT_TRUE(Taken(board).empty());
}

TEST(WakeBoardTest, ANoteRingsTheBellOfWhoSleeps) {
  WakeBoard board(1);
  Bell bell;
  board.Post(0);
  EXPECT_TRUE(board.posted());
  bell.LieDown();
  board.SetBell(&bell);
  board.Post(0);
  EXPECT_TRUE(bell.GetUp());
  bell.LieDown();
  board.SetBell(nullptr);
  board.Post(0);
  EXPECT_FALSE(bell.GetUp());
  Taken(board);
  EXPECT_FALSE(board.posted());
}

TEST(WakeBoardTest, NoNoteIsLostBetweenThreads) {
  constexpr uint32_t kLeaves = 200;
  WakeBoard board(kLeaves);
  std::vector<int> heard(kLeaves);
  std::thread other([&] {
    for (uint32_t leaf = 0; leaf < kLeaves; ++leaf) board.Post(leaf);
  });
  uint32_t sum = 0;
  while (sum < kLeaves) {
    board.Take([&](uint32_t leaf) {
      ++heard[leaf];
      ++sum;
    });
  }
  other.join();
  for (const int n : heard) EXPECT_EQ(n, 1);
}

}  // namespace
}  // namespace bess
