// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/mappings.h"

#include <gtest/gtest.h>

namespace bess::nat {
namespace {

Endpoint Inside(uint16_t port, Protocol protocol = Protocol::kTcp) {
  return Endpoint(Be32(0x0a000001), Be16(port), protocol);
}

class MappingsTest : public testing::Test {
 protected:
  explicit MappingsTest(uint32_t max_flows = FlowTable::kMaxFlows)
      : mappings_({{0xc0000201, {{5000, 5010}}}}, max_flows, 1) {
    mappings_.SetNow(0, 100);
  }

  Flow* Begin(Endpoint inside) { return mappings_.Begin(inside, why_not_); }
  Flow* Find(Endpoint inside) {
    return mappings_.FindInside(inside, mappings_.table().Hash(inside));
  }
  Flow* Use(Endpoint inside) { return mappings_.Use(inside, mappings_.table().Hash(inside)); }

  Mappings mappings_;
  DropReason why_not_ = DropReason::kNumReasons;
};

TEST_F(MappingsTest, PortsOfOneProtocolRunOut) {
  for (uint16_t port = 0; port < 10; ++port) EXPECT_NE(Begin(Inside(port)), nullptr);
  EXPECT_EQ(Begin(Inside(10)), nullptr);
  EXPECT_EQ(why_not_, DropReason::kPortsExhausted);
  EXPECT_NE(Begin(Inside(10, Protocol::kUdp)), nullptr);
  EXPECT_EQ(mappings_.flows(), 11u);
  mappings_.SetNow(kIdleTimeout + 1, 4);
  EXPECT_EQ(mappings_.flows(), 7u);
}

class SmallMappingsTest : public MappingsTest {
 protected:
  SmallMappingsTest() : MappingsTest(3) {}
};

TEST_F(SmallMappingsTest, TheTableIsFull) {
  for (uint16_t port = 0; port < 3; ++port) EXPECT_NE(Begin(Inside(port)), nullptr);
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
    EXPECT_EQ(Begin(Inside(3, protocol)), nullptr);
    EXPECT_EQ(why_not_, DropReason::kTableFull);
  }
  mappings_.SetNow(kIdleTimeout + 1, 1);
  EXPECT_NE(Begin(Inside(3)), nullptr);
}

// A flow that expired while the wheel was late is dead to the outside, and begins anew when it is
// used: with the timeout of a new flow.
TEST_F(MappingsTest, AnExpiredFlowBeginsAnew) {
  Flow* flow = Begin(Inside(1));
  mappings_.FollowTcp(*flow, kTcpFin, From::kInside);
  mappings_.FollowTcp(*flow, kTcpFin, From::kOutside);
  EXPECT_TRUE(flow->closing);
  mappings_.SetNow(kIdleTimeout, 0);
  EXPECT_EQ(Find(Inside(1)), nullptr);
  EXPECT_EQ(mappings_.FindOutside(flow->outside, mappings_.table().Hash(flow->outside)), nullptr);
  EXPECT_EQ(Use(Inside(1)), flow);
  EXPECT_FALSE(flow->closing);
  mappings_.FollowTcp(*flow, kTcpFin, From::kOutside);
  EXPECT_FALSE(flow->closing) << "the FIN of the dead flow must not count";
  mappings_.SetNow(2 * kIdleTimeout, 100);
  EXPECT_EQ(Find(Inside(1)), flow);
  mappings_.SetNow(2 * kIdleTimeout + 1, 100);
  EXPECT_EQ(Use(Inside(1)), nullptr);
}

}  // namespace
}  // namespace bess::nat
