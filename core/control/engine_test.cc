// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine.h"

#include <thread>

#include "absl/synchronization/notification.h"
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

// Takes as long to make as the test wants: an edit that does not end.
class TestSlow final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestSlow", .help = "takes its time", .ogates = 0};

  absl::Status Init(const pb::EmptyArg&) {
    made.Notify();
    go_on.WaitForNotification();
    return absl::OkStatus();
  }
  void Process(Context&, Batch&) {}

  static inline absl::Notification made, go_on;
};

REGISTER_MODULE(TestSlow);
REGISTER_MODULE(TestSource);
REGISTER_MODULE(TestPass);
REGISTER_MODULE(TestSingle);
REGISTER_MODULE(TestSink);
REGISTER_MODULE(TestFarAway);
REGISTER_MODULE(TestBox);

TEST_F(EngineTest, RunsWhatIsConnected) {
  StartChain();
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectBalancedBooks();
}

class EngineReadsTest : public EngineTest {
 protected:
  template <typename Request, typename Response>
  void Read(absl::Status (*read)(Engine&, const Request&, Response*), const Request& request = {}) {
    Response response;
    EXPECT_TRUE(read(*engine_, request, &response).ok());
  }
  void ReadEverything() {
    Read(rpc::GetVersion);
    Read(rpc::DumpMempool);
    Read(rpc::ListPlugins);
    Read(rpc::ListWorkers);
    Read(rpc::CheckSchedulingConstraints);
    Read(rpc::ListTcs);
    Read(rpc::GetWorkerUsage);
    Read(rpc::ListDrivers);
    Read(rpc::ListPorts);
    Read(rpc::ListMclass);
    Read(rpc::ListModules);
    Read(rpc::ListGateHookClass);
    Read(rpc::ListGateHooks);
    Read(rpc::GetLedger);
    pb::GetModuleInfoRequest module;
    module.set_name("source");
    Read(rpc::GetModuleInfo, module);
    pb::GetTcStatsRequest leaf;
    leaf.set_name("!leaf_source:0");
    Read(rpc::GetTcStats, leaf);
  }
};

TEST_F(EngineReadsTest, WaitForNoEdit) {
  StartChain();
  std::thread editor([&] { EXPECT_TRUE(engine_->CreateModule("slow", "TestSlow", {}).ok()); });
  TestSlow::made.WaitForNotification();
  absl::Notification done;
  std::thread reader([&] {
    ReadEverything();
    done.Notify();
  });
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(20)));
  TestSlow::go_on.Notify();
  editor.join();
  reader.join();
}

TEST_F(EngineTest, NamesTheNameless) {
  EXPECT_EQ(*engine_->CreateModule("", "TestSink", {}), "test_sink0");
  EXPECT_EQ(*engine_->CreateModule("", "TestSink", {}), "test_sink1");
  Create("test_sink2", "TestSink");
  EXPECT_EQ(*engine_->CreateModule("", "TestSink", {}), "test_sink3");
}

TEST_F(EngineTest, RefusedEditsChangeNothing) {
  StartChain();
  const auto before = engine_->plan();
  ExpectError(engine_->CreateModule("sink", "TestSink", {}).status(), EEXIST, "'sink'");
  ExpectError(engine_->CreateModule("x", "Nonsense", {}).status(), ENOENT, "'Nonsense'");
  ExpectError(engine_->CreateModule("x", "", {}).status(), EINVAL, "mclass");
  ExpectError(engine_->DestroyModule("nobody"), ENOENT, "'nobody'");
  ExpectError(engine_->DestroyModule(""), EINVAL, "name");
  ExpectError(engine_->Connect("source", 0, "sink", 0, true), EBUSY, "'pass'");
  ExpectError(engine_->Connect("source", 1, "sink", 0, true), EINVAL, "0..0, not 1");
  ExpectError(engine_->Connect("pass", 1, "pass", 4, true), EINVAL, "0..3, not 4");
  ExpectError(engine_->Connect("pass", 1, "nobody", 0, true), ENOENT, "'nobody'");
  ExpectError(engine_->Disconnect("pass", 4), EINVAL, "not 4");
  google::protobuf::Any wrong;
  wrong.set_type_url("type.googleapis.com/bess.pb.NoSuchArg");
  ExpectError(engine_->CreateModule("x", "TestSink", wrong).status(), EINVAL, "NoSuchArg");
  EXPECT_EQ(engine_->plan(), before);
}

