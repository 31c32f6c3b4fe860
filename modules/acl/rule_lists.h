// SPDX-License-Identifier: Apache-2.0
//
// Short lists of rules; of a list, sixteen rules at once are compared with a key.
//
// A list is a row of groups, and a group a row of cache lines with a lane for each rule: one line
// of the rules' numbers and, for each 32 bits of a key that some rule of the list looks at, one of
// values and one of masks. Behind the last rule is at least one lane that every key matches, with
// kNoRule, so a search needs nothing else to know where a list ends.
#pragma once

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/base/bytes.h"
#include "core/base/word_vector.h"
#include "modules/acl/rule.h"

namespace bess {

class RuleLists {
 public:
  static constexpr uint32_t kNoRule = UINT32_MAX;
  static constexpr uint32_t kLanes = 16;
  struct Entry {
    AclPattern pattern;
    uint32_t rule;
  };

  // Returns the list's number; the first one's is 0.
  uint32_t Add(absl::Span<const Entry> entries);

  // The first rule of a list that matches the key, or kNoRule.
  uint32_t First(uint32_t list, const AclKey& key) const;

 private:
  static constexpr uint32_t kWords = 2 * AclKey::kWords;
  static constexpr uint32_t kLanesAtOnce = kVectorBytes / 4;
  static constexpr uint32_t kVectors = kLanes / kLanesAtOnce;
  typedef uint32_t Vector __attribute__((vector_size(kVectorBytes)));
  struct alignas(64) Line {
    std::array<uint32_t, kLanes> lanes{};

    Vector vector(uint32_t i) const { return LoadUnaligned<Vector>(&lanes[i * kLanesAtOnce]); }
  };
  struct List {
    uint32_t line = 0;   // its first one
    uint32_t words = 0;  // a bit for each 32 bits of a key
  };

  static uint32_t WordOf(const AclKey& key, uint32_t word) {
    return static_cast<uint32_t>(key.words[word / 2] >> 32 * (word % 2));
  }
  // A bit for each lane that is zero.
  static uint32_t ZerosIn(Vector lanes);
  void AddGroup(absl::Span<const Entry> entries, uint32_t words);

  std::vector<List> lists_;
  std::vector<Line> lines_;
};

inline uint32_t RuleLists::ZerosIn(Vector lanes) {
#ifdef __AVX2__
  return static_cast<uint32_t>(_mm256_movemask_ps(std::bit_cast<__m256>(lanes == 0)));
#else
  return static_cast<uint32_t>(_mm_movemask_ps(std::bit_cast<__m128>(lanes == 0)));
#endif
}

inline uint32_t RuleLists::First(uint32_t list, const AclKey& key) const {
  for (const Line* at = &lines_[lists_[list].line];;) {
    const Line& rules = *at++;
    Vector differences[kVectors] = {};
    for (uint32_t words = lists_[list].words; words != 0; words &= words - 1, at += 2) {
      const uint32_t word = WordOf(key, static_cast<uint32_t>(std::countr_zero(words)));
      for (uint32_t i = 0; i < kVectors; ++i) {
        differences[i] |= (at[0].vector(i) ^ word) & at[1].vector(i);
      }
    }
    uint32_t match = 0;
    for (uint32_t i = 0; i < kVectors; ++i) match |= ZerosIn(differences[i]) << i * kLanesAtOnce;
    if (match != 0) return rules.lanes[static_cast<size_t>(std::countr_zero(match))];
  }
}

}  // namespace bess
