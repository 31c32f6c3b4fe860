// SPDX-License-Identifier: Apache-2.0
#include "core/base/histogram.h"

#include <cmath>

namespace bess {

void HistogramSum::Add(const Histogram& histogram) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += histogram.buckets_[i].Get();
  above_ += histogram.above_.Get();
  total_ += histogram.total_.Get();
}

void HistogramSum::Subtract(const HistogramSum& earlier) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] -= earlier.buckets_[i];
  above_ -= earlier.above_;
  total_ -= earlier.total_;
}

HistogramSummary HistogramSum::Summarize(const std::vector<double>& percentiles) const {
  HistogramSummary summary;
  summary.above = summary.count = above_;
  for (const uint64_t n : buckets_) summary.count += n;
  summary.total = total_;
  if (summary.count == 0) {
    summary.percentiles.resize(percentiles.size());
    return summary;
  }
  summary.average = total_ / summary.count;

  // Numbers above the last bucket are all in one more, behind it.
  uint64_t seen = 0;
  for (size_t i = 0; i <= buckets_.size(); ++i) {
    const uint64_t n = i < buckets_.size() ? buckets_[i] : above_;
    if (n == 0) continue;
    if (seen == 0) summary.min = LowerEnd(i);
    summary.max = LowerEnd(i);
    seen += n;
    while (summary.percentiles.size() < percentiles.size()) {
      const double share = percentiles[summary.percentiles.size()] / 100;
      if (static_cast<double>(seen) < std::ceil(share * static_cast<double>(summary.count))) break;
      summary.percentiles.push_back(LowerEnd(i));
    }
  }
  return summary;
}

}  // namespace bess
