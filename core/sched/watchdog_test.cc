// SPDX-License-Identifier: Apache-2.0
#include "core/sched/watchdog.h"

#include <gmock/gmock.h>

#include "core/sched/worker_testing.h"

namespace bess {
namespace {

using testing::HasSubstr;

class WatchdogTest : public WorkerTest {
 protected:
  WatchdogTest() : graph_(Chain(/*with_pass=*/true)) { Publish(graph_); }

  // Looks until something is seen, up to ten seconds.
  std::optional<Stall> Await(const Worker& worker) {
    std::optional<Stall> seen;
    Eventually([&] {
      seen = watchdog_.Look(worker, graph_);
      return seen.has_value();
    });
    return seen;
  }
  TestPass& pass() { return static_cast<TestPass&>(*modules_.at("pass")); }

  const Graph graph_;
  Watchdog watchdog_;
};

TEST_F(WatchdogTest, NamesWorkerModuleAndClass) {
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
  EXPECT_FALSE(watchdog_.Lasting().has_value());
  pass().stuck = true;
  const auto stall = Await(worker);
  ASSERT_TRUE(stall.has_value());
  EXPECT_EQ(stall->Text(),
            "worker 0 is in module 'pass', run by class '!leaf_source:0', and does not return");
  EXPECT_FALSE(stall->over);
  EXPECT_GE(stall->cpu, Watchdog::kPatience);
  ASSERT_TRUE(watchdog_.Lasting().has_value());
  EXPECT_EQ(watchdog_.Lasting()->module, "pass");
  pass().stuck = false;
  const auto end = Await(worker);
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(end->over);
  EXPECT_FALSE(watchdog_.Lasting().has_value());
  EXPECT_EQ(watchdog_.history(0).count, 1u);
  EXPECT_TRUE(watchdog_.history(0).last.over);
  watchdog_.Forget(0);
  EXPECT_EQ(watchdog_.history(0).count, 0u);
}

TEST_F(WatchdogTest, AModuleThatIsGoneHasNoName) {
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
  pass().stuck = true;
  std::optional<Stall> stall;
  EXPECT_TRUE(Eventually([&] { return (stall = watchdog_.Look(worker, Graph())).has_value(); }));
  EXPECT_THAT(stall->Text(), HasSubstr("worker 0 is in a module that was removed and does not"));
  pass().stuck = false;
}

// More workers than cores: each is preempted for far longer than the watchdog's patience. One has
// no work, one is paused.
TEST_F(WatchdogTest, TheBusyThePreemptedAndTheIdleAreLeftAlone) {
  constexpr uint32_t kWorkers = 6;
  Graph graph;
  modules_.clear();
  for (uint32_t id = 0; id < kWorkers; ++id) {
    const std::string source = absl::StrCat("source", id), sink = absl::StrCat("sink", id);
    Add(graph, source, "TestSource");
    Add(graph, sink, "TestSink");
    ASSERT_TRUE(graph.Connect(source, 0, sink, 0, {}).ok());
    graph.classes.Assign(LeafName(source, 0), id);
  }
  static_cast<TestSource&>(*modules_.at("source0")).quiet = true;
  Publish(graph);
  std::vector<std::unique_ptr<Worker>> workers;
  for (uint32_t id = 0; id < kWorkers; ++id) {
    workers.push_back(std::make_unique<Worker>(
        WorkerOptions{.id = id, .core = AllowedCores().back(), .spin = id == 0}, plan_, rcu_));
  }
  ASSERT_TRUE(workers[1]->Pause(absl::Seconds(10)).ok());
  const absl::Time end = absl::Now() + absl::Milliseconds(600);
  while (absl::Now() < end) {
    for (const auto& worker : workers) {
      const auto stall = watchdog_.Look(*worker, graph);
      EXPECT_FALSE(stall.has_value()) << stall->Text();
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
}

}  // namespace
}  // namespace bess
