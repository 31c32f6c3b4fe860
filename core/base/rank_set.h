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
    while (capacity > 64) {
      capacity = (capacity + 63) / 64;
      levels_.emplace_back(capacity, 0);
    }
  }

  bool empty() const { return top_ == 0; }

  void Insert(uint32_t rank) {
    for (auto& level : levels_) {
      const uint64_t before = level[rank / 64];
      level[rank / 64] = before | (uint64_t{1} << (rank % 64));
      if (before != 0) return;
      rank /= 64;
    }
    top_ |= uint64_t{1} << rank;
  }

  void Erase(uint32_t rank) {
    for (auto& level : levels_) {
      uint64_t& word = level[rank / 64];
      word &= ~(uint64_t{1} << (rank % 64));
      if (word != 0) return;
      rank /= 64;
    }
    top_ &= ~(uint64_t{1} << rank);
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
    auto rank = static_cast<uint32_t>(pick(top_));
    for (size_t i = levels_.size(); i-- > 0;) {
      rank = rank * 64 + static_cast<uint32_t>(pick(levels_[i][rank]));
    }
    return rank;
  }

  std::vector<std::vector<uint64_t>> levels_;  // the lowest first
  uint64_t top_ = 0;  // not in a vector: whether it is 0 is asked at every hop
};

}  // namespace bess
