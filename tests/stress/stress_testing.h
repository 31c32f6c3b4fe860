// SPDX-License-Identifier: Apache-2.0
//
// An engine that runs real module classes, and short words for editing it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "bess/util.pb.h"
#include "core/control/engine.h"
#include "core/control/rpcs.h"
#include "core/sched/cores.h"
#include "modules/bypass.pb.h"

namespace bess {

class StressTest : public testing::Test {
 protected:
  explicit StressTest(PacketPool& pool, EngineOptions options = {})
      : engine_(std::move(options), pool) {}

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
  // Puts a Bypass into the link from `ogate` of `from` to `to`, and takes it out again.
  void InsertAndRemove(const std::string& from, uint64_t ogate, const std::string& to) {
    Create("extra", "Bypass", pb::BypassArg());
    Connect("extra", 0, to);
    ASSERT_TRUE(engine_.Disconnect(from, ogate).ok());
    Connect(from, ogate, "extra");
    ASSERT_TRUE(engine_.DestroyModule("extra").ok());
    Connect(from, ogate, to);
  }
  void AddAndDropWorker() {
    ASSERT_TRUE(engine_.AddWorker(9, AllowedCores().front(), "").ok());
    // On a machine with more to do a worker may not have got a CPU in time.
    const absl::Status paused = engine_.PauseWorker(9);
    ASSERT_TRUE(paused.ok() || absl::IsDeadlineExceeded(paused)) << paused;
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
  // Calls edit() until done() or something failed, while another thread reads.
  template <typename Done, typename Edit>
  void EditUntil(Done done, Edit edit) {
    std::atomic<bool> stop{false};
    std::thread reader([&] {
      while (!stop) {
        ReadEverything();
        absl::SleepFor(absl::Milliseconds(1));
      }
    });
    while (!done() && !HasFatalFailure()) edit();
    stop = true;
    reader.join();
  }

  native::GetLedgerResponse Ledger() {
    native::GetLedgerResponse ledger;
    EXPECT_TRUE(rpc::GetLedger(engine_, {}, &ledger).ok());
    return ledger;
  }
  // Stops all work and checks that every packet has an end, then empties the engine.
  void ExpectConservation(const PacketPool& pool) {
    ASSERT_TRUE(engine_.PauseAll().ok());
    const native::GetLedgerResponse ledger = Ledger();
    EXPECT_EQ(ledger.totals().unaccounted(), 0) << ledger.DebugString();
    EXPECT_GT(ledger.totals().consumed(), 0u) << ledger.DebugString();
    ASSERT_TRUE(engine_.ResumeAll().ok());
    ASSERT_TRUE(engine_.ResetAll().ok());
    EXPECT_EQ(Ledger().totals().unaccounted(), 0) << "after all modules are gone";
    EXPECT_EQ(pool.in_use(), 0u) << "packets were leaked";
  }

  Engine engine_;
};

// Made before the engine, and gone after it.
struct HeapPool {
  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap(1 << 14);
};

// With packets that need no DPDK.
class HeapStressTest : protected HeapPool, public StressTest {
 protected:
  HeapStressTest() : StressTest(*pool_) {}
};

}  // namespace bess
