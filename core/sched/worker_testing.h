// SPDX-License-Identifier: Apache-2.0
//
// Plans for one worker, without an engine. The classes of modules_testing.h are registered by
// worker_test.cc, once for the test program.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "core/graph/fake_host_testing.h"
#include "core/sched/cores.h"
#include "core/sched/modules_testing.h"
#include "core/sched/worker.h"

namespace bess {

// Waits until `reached()` holds, up to ten seconds.
template <typename Reached>
bool Eventually(Reached reached) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!reached()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Microseconds(100));
  }
  return true;
}

class WorkerTest : public testing::Test {
 protected:
  ~WorkerTest() override {
    Publish(nullptr);
    rcu_.Reap();
  }

  void Add(Graph& graph, const std::string& name, const std::string& mclass) {
    auto made = ModuleRegistry::Get().Find(mclass)->Create(name, host_, {});
    ASSERT_TRUE(made.ok());
    std::shared_ptr<Module> module = *std::move(made);
    graph.Add(module, {}, /*worker=*/0);
    modules_[name] = module;
  }

  // source -> pass -> sink, or source -> sink.
  Graph Chain(bool with_pass) {
    Graph graph;
    if (modules_.empty()) {
      Add(graph, "source", "TestSource");
      Add(graph, "sink", "TestSink");
      Add(graph, "pass", "TestPass");
      first_ = graph;
    }
    graph = first_;
    EXPECT_TRUE(graph.Connect("source", 0, with_pass ? "pass" : "sink", 0, {}).ok());
    if (with_pass) {
      EXPECT_TRUE(graph.Connect("pass", 0, "sink", 0, {}).ok());
    }
    return graph;
  }

  void Publish(std::unique_ptr<Plan> plan) {
    const Plan* raw = plan.get();
    if (plan != nullptr) plan->sequence = ++sequence_;
    plan_.store(raw, std::memory_order_release);
    std::shared_ptr<Plan> old = std::exchange(owner_, std::move(plan));
    rcu_.Retire([old = std::move(old)] {});
  }
  void Publish(const Graph& graph) { Publish(*Compile(std::make_shared<const Graph>(graph))); }

  LedgerTotals Books() {
    LedgerTotals totals;
    for (const auto& [name, module] : modules_) totals += module->totals();
    return totals;
  }
  uint64_t Consumed() { return modules_.at("sink")->totals().consumed; }

  FakeHost host_;
  Rcu rcu_;
  PlanPointer plan_{nullptr};
  std::shared_ptr<Plan> owner_;
  uint64_t sequence_ = 0;
  Graph first_;
  std::map<std::string, std::shared_ptr<Module>> modules_;
};

}  // namespace bess
