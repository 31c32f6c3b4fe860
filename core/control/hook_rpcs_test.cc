// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

class HookRpcsTest : public EngineTest {
 protected:
  pb::ListGateHooksResponse List() {
    pb::ListGateHooksResponse list;
    EXPECT_TRUE(rpc::ListGateHooks(*engine_, {}, &list).ok());
    return list;
  }
};

TEST_F(HookRpcsTest, TrackIsDescribed) {
  pb::ListGateHookClassResponse list;
  ASSERT_TRUE(rpc::ListGateHookClass(*engine_, {}, &list).ok());
  EXPECT_THAT(list.names(), testing::Contains("Track"));
  pb::GetGateHookClassInfoRequest request;
  pb::GetGateHookClassInfoResponse info;
  request.set_name("Track");
  ASSERT_TRUE(rpc::GetGateHookClassInfo(*engine_, request, &info).ok());
  EXPECT_EQ(info.cmds(0), "reset");
  request.set_name("Nonsense");
  ExpectError(rpc::GetGateHookClassInfo(*engine_, request, &info), ENOENT, "'Nonsense'");
}

TEST_F(HookRpcsTest, HooksAreConfiguredListedAndCommanded) {
  StartChain();
  EXPECT_EQ(List().hooks_size(), 2) << "one Track a connection";
  pb::ConfigureGateHookRequest request;
  pb::ConfigureGateHookResponse response;
  auto& hook = *request.mutable_hook();
  hook.set_class_name("Track");
  hook.set_module_name("pass");
  hook.set_igate(-1);
  request.set_enable(true);
  pb::TrackArg bits;
  bits.set_bits(true);
  hook.mutable_arg()->PackFrom(bits);
  ASSERT_TRUE(rpc::ConfigureGateHook(*engine_, request, &response).ok());
  EXPECT_FALSE(response.name().empty());
  const auto list = List();
  ASSERT_EQ(list.hooks_size(), 3);
  EXPECT_EQ(list.hooks(0).igate(), 0);
  EXPECT_EQ(list.hooks(0).hook_name(), response.name());
  EXPECT_TRUE(list.hooks(0).has_arg());
  pb::GateHookCommandRequest command;
  pb::CommandResponse done;
  *command.mutable_hook() = hook;
  command.mutable_hook()->clear_arg();
  command.set_cmd("reset");
  EXPECT_TRUE(rpc::GateHookCommand(*engine_, command, &done).ok());
  request.set_enable(false);
  ASSERT_TRUE(rpc::ConfigureGateHook(*engine_, request, &response).ok());
  EXPECT_EQ(List().hooks_size(), 2);
}

TEST_F(HookRpcsTest, BadGatesAreRefused) {
  StartChain();
  pb::ConfigureGateHookRequest request;
  pb::ConfigureGateHookResponse response;
  request.mutable_hook()->set_class_name("Track");
  request.mutable_hook()->set_ogate(-2);
  request.set_enable(true);
  ExpectError(rpc::ConfigureGateHook(*engine_, request, &response), EINVAL, "-2");
}

}  // namespace
}  // namespace bess
