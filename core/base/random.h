// SPDX-License-Identifier: Apache-2.0
//
// Random numbers for the packet path: a few cycles each, good enough for statistics, predictable
// for whoever knows the seed.
//
//   WorkerRandoms randoms_;                                  // in the module
//   randoms_.Seed(name());                                   // in Init
//   Random random = randoms_.At(context.worker());           // in Process: a copy in registers
//   ... random.Below(6) ...
//   randoms_.At(context.worker()) = random;
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/counter.h"

namespace bess {

// Wang Yi's wyrand: a counter, scrambled by one wide multiplication.
class Random {
 public:
  explicit Random(uint64_t seed = 0) : state_(seed) {}

  // 0..2^64-1.
  uint64_t Next() {
    state_ += 0xa0761d6478bd642f;
    const Wide product = static_cast<Wide>(state_) * (state_ ^ 0xe7037ed1a0b428db);
    return static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
  }
  // 0..n-1, for n of at least 1. A number is at most one in 2^64 / n more likely than another.
  uint64_t Below(uint64_t n) { return static_cast<uint64_t>(static_cast<Wide>(Next()) * n >> 64); }

 private:
  using Wide = unsigned __int128;

  uint64_t state_;
};

// Something that happens with a probability, 0..1 with both ends exact.
class Chance {
 public:
  explicit Chance(double probability = 0) : threshold_(static_cast<uint64_t>(probability * kOne)) {}

  bool Happens(Random& random) const { return random.Next() >> 1 < threshold_; }

 private:
  static constexpr double kOne = 9223372036854775808.0;  // 2^63

  uint64_t threshold_;
};

// A generator for each worker, on cache lines of their own.
class WorkerRandoms {
 public:
  // The same name gives the same numbers, and no two workers the same. Thread: control, before any
  // worker.
  void Seed(std::string_view name) {
    uint64_t seed = 0;
    for (const char c : name) seed = Random(seed ^ static_cast<uint8_t>(c)).Next();
    Random seeds(seed);
    for (Cell& cell : cells_) cell.random = Random(seeds.Next());
  }
  // Thread: that worker.
  Random& At(uint32_t worker) { return cells_[worker].random; }

 private:
  struct alignas(64) Cell {
    Random random;
  };
  std::array<Cell, kMaxWorkers + 1> cells_;
};

}  // namespace bess
