// SPDX-License-Identifier: Apache-2.0
//
// What can be tested without a card that has the rules.
#include "core/port/pmd_flow.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/port/pmd_device.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

TEST(PmdFlowTest, KnowsTheInterfacesOfAUpf) {
  for (const uint32_t profile : {3u, 6u, 9u}) EXPECT_TRUE(IsFlowProfile(profile));
  for (const uint32_t profile : {0u, 4u, 10u, ~0u}) EXPECT_FALSE(IsFlowProfile(profile));
}

TEST(PmdFlowTest, SaysWhyADeviceCannot) {
  const auto device = PmdDevice::OpenVdev("net_null0", "test");
  ASSERT_TRUE(device.ok()) << device.status();
  std::vector<rte_flow*> rules;
  for (const uint32_t profile : {3u, 6u, 9u}) {
    const absl::Status status = InstallFlowProfile((*device)->id(), profile, 1, &rules);
    EXPECT_EQ(StatusErrno(status), ENOTSUP) << status;
  }
  EXPECT_EQ(StatusErrno(InstallFlowProfile((*device)->id(), 5, 1, &rules)), EINVAL);
  EXPECT_TRUE(rules.empty());
}

}  // namespace
}  // namespace bess
