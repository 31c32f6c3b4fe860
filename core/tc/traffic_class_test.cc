// SPDX-License-Identifier: Apache-2.0
#include "core/tc/traffic_class.h"

#include <gtest/gtest.h>

#include "core/base/status.h"

namespace bess {
namespace {

TEST(TrafficClassTest, PoliciesAndResourcesAreCalledAsClientsCallThem) {
  for (const std::string text :
       {"priority", "weighted_fair", "round_robin", "rate_limit", "leaf"}) {
    const auto policy = ParseTcPolicy(text);
    ASSERT_TRUE(policy.ok());
    EXPECT_EQ(Name(*policy), text);
  }
  for (const std::string text : {"count", "cycle", "packet", "bit"}) {
    const auto resource = ParseTcResource(text);
    ASSERT_TRUE(resource.ok());
    EXPECT_EQ(Name(*resource), text);
  }
}

TEST(TrafficClassTest, UnknownWordsAreNamedWithWhatIsPossible) {
  const absl::Status policy = ParseTcPolicy("fair").status();
  EXPECT_EQ(StatusErrno(policy), EINVAL);
  EXPECT_EQ(policy.message(),
            "'policy' must be one of 'priority', 'weighted_fair', 'round_robin', 'rate_limit', "
            "'leaf', not 'fair'");
  EXPECT_EQ(StatusErrno(ParseTcResource("").status()), EINVAL);
}

TEST(TrafficClassTest, ReservedNames) {
  EXPECT_EQ(LeafName("source0", 3), "!leaf_source0:3");
  EXPECT_EQ(DefaultRootName(7), "!default_rr_7");
}

}  // namespace
}  // namespace bess
