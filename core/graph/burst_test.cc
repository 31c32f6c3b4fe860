// SPDX-License-Identifier: Apache-2.0
#include "core/graph/burst.h"

#include <gmock/gmock.h>

namespace bess {
namespace {

TEST(BurstTest, IsAWholeBatchUntilItIsSet) {
  Burst burst;
  EXPECT_EQ(burst.Get(), kBatchSize);
  EXPECT_TRUE(burst.Set(0).ok());
  EXPECT_EQ(burst.Get(), 0u);
  EXPECT_TRUE(burst.Set(kBatchSize).ok());
}

TEST(BurstTest, RefusesMoreThanABatchAndKeepsItsOwn) {
  Burst burst;
  EXPECT_TRUE(burst.Set(7).ok());
  for (const uint64_t refused : {uint64_t{65}, (uint64_t{1} << 32) + 1, ~uint64_t{0}}) {
    const absl::Status status = burst.Set(refused);
    EXPECT_EQ(StatusErrno(status), EINVAL);
    EXPECT_EQ(status.message(), absl::StrCat("'burst' must be 0..64 packets, not ", refused));
  }
  EXPECT_EQ(burst.Get(), 7u);
}

}  // namespace
}  // namespace bess
