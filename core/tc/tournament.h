// SPDX-License-Identifier: Apache-2.0
//
// The least of many keys, found like a cup winner: each match keeps the lesser of two, and when
// one key changes only the matches on its way to the final are played again. That way is the same
// whatever the keys are, so there is no branch to predict, which makes it faster here than a heap,
// and any key may change at any time. Who takes part alone has won: its matches are played when
// somebody else comes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bess {

template <typename T>
class Tournament {
 public:
  // The key of who does not take part; all others are less.
  static constexpr uint64_t kOut = uint64_t{1} << 63;

  // All are out. Of equal keys the lowest slot wins.
  explicit Tournament(const std::vector<T>& entrants)
      : leaves_(std::bit_ceil(entrants.size() + (entrants.empty() ? 1 : 0))),
        matches_(2 * leaves_) {
    for (size_t i = 0; i < entrants.size(); ++i) matches_[leaves_ + i].entrant = entrants[i];
    Clear();
  }

  // All are out again.
  void Clear() {
    for (size_t i = leaves_; i < matches_.size(); ++i) matches_[i].key = kOut;
    for (size_t i = leaves_; i-- > 1;) matches_[i] = matches_[2 * i];
    taking_part_ = 0;
    alone_ = 0;
  }

  void Set(uint32_t slot, uint64_t key) {
    const size_t at = leaves_ + slot;
    taking_part_ += (key != kOut) - (matches_[at].key != kOut);
    const Match winner = {key, matches_[at].entrant};
    matches_[at] = winner;
    if (taking_part_ == 1 && key != kOut) {
      matches_[1] = winner;
      alone_ = at;
      return;
    }
    if (alone_ != 0 && alone_ != at) Play(alone_, matches_[alone_]);
    alone_ = 0;
    Play(at, winner);
  }

  uint64_t key(uint32_t slot) const { return matches_[leaves_ + slot].key; }
  // kOut when nobody takes part.
  uint64_t top_key() const { return matches_[1].key; }
  T top() const { return matches_[1].entrant; }
  bool any() const { return top_key() != kOut; }

 private:
  struct Match {
    uint64_t key = kOut;
    T entrant{};
  };

  // All matches on the way of one entrant.
  void Play(size_t at, Match winner) {
    for (; at > 1; at >>= 1) {
      const Match& rival = matches_[at ^ 1];
      // Compilers make a branch of a conditional here; to take the lesser from a pair needs none.
      const Match pair[2] = {winner, rival};
      winner = pair[rival.key < winner.key + (at & 1)];
      matches_[at >> 1] = winner;
    }
  }

  size_t leaves_;
  std::vector<Match> matches_;  // the final is 1, the entrants are leaves_ and up
  size_t taking_part_ = 0;
  size_t alone_ = 0;  // who took part alone when it was set last; its way holds old keys
};

}  // namespace bess
