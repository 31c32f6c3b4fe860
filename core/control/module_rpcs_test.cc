// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

class ModuleRpcsTest : public EngineTest {
 protected:
  pb::GetModuleInfoResponse Info(const std::string& name) {
    pb::GetModuleInfoRequest request;
    pb::GetModuleInfoResponse info;
    request.set_name(name);
    EXPECT_TRUE(rpc::GetModuleInfo(*engine_, request, &info).ok());
    return info;
  }
};

TEST_F(ModuleRpcsTest, ClassesAreListedAndDescribed) {
  pb::ListMclassResponse list;
  ASSERT_TRUE(rpc::ListMclass(*engine_, {}, &list).ok());
  EXPECT_NE(std::find(list.names().begin(), list.names().end(), "TestPass"), list.names().end());
  pb::GetMclassInfoRequest request;
  pb::GetMclassInfoResponse info;
  request.set_name("TestPass");
  ASSERT_TRUE(rpc::GetMclassInfo(*engine_, request, &info).ok());
  EXPECT_EQ(info.help(), "passes packets on");
  ASSERT_EQ(info.cmds_size(), 1);
  EXPECT_EQ(info.cmds(0), "get_initial_arg");
  EXPECT_EQ(info.cmd_args(0), "EmptyArg");
  request.set_name("Nonsense");
  ExpectError(rpc::GetMclassInfo(*engine_, request, &info), ENOENT, "'Nonsense'");
  request.clear_name();
  ExpectError(rpc::GetMclassInfo(*engine_, request, &info), EINVAL, "name");
}

TEST_F(ModuleRpcsTest, DeadEndsAreNotCutTo32Bits) {
  Create("pass", "TestPass");
  constexpr uint64_t kMany = uint64_t{5} << 32;
  module("pass").ledger(1).dropped[static_cast<size_t>(DropReason::kDeadEnd)].Add(kMany);
  EXPECT_EQ(Info("pass").deadends(), kMany);
}

TEST_F(ModuleRpcsTest, BuildsLooksAtAndTearsDown) {
  pb::CreateModuleRequest create;
  pb::CreateModuleResponse created;
  create.set_mclass("TestPass");
  ASSERT_TRUE(rpc::CreateModule(*engine_, create, &created).ok());
  EXPECT_EQ(created.name(), "test_pass0");
  Create("sink", "TestSink");
  pb::ConnectModulesRequest connect;
  pb::EmptyResponse done;
  connect.set_m1("test_pass0");
  connect.set_m2("sink");
  connect.set_ogate(2);
  connect.set_igate(5);
  ASSERT_TRUE(rpc::ConnectModules(*engine_, connect, &done).ok());
  pb::ListModulesResponse list;
  ASSERT_TRUE(rpc::ListModules(*engine_, {}, &list).ok());
  ASSERT_EQ(list.modules_size(), 2);
  EXPECT_EQ(list.modules(1).mclass(), "TestPass");
  const auto sink = Info("sink");
  ASSERT_EQ(sink.igates_size(), 1);
  EXPECT_EQ(sink.igates(0).igate(), 5u);
  EXPECT_EQ(sink.igates(0).ogates(0).name(), "test_pass0");
  const auto pass = Info("test_pass0");
  ASSERT_EQ(pass.ogates_size(), 1);
  EXPECT_EQ(pass.ogates(0).ogate(), 2u);
  EXPECT_EQ(pass.ogates(0).igate(), 5u);
  EXPECT_EQ(pass.ogates(0).gatehooks(0).class_name(), "Track");
  pb::DisconnectModulesRequest disconnect;
  disconnect.set_name("test_pass0");
  disconnect.set_ogate(2);
  ASSERT_TRUE(rpc::DisconnectModules(*engine_, disconnect, &done).ok());
  EXPECT_EQ(Info("test_pass0").ogates_size(), 0);
  pb::DestroyModuleRequest destroy;
  destroy.set_name("sink");
  ASSERT_TRUE(rpc::DestroyModule(*engine_, destroy, &done).ok());
  ASSERT_TRUE(rpc::ResetModules(*engine_, {}, &done).ok());
  list.Clear();
  ASSERT_TRUE(rpc::ListModules(*engine_, {}, &list).ok());
  EXPECT_EQ(list.modules_size(), 0);
}

TEST_F(ModuleRpcsTest, CountersComeFromTrack) {
  StartChain();
  ASSERT_TRUE(engine_->PauseAll().ok());
  const auto info = Info("pass");
  EXPECT_EQ(info.ogates(0).pkts(), Consumed());
  EXPECT_GT(info.ogates(0).cnt(), 0u);
  EXPECT_GT(info.ogates(0).timestamp(), 0.0);
}

TEST_F(ModuleRpcsTest, CommandsAnswer) {
  Create("pass", "TestPass");
  pb::CommandRequest request;
  pb::CommandResponse response;
  request.set_name("pass");
  request.set_cmd("get_initial_arg");
  ASSERT_TRUE(rpc::ModuleCommand(*engine_, request, &response).ok());
  EXPECT_FALSE(response.has_error());
  request.set_cmd("dance");
  ExpectError(rpc::ModuleCommand(*engine_, request, &response), ENOTSUP, "'dance'");
}

}  // namespace
}  // namespace bess
