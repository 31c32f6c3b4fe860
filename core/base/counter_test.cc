// SPDX-License-Identifier: Apache-2.0
#include "core/base/counter.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

TEST(CounterTest, Adds) {
  Counter counter;
  counter.Add(3);
  counter.Add(4);
  EXPECT_EQ(counter.Get(), 7u);
}

TEST(PerWorkerTest, CellsAreMadeOnDemandAndKept) {
  PerWorker<Counter> cells;
  cells.At(0).Add(1);
  cells.At(63).Add(2);
  cells.At(kControlCell).Add(4);
  EXPECT_EQ(&cells.At(63), &cells.At(63));
  uint64_t sum = 0;
  int count = 0;
  cells.ForEach([&](const Counter& counter) {
    sum += counter.Get();
    ++count;
  });
  EXPECT_EQ(sum, 7u);
  EXPECT_EQ(count, 3);
}

TEST(PerWorkerTest, CellsShareNoCacheLine) {
  PerWorker<Counter> cells;
  const auto a = reinterpret_cast<uintptr_t>(&cells.At(0));
  const auto b = reinterpret_cast<uintptr_t>(&cells.At(1));
  EXPECT_NE(a / 64, b / 64);
}

}  // namespace
}  // namespace bess
