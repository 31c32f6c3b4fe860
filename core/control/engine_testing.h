// SPDX-License-Identifier: Apache-2.0
//
// An engine on a heap pool, without DPDK: for tests of everything above it. The module classes of
// core/sched/modules_testing.h are registered by engine_test.cc, once for the test program.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/control/engine.h"
#include "core/sched/cores.h"
#include "core/sched/modules_testing.h"

namespace bess {

class EngineTest : public testing::Test {
 protected:
  // Ends the engine, and with it everything it ran; no packet may be left.
  ~EngineTest() override {
    engine_.reset();
    EXPECT_EQ(pool_->in_use(), 0u) << "packets were leaked";
  }

  void Create(const std::string& name, const std::string& mclass) {
    const auto created = engine_->CreateModule(name, mclass, {});
    ASSERT_TRUE(created.ok()) << created.status();
    ASSERT_EQ(*created, name);
  }
  void Connect(const std::string& from, const std::string& to) {
    const absl::Status connected = engine_->Connect(from, 0, to, 0, /*default_hooks=*/true);
    ASSERT_TRUE(connected.ok()) << connected;
  }
  // source -> pass -> sink, running.
  void StartChain() {
    Create("source", "TestSource");
    Create("pass", "TestPass");
    Create("sink", "TestSink");
    Connect("pass", "sink");
    Connect("source", "pass");
    ASSERT_TRUE(Eventually([&] { return Consumed() > 0; }));
  }

  Module& module(const std::string& name) { return *engine_->plan()->graph->Find(name)->module; }
  uint64_t Consumed(const std::string& sink = "sink") { return module(sink).totals().consumed; }

  // All books of the engine: modules that are, and modules that were.
  LedgerTotals Books(uint64_t* held) {
    LedgerTotals totals = engine_->departed();
    *held = 0;
    for (const auto& [name, entry] : engine_->plan()->graph->modules) {
      totals += entry->module->totals();
      *held += entry->module->held();
      for (const auto& [ogate, out] : entry->out) *held += out.edge->held();
    }
    return totals;
  }
  // While nothing runs: created = consumed + dropped + held.
  void ExpectBalancedBooks() {
    uint64_t held = 0;
    const LedgerTotals books = Books(&held);
    EXPECT_EQ(books.created, books.consumed + books.all_dropped() + held);
  }

  // Waits until `reached()` holds, up to ten seconds.
  template <typename Reached>
  static bool Eventually(Reached reached) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (!reached()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Microseconds(200));
    }
    return true;
  }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>(EngineOptions{}, *pool_);
};

// The status has this errno and its text contains `text`.
inline void ExpectError(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code) << status;
  EXPECT_NE(std::string(status.message()).find(text), std::string::npos) << status;
}

}  // namespace bess
