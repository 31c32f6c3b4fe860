// SPDX-License-Identifier: Apache-2.0
//
// Everything at once: workers run real modules while the graph, the tables and the workers change
// and readers look on. Under TSan this finds races; in any build the books must balance at the
// end. Bounded in steps, not in time.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "bess/util.pb.h"
#include "core/control/engine.h"
#include "core/control/rpcs.h"
#include "modules/acl.pb.h"
#include "modules/bypass.pb.h"
#include "modules/l2_forward.pb.h"
#include "modules/queue.pb.h"
#include "modules/source.pb.h"
#include "modules/update.pb.h"

namespace bess {
namespace {

constexpr int kEdits = 1000;

class EditsTest : public testing::Test {
 protected:
  template <typename Argument>
  void Create(const std::string& name, const std::string& mclass, const Argument& argument) {
    google::protobuf::Any any;
    any.PackFrom(argument);
    const auto created = engine_.CreateModule(name, mclass, any);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  void Create(const std::string& name, const std::string& mclass) {
    Create(name, mclass, pb::EmptyArg());
  }
  void Connect(const std::string& from, uint64_t ogate, const std::string& to) {
    const absl::Status connected = engine_.Connect(from, ogate, to, 0, true);
    ASSERT_TRUE(connected.ok()) << connected;
  }
  template <typename Argument>
  void Command(const std::string& module, const std::string& command, const Argument& argument) {
    google::protobuf::Any any, reply;
    any.PackFrom(argument);
    const absl::Status done = engine_.RunCommand(module, command, any, &reply);
    ASSERT_TRUE(done.ok()) << done;
  }

  // source -> update -> queue, then on another worker queue -> switch -> acl -> sink, and what the
  // switch does not know -> sink.
  void Build() {
    const std::vector<int> cores = AllowedCores();
    ASSERT_TRUE(engine_.AddWorker(0, cores.back(), "").ok());
    ASSERT_TRUE(engine_.AddWorker(1, cores.front(), "").ok());
    Create("source", "Source", pb::SourceArg());
    Create("update", "Update", pb::UpdateArg());
    Create("queue", "Queue", pb::QueueArg());
    Create("switch", "L2Forward", pb::L2ForwardArg());
    pb::ACLArg rules;
    rules.add_rules();
    Create("acl", "ACL", rules);
    Create("sink", "Sink", pb::EmptyArg());
    Connect("acl", 0, "sink");
    Connect("switch", 0, "acl");
    Connect("switch", 1, "sink");
    Connect("queue", 0, "switch");
    Connect("update", 0, "queue");
    Connect("source", 0, "update");
    SetDefaultGate(1);
  }

  void SetDefaultGate(int gate) {
    pb::L2ForwardCommandSetDefaultGateArg argument;
    argument.set_gate(gate);
    Command("switch", "set_default_gate", argument);
  }

  // One random edit under traffic.
  void EditOnce(int step) {
    switch (random_() % 7) {
      case 0:
        return InsertAndRemoveBypass();
      case 1:
        return SetDefaultGate(static_cast<int>(random_() % 2));
      case 2: {
        pb::UpdateArg update;
        auto& field = *update.add_fields();
        field.set_offset(static_cast<int64_t>(random_() % 12));
        field.set_size(2);
        field.set_value(static_cast<uint64_t>(step) & 0xffff);
        Command("update", "clear", pb::EmptyArg());
        return Command("update", "add", update);
      }
      case 3: {
        pb::ACLArg rules;
        rules.add_rules()->set_src_ip("10.0.0.0/8");
        return Command("acl", "add", rules);
      }
      case 4: {
        pb::QueueCommandSetSizeArg size;
        size.set_size(uint64_t{64} << (random_() % 6));
        return Command("queue", "set_size", size);
      }
      case 5:
        return RemoveAndReplaceSink();
      default:
        return AddAndDropWorker();
    }
  }

  void InsertAndRemoveBypass() {
    Create("extra", "Bypass", pb::BypassArg());
    Connect("extra", 0, "sink");
    ASSERT_TRUE(engine_.Disconnect("switch", 1).ok());
    Connect("switch", 1, "extra");
    ASSERT_TRUE(engine_.DestroyModule("extra").ok());
    Connect("switch", 1, "sink");
  }

  void RemoveAndReplaceSink() {
    ASSERT_TRUE(engine_.DestroyModule("sink").ok());
    Create("sink", "Sink");
    Connect("acl", 0, "sink");
    Connect("switch", 1, "sink");
  }

  void AddAndDropWorker() {
    ASSERT_TRUE(engine_.AddWorker(9, AllowedCores().front(), "").ok());
    ASSERT_TRUE(engine_.PauseWorker(9).ok());
    ASSERT_TRUE(engine_.ResumeWorker(9).ok());
    ASSERT_TRUE(engine_.DestroyWorker(9).ok());
  }

  void ReadEverything() {
    native::GetLedgerResponse ledger;
    EXPECT_TRUE(rpc::GetLedger(engine_, {}, &ledger).ok());
    pb::ListWorkersResponse workers;
    EXPECT_TRUE(rpc::ListWorkers(engine_, {}, &workers).ok());
    for (const auto& module : ledger.modules()) {
      pb::GetModuleInfoRequest request;
      pb::GetModuleInfoResponse info;
      request.set_name(module.name());
      // It may be gone by now.
      rpc::GetModuleInfo(engine_, request, &info).IgnoreError();
    }
    pb::ListGateHooksResponse hooks;
    EXPECT_TRUE(rpc::ListGateHooks(engine_, {}, &hooks).ok());
  }

  std::mt19937 random_{1};
  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap(1 << 14);
  Engine engine_{EngineOptions{}, *pool_};
};

TEST_F(EditsTest, EditsUnderTrafficKeepTheBooks) {
  Build();
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      ReadEverything();
      absl::SleepFor(absl::Milliseconds(1));
    }
  });
  for (int step = 0; step < kEdits && !HasFatalFailure(); ++step) EditOnce(step);
  stop = true;
  reader.join();
  ASSERT_TRUE(engine_.PauseAll().ok());
  native::GetLedgerResponse ledger;
  ASSERT_TRUE(rpc::GetLedger(engine_, {}, &ledger).ok());
  EXPECT_EQ(ledger.totals().unaccounted(), 0) << ledger.DebugString();
  EXPECT_GT(ledger.totals().consumed(), 0u);
  ASSERT_TRUE(engine_.ResumeAll().ok());
  ASSERT_TRUE(engine_.ResetAll().ok());
  EXPECT_EQ(pool_->in_use(), 0u) << "packets were leaked";
}

}  // namespace
}  // namespace bess
