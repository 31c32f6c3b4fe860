// SPDX-License-Identifier: Apache-2.0
#include "core/base/spin_lock.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <mutex>
#include <thread>

namespace bess {
namespace {

TEST(SpinLockTest, IsTakenOnce) {
  SpinLock lock;
  EXPECT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
}

TEST(SpinLockTest, KeepsThreadsApart) {
  constexpr uint64_t kEach = 20000;
  SpinLock lock;
  uint64_t count = 0;
  const auto add = [&] {
    for (uint64_t i = 0; i < kEach; ++i) {
      const std::lock_guard hold(lock);
      ++count;
    }
  };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(count, 2 * kEach);
}

}  // namespace
}  // namespace bess