TEST_F(EngineTest, DisconnectingAnOpenGateIsFine) {
  Create("pass", "TestPass");
  EXPECT_TRUE(engine_->Disconnect("pass", 3).ok());
}

TEST_F(EngineTest, OpenGatesAreCountedDeadEnds) {
  StartChain();
  ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
  ASSERT_TRUE(Eventually([&] {
    return module("pass").totals().dropped[static_cast<size_t>(DropReason::kDeadEnd)] > 0;
  }));
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectBalancedBooks();
}

TEST_F(EngineTest, TheBooksOutliveTheModules) {
  StartChain();
  ASSERT_TRUE(engine_->DestroyModule("source").ok());
  ASSERT_TRUE(engine_->DestroyModule("pass").ok());
  ExpectBalancedBooks();
  EXPECT_GT(engine_->departed().created, 0u);
}

TEST_F(EngineTest, WhatARemovedModuleHeldIsDropped) {
  Create("source", "TestSource");
  Create("box", "TestBox");
  Connect("source", "box");
  ASSERT_TRUE(Eventually([&] { return module("box").held() == TestBox::kCapacity; }));
  ASSERT_TRUE(engine_->DestroyModule("box").ok());
  const auto removed = static_cast<size_t>(DropReason::kModuleRemoved);
  EXPECT_EQ(engine_->departed().dropped[removed], TestBox::kCapacity);
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectBalancedBooks();
}

TEST_F(EngineTest, WhatACycleHeldIsDropped) {
  Create("source", "TestSource");
  Create("a", "TestPass");
  Create("b", "TestPass");
  Connect("a", "b");
  Connect("b", "a");
  Connect("source", "a");
  ASSERT_TRUE(Eventually([&] {
    uint64_t held = 0;
    return Books(&held).dropped[static_cast<size_t>(DropReason::kLoopFull)] > 0;
  }));
  ASSERT_TRUE(engine_->DestroyModule("a").ok());
  ASSERT_TRUE(engine_->ResetModules().ok());
  ExpectBalancedBooks();
}

TEST_F(EngineTest, InitialArgumentsAreKept) {
  google::protobuf::Any argument, reply;
  argument.PackFrom(pb::EmptyArg());
  ASSERT_TRUE(engine_->CreateModule("pass", "TestPass", argument).ok());
  ASSERT_TRUE(engine_->RunCommand("pass", "get_initial_arg", {}, &reply).ok());
  EXPECT_EQ(reply.type_url(), argument.type_url());
  ExpectError(engine_->RunCommand("pass", "dance", {}, &reply), ENOTSUP, "'dance'");
  ExpectError(engine_->RunCommand("nobody", "dance", {}, &reply), ENOENT, "'nobody'");
}

TEST_F(EngineTest, AGeneratorLosesNothingToEditsElsewhere) {
  StartChain();
  for (int i = 0; i < 300; ++i) {
    Create("extra", "TestPass");
    Create("end", "TestSink");
    Connect("extra", "end");
    ASSERT_TRUE(engine_->Disconnect("extra", 0).ok());
    ASSERT_TRUE(engine_->DestroyModule("extra").ok());
    ASSERT_TRUE(engine_->DestroyModule("end").ok());
  }
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
  ASSERT_TRUE(engine_->PauseAll().ok());
  uint64_t held = 0;
  const LedgerTotals books = Books(&held);
  EXPECT_EQ(books.created, books.consumed);
  EXPECT_EQ(books.all_dropped(), 0u);
}

TEST_F(EngineTest, ResetAllEndsEverything) {
  StartChain();
  ASSERT_TRUE(engine_->ResetAll().ok());
  EXPECT_TRUE(engine_->plan()->graph->modules.empty());
  EXPECT_TRUE(engine_->ListWorkers().empty());
  EXPECT_EQ(pool_->in_use(), 0u);
  ExpectBalancedBooks();
  StartChain();
}

TEST_F(EngineTest, TwoInOneProcessAreStrangers) {
  const auto pool = PacketPool::CreateOnHeap();
  Engine other(EngineOptions{}, *pool);
  StartChain();
  EXPECT_TRUE(other.plan()->graph->modules.empty());
  EXPECT_TRUE(other.ListWorkers().empty());
  EXPECT_TRUE(other.CreateModule("source", "TestSource", {}).ok());
  ASSERT_TRUE(other.ResetAll().ok());
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

}  // namespace
}  // namespace bess
