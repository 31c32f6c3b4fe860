// SPDX-License-Identifier: Apache-2.0
//
// Histograms of times: the packet path counts, one writer a histogram and without a lock; the
// control plane adds up what several writers counted, subtracts what was there at some earlier
// moment, and draws conclusions. Nothing is ever set back, so no sample gets lost.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "core/base/counter.h"

namespace bess {

// Numbers from 0 in buckets of equal width, and how many lay above the last bucket.
class Histogram {
 public:
  // Forgets everything. `width` is 1 or more. Before any writer.
  void Reset(size_t buckets, uint64_t width) {
    buckets_ = std::vector<Counter>(buckets);
    shift_ = 63 + std::bit_width(width - 1);
    reciprocal_ = static_cast<uint64_t>((Wide{1} << shift_) / width + 1);
  }

  // Thread: the one writer.
  void Add(uint64_t number) {
    total_.Add(number);
    const Wide bucket = static_cast<Wide>(number) * reciprocal_ >> shift_;
    (bucket < buckets_.size() ? buckets_[static_cast<size_t>(bucket)] : above_).Add(1);
  }

 private:
  friend class HistogramSum;

  using Wide = unsigned __int128;

  std::vector<Counter> buckets_;
  // A division would take ten times as long as the product with the reciprocal of the width. That
  // is rounded up in its 64th bit: the quotients of numbers below 2^63 are exact.
  uint64_t reciprocal_ = 0;  // times 2^shift_
  int shift_ = 0;
  Counter above_;
  Counter total_;
};

// What a sum of histograms says. Numbers are given as the lower end of their bucket; those above
// the last bucket count as its upper end.
struct HistogramSummary {
  uint64_t count = 0;
  uint64_t above = 0;  // of these, how many were above the last bucket
  uint64_t min = 0;
  uint64_t average = 0;
  uint64_t max = 0;
  uint64_t total = 0;                 // of the numbers themselves, not their buckets
  std::vector<uint64_t> percentiles;  // as asked for
};

class HistogramSum {
 public:
  HistogramSum(size_t buckets, uint64_t width) : buckets_(buckets), width_(width) {}

  // The other must have as many buckets of the same width; its writer may go on meanwhile.
  void Add(const Histogram& histogram);
  void Subtract(const HistogramSum& earlier);

  // A percentile, 0..100, is the smallest number that so many of all do not exceed. They must rise.
  HistogramSummary Summarize(const std::vector<double>& percentiles) const;

 private:
  uint64_t LowerEnd(size_t bucket) const { return bucket * width_; }

  std::vector<uint64_t> buckets_;
  uint64_t width_;
  uint64_t above_ = 0;
  uint64_t total_ = 0;
};

}  // namespace bess
