// SPDX-License-Identifier: Apache-2.0
#include "core/sched/rcu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace bess {
namespace {

TEST(RcuTest, FreesAtOnceWithoutReaders) {
  Rcu rcu;
  bool freed = false;
  rcu.Retire([&] { freed = true; });
  EXPECT_FALSE(freed) << "only Reap frees";
  EXPECT_EQ(rcu.Reap(), 0u);
  EXPECT_TRUE(freed);
}

TEST(RcuTest, WaitsForEachOnlineReader) {
  Rcu rcu;
  rcu.Online(0);
  rcu.Online(63);
  bool freed = false;
  rcu.Retire([&] { freed = true; });
  rcu.Quiescent(0);
  EXPECT_EQ(rcu.Reap(), 1u) << "reader 63 may still look";
  EXPECT_FALSE(freed);
  rcu.Quiescent(63);
  EXPECT_EQ(rcu.Reap(), 0u);
  EXPECT_TRUE(freed);
  rcu.Offline(0);
  rcu.Offline(63);
}

TEST(RcuTest, ReadersThatLeaveDoNotDelay) {
  Rcu rcu;
  rcu.Online(1);
  rcu.Retire([] {});
  rcu.Offline(1);
  EXPECT_EQ(rcu.Reap(), 0u);
}

TEST(RcuTest, WhatIsFreedMayRetireMore) {
  Rcu rcu;
  int freed = 0;
  rcu.Retire([&] {
    ++freed;
    rcu.Retire([&] { ++freed; });
  });
  rcu.Reap();
  rcu.Reap();
  EXPECT_EQ(freed, 2);
}

TEST(RcuTest, TheEndFreesTheRest) {
  bool freed = false;
  {
    Rcu rcu;
    rcu.Retire([&] { freed = true; });
  }
  EXPECT_TRUE(freed);
}

// A reader follows a pointer while a writer replaces and retires what it points to.
TEST(RcuTest, ReadersNeverSeeFreedMemory) {
  constexpr uint64_t kAlive = 0x600df00d;
  struct Value {
    std::atomic<uint64_t> mark{kAlive};
    ~Value() { mark = 0; }
  };
  Rcu rcu;
  auto owner = std::make_unique<Value>();
  std::atomic<Value*> current{owner.get()};
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    rcu.Online(5);
    while (!stop) {
      rcu.Quiescent(5);
      for (int i = 0; i < 10; ++i) ASSERT_EQ(current.load()->mark.load(), kAlive);
    }
    rcu.Offline(5);
  });
  for (int i = 0; i < 20000; ++i) {
    std::shared_ptr<Value> old = std::exchange(owner, std::make_unique<Value>());
    current = owner.get();
    rcu.Retire([old = std::move(old)] {});
    rcu.Reap();
  }
  stop = true;
  reader.join();
  rcu.Reap();
}

}  // namespace
}  // namespace bess
