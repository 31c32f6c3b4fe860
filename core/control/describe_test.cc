// SPDX-License-Identifier: Apache-2.0
#include "core/control/describe.h"

#include "gtest/gtest.h"

namespace bess {
namespace {

TEST(DescribeTest, ClassesSayOnlyWhatTheirPolicyHas) {
  TrafficClass limit, turns;
  limit.params = {TcPolicy::kRateLimit, TcResource::kBit, 1000, 10};
  limit.place.parent = "top";
  limit.place.share = 3;
  turns.params = {TcPolicy::kRoundRobin, TcResource::kBit, 1000, 10};
  turns.place.worker = 2;
  Configuration all;
  DescribeClass("limit", limit, &all);
  DescribeClass("turns", turns, &all);
  const native::Class& first = all.at("classes/limit").class_();
  EXPECT_EQ(first.ShortDebugString(),
            "name: \"limit\" policy: \"rate_limit\" resource: \"bit\" limit: 1000 max_burst: 10 "
            "parent: \"top\" share: 3");
  EXPECT_EQ(all.at("classes/turns").class_().ShortDebugString(),
            "name: \"turns\" policy: \"round_robin\" worker: 2");
}

TEST(DescribeTest, OnlyWorkerZeroIsAutomatic) {
  Configuration all;
  DescribeWorkers({{0, 3}, {1, 2}}, true, &all);
  EXPECT_TRUE(all.at("workers/0").worker().automatic());
  EXPECT_FALSE(all.at("workers/1").worker().automatic());
  EXPECT_EQ(all.at("workers/1").worker().core(), 2);
}

}  // namespace
}  // namespace bess
