// SPDX-License-Identifier: Apache-2.0
#include "core/port/doorway.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace bess {
namespace {

TEST(DoorwayTest, IsClosedUntilOpened) {
  Doorway door(2);
  EXPECT_FALSE(door.Enter(0));
  door.Open();
  EXPECT_TRUE(door.Enter(0));
  EXPECT_TRUE(door.Enter(1));
  door.Leave(0);
  door.Leave(1);
  door.Close();
  EXPECT_FALSE(door.is_open());
}

TEST(DoorwayTest, PassesOnWhatIsDoneInside) {
  Doorway door(1);
  int calls = 0;
  const auto use = [&] { return ++calls; };
  EXPECT_EQ(door.Pass(0, -1, use), -1);
  EXPECT_EQ(calls, 0);
  door.Open();
  EXPECT_EQ(door.Pass(0, -1, use), 1);
  // Waits for whoever is inside, so the call before has left.
  door.Close();
  EXPECT_EQ(door.Pass(0, -1, use), -1);
  EXPECT_EQ(calls, 1);
}

TEST(DoorwayTest, NobodyIsInsideAfterClose) {
  constexpr uint32_t kLanes = 3;
  Doorway door(kLanes);
  std::atomic<bool> stop = false;
  int guarded = 0;  // a race on it is what TSan would see
  std::atomic<bool> closed = true;
  std::atomic<uint64_t> passed = 0, wrong = 0;
  std::vector<std::thread> workers;
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    workers.emplace_back([&, lane] {
      while (!stop) {
        if (!door.Enter(lane)) continue;
        if (closed.load(std::memory_order_relaxed) || guarded < 0) ++wrong;
        ++passed;
        door.Leave(lane);
      }
    });
  }
  for (int i = 0; i < 100 || passed == 0; ++i) {
    closed = false;
    door.Open();
    std::this_thread::yield();
    door.Close();
    closed = true;
    guarded = i;
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace bess
