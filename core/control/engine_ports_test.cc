// SPDX-License-Identifier: Apache-2.0
//
// On the driver of port_rpcs_test.cc.
#include "core/control/transact_testing.h"

namespace bess {
namespace {

class EnginePortsTest : public TransactTest {
 protected:
  size_t Ports() {
    size_t n = 0;
    engine_->ports().VisitAll([&](const Port&, const auto&) { ++n; });
    return n;
  }
};

TEST_F(EnginePortsTest, PortsComeAndGoWithTheModulesThatUseThem) {
  Operations up;
  up.CreatePort("p").Receive("in", "p");
  ASSERT_TRUE(Run(up).ok()) << problems_.front().status;
  ExpectError(engine_->DestroyPort("p"), EBUSY, "'in' receives");
  Operations down;
  down.Destroy("in").DestroyPort("p");
  ASSERT_TRUE(Run(down).ok()) << problems_.front().status;
  EXPECT_EQ(Ports(), 0u);
  EXPECT_EQ(State().ports_size(), 0);
}

TEST_F(EnginePortsTest, AFailureGivesTheDeviceBack) {
  Operations operations;
  operations.CreatePort("p").Receive("in", "p").Destroy("nobody");
  EXPECT_FALSE(Run(operations).ok());
  EXPECT_EQ(Ports(), 0u);
  Operations kept;
  kept.CreatePort("p").Receive("in", "p");
  ASSERT_TRUE(Run(kept).ok());
  Operations back;
  back.Destroy("in").DestroyPort("p").Receive("other", "p");
  ExpectError(Run(back), ENOENT, "any more");
  EXPECT_EQ(Ports(), 1u);
  Operations taken;
  taken.Receive("other", "p");
  ExpectError(Run(taken), EBUSY, "'in' receives");
}

TEST_F(EnginePortsTest, AModuleTakesOverFromTheOneItReplaces) {
  Operations operations;
  operations.CreatePort("p").Receive("in", "p").Create("sink", "TestSink").Connect("in", 0, "sink");
  ASSERT_TRUE(Run(operations).ok());
  Operations replace;
  replace.Destroy("in").Receive("in", "p").Connect("in", 0, "sink");
  ASSERT_TRUE(Run(replace).ok()) << problems_.front().status;
  Operations twice;
  twice.Destroy("in").Receive("a", "p").Receive("b", "p");
  ExpectError(Run(twice), EBUSY, "'a' receives");
  EXPECT_EQ(State().modules(0).name(), "in");
}

TEST_F(EnginePortsTest, SettingsAreTakenBack) {
  Operations operations;
  operations.CreatePort("p");
  ASSERT_TRUE(Run(operations).ok());
  const std::string before = StateBytes();
  Operations change;
  auto& request = *change->add_operations()->mutable_set_port_conf();
  request.set_name("p");
  request.mutable_conf()->set_mtu(4000);
  change.Destroy("nobody");
  EXPECT_FALSE(Run(change).ok());
  const auto mtu = [&] {
    uint32_t value = 0;
    EXPECT_TRUE(engine_->ports()
                    .Visit("p", [&](const Port& port, const auto&) { value = port.settings().mtu; })
                    .ok());
    return value;
  };
  EXPECT_EQ(mtu(), 1500u);
  EXPECT_EQ(StateBytes(), before);
  change->mutable_operations()->RemoveLast();
  ASSERT_TRUE(Run(change).ok());
  EXPECT_EQ(mtu(), 4000u);
  EXPECT_EQ(State().ports(0).conf().mtu(), 4000u);
}

}  // namespace
}  // namespace bess
