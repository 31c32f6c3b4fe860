// SPDX-License-Identifier: Apache-2.0
//
// A set of small integers (node ranks) with the smallest or largest found in a few instructions:
// bit words under summary words. The packet path asks it which node runs next.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bess {

class RankSet {
 public:
  // Holds ranks 0..capacity-1.
  explicit RankSet(size_t capacity = 0) {
    do {
      capacity = (capacity + 63) / 64;
      levels_.emplace_back(capacity == 0 ? 1 : capacity, 0);
    } while (capacity > 1);
  }

  bool empty() const { return levels_.back()[0] == 0; }

  void Insert(uint32_t rank) {
    for (auto& level : levels_) {
      const uint64_t before = level[rank / 64];
      level[rank / 64] = before | (uint64_t{1} << (rank % 64));
      if (before != 0) return;
      rank /= 64;
    }
  }

  void Erase(uint32_t rank) {
    for (auto& level : levels_) {
      uint64_t& word = level[rank / 64];
      word &= ~(uint64_t{1} << (rank % 64));
      if (word != 0) return;
      rank /= 64;
    }
  }

  // The set must not be empty.
  uint32_t Min() const {
    return Descend([](uint64_t word) { return std::countr_zero(word); });
  }
  uint32_t Max() const {
    return Descend([](uint64_t word) { return 63 - std::countl_zero(word); });
  }

 private:
  template <typename Pick>
  uint32_t Descend(Pick pick) const {
    uint32_t rank = 0;
    for (size_t i = levels_.size(); i-- > 0;) {
      rank = rank * 64 + static_cast<uint32_t>(pick(levels_[i][rank]));
    }
    return rank;
  }

  std::vector<std::vector<uint64_t>> levels_;
};

}  // namespace bess
