// SPDX-License-Identifier: Apache-2.0
#include "core/base/histogram.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/base/random.h"

namespace bess {
namespace {

using testing::ElementsAre;

Histogram& Filled(Histogram& histogram, const std::vector<uint64_t>& numbers) {
  for (const uint64_t number : numbers) histogram.Add(number);
  return histogram;
}

HistogramSummary Summarize(size_t buckets, uint64_t width, const std::vector<uint64_t>& numbers,
                           const std::vector<double>& percentiles = {}) {
  Histogram histogram;
  histogram.Reset(buckets, width);
  HistogramSum sum(buckets, width);
  sum.Add(Filled(histogram, numbers));
  return sum.Summarize(percentiles);
}

TEST(HistogramTest, AnEmptyOneSaysNothing) {
  const HistogramSummary summary = Summarize(10, 10, {}, {0, 50, 100});
  EXPECT_EQ(summary.count, 0u);
  EXPECT_EQ(summary.average, 0u);
  EXPECT_THAT(summary.percentiles, ElementsAre(0, 0, 0));
}

TEST(HistogramTest, ABucketBeginsAtAMultipleOfItsWidth) {
  for (const uint64_t width : {1u, 2u, 3u, 7u, 10u, 100u, 1000u, 4294967295u}) {
    for (const uint64_t i : {0u, 1u, 2u, 98u, 99u}) {
      EXPECT_EQ(Summarize(100, width, {i * width}).min, i * width) << width;
      EXPECT_EQ(Summarize(100, width, {i * width + width - 1}).min, i * width) << width;
    }
    const HistogramSummary above = Summarize(100, width, {100 * width});
    EXPECT_EQ(above.above, 1u) << width;
    EXPECT_EQ(above.max, 100 * width);
  }
}

TEST(HistogramTest, EveryNumberInRangeIsInItsBucket) {
  Random random;
  for (int i = 0; i < 100000; ++i) {
    const uint64_t width = 1 + random.Below(1000000);
    const uint64_t number = random.Below(50 * width);
    ASSERT_EQ(Summarize(50, width, {number}).min, number / width * width) << number;
  }
}

TEST(HistogramTest, TakesAnyNumber) {
  const HistogramSummary summary = Summarize(4, 1, {~uint64_t{0}, uint64_t{1} << 63, 3});
  EXPECT_EQ(summary.count, 3u);
  EXPECT_EQ(summary.above, 2u);
  EXPECT_EQ(summary.min, 3u);
  EXPECT_EQ(summary.max, 4u);
}

TEST(HistogramTest, SummarizesWhatItCounted) {
  const HistogramSummary summary = Summarize(10, 10, {5, 15, 15, 99, 100, 1000}, {0, 50, 90, 100});
  EXPECT_EQ(summary.count, 6u);
  EXPECT_EQ(summary.above, 2u);
  EXPECT_EQ(summary.min, 0u);
  EXPECT_EQ(summary.max, 100u);
  EXPECT_EQ(summary.total, 1234u);
  EXPECT_EQ(summary.average, 205u);
  EXPECT_THAT(summary.percentiles, ElementsAre(0, 10, 100, 100));
}

TEST(HistogramTest, PercentilesAreThoseOfTheSortedNumbers) {
  Random random;
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 999; ++i) numbers.push_back(random.Below(500));
  const std::vector<double> percentiles = {0, 1, 25, 50, 75, 90, 99, 99.9, 100};
  const HistogramSummary summary = Summarize(500, 1, numbers, percentiles);
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < percentiles.size(); ++i) {
    const double rank = std::max(1.0, std::ceil(percentiles[i] / 100 * 999));
    EXPECT_EQ(summary.percentiles[i], numbers[static_cast<size_t>(rank) - 1]) << percentiles[i];
  }
}

TEST(HistogramTest, SumsAndDifferencesAreAsIfCountedAtOnce) {
  Histogram one, other;
  one.Reset(10, 1);
  other.Reset(10, 1);
  HistogramSum earlier(10, 1), now(10, 1);
  earlier.Add(Filled(one, {1, 2, 30}));
  now.Add(Filled(one, {3, 40}));
  now.Add(Filled(other, {5}));
  now.Subtract(earlier);
  const HistogramSummary summary = now.Summarize({});
  EXPECT_EQ(summary.count, 3u);
  EXPECT_EQ(summary.above, 1u);
  EXPECT_EQ(summary.min, 3u);
  EXPECT_EQ(summary.total, 48u);
}

TEST(HistogramTest, LosesNothingBetweenReadings) {
  constexpr uint64_t kNumbers = 200000;
  Histogram histogram;
  histogram.Reset(10, 1);
  std::thread writer([&] {
    for (uint64_t i = 0; i < kNumbers; ++i) histogram.Add(i % 12);
  });
  HistogramSum last(10, 1);
  uint64_t counted = 0;
  while (counted < kNumbers) {
    HistogramSum now(10, 1);
    now.Add(histogram);
    HistogramSum since = now;
    since.Subtract(last);
    counted += since.Summarize({}).count;
    last = now;
  }
  writer.join();
  EXPECT_EQ(counted, kNumbers);
}

}  // namespace
}  // namespace bess
