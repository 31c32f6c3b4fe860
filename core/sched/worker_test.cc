// SPDX-License-Identifier: Apache-2.0
#include "core/sched/worker.h"

#include <gtest/gtest.h>

#include <chrono>

#include "core/graph/fake_host_testing.h"
#include "core/sched/modules_testing.h"

namespace bess {
namespace {

REGISTER_MODULE(TestSource);
REGISTER_MODULE(TestPass);
REGISTER_MODULE(TestSink);

// Sends what comes by gate 0 round a cycle to gate 1, and from there on.
class TestOnceAround final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestOnceAround",
                                       .help = "sends packets round once",
                                       .igates = 2,
                                       .ogates = 2,
                                       .igates_alike = false};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) { context.Emit(1 - context.igate(), batch); }
};
REGISTER_MODULE(TestOnceAround);

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

TEST_F(WorkerTest, RunsItsPartOfThePlan) {
  Publish(Chain(/*with_pass=*/true));
  {
    Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
    EXPECT_TRUE(Eventually([&] { return Consumed() > 10000; }));
    EXPECT_GT(worker.stats().packets, 0u);
  }
  const LedgerTotals books = Books();
  EXPECT_EQ(books.created, books.consumed) << "a worker stops between rounds";
  EXPECT_EQ(host_.pool().in_use(), 0u);
}

TEST_F(WorkerTest, IsPinnedToItsCore) {
  const int core = AllowedCores().front();
  std::atomic<int> ran_on{-1};
  Worker worker({.id = 0, .core = core, .enter = [&] { ran_on = sched_getcpu(); }}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return ran_on == core; }));
}

TEST_F(WorkerTest, EntersAndLeavesOnItsThread) {
  std::thread::id entered, left;
  {
    Worker worker({.id = 0,
                   .core = AllowedCores().back(),
                   .enter = [&] { entered = std::this_thread::get_id(); },
                   .leave = [&] { left = std::this_thread::get_id(); }},
                  plan_, rcu_);
  }
  EXPECT_EQ(entered, left);
  EXPECT_NE(entered, std::this_thread::get_id());
}

TEST_F(WorkerTest, TakesUpNewPlansAndLosesNothing) {
  const Graph with = Chain(true), without = Chain(false);
  Publish(with);
  {
    Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
    for (int i = 0; i < 500; ++i) {
      Publish(i % 2 == 0 ? without : with);
      rcu_.Reap();
    }
    const uint64_t before = Consumed();
    EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
  }
  const LedgerTotals books = Books();
  EXPECT_EQ(books.created, books.consumed);
  EXPECT_EQ(books.all_dropped(), 0u);
}

TEST_F(WorkerTest, PausesBetweenRounds) {
  Publish(Chain(true));
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
  ASSERT_TRUE(worker.Pause(absl::Seconds(10)).ok());
  EXPECT_TRUE(worker.paused());
  const LedgerTotals books = Books();
  EXPECT_EQ(books.created, books.consumed);
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(Consumed(), books.consumed) << "a paused worker does nothing";
  Publish(Chain(false));
  EXPECT_EQ(rcu_.Reap(), 0u) << "a paused worker delays no memory";
  worker.Resume();
  EXPECT_FALSE(worker.paused());
  EXPECT_TRUE(Eventually([&] { return Consumed() > books.consumed; }));
}

TEST_F(WorkerTest, AStuckModuleDelaysMemoryButNotTheControlPlane) {
  Publish(Chain(true));
  auto& pass = static_cast<TestPass&>(*modules_.at("pass"));
  Worker worker({.id = 7, .core = AllowedCores().back()}, plan_, rcu_);
  first_.classes.Assign(LeafName("source", 0), 7);
  Publish(Chain(true));
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
  pass.stuck = true;
  absl::SleepFor(absl::Milliseconds(10));
  const absl::Status paused = worker.Pause(absl::Milliseconds(20));
  EXPECT_EQ(paused.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(std::string(paused.message()).find("worker 7"), std::string::npos);
  Publish(Chain(false));
  EXPECT_GT(rcu_.Reap(), 0u);
  pass.stuck = false;
  EXPECT_TRUE(Eventually([&] { return worker.paused(); }));
  worker.Resume();
}

// A cycle's buffer holds more than one batch; a round empties it, so two busy sources that feed
// half a batch each do not overflow it.
TEST_F(WorkerTest, ARoundEmptiesTheBufferOfACycle) {
  Graph graph;
  Add(graph, "a", "TestSource");
  Add(graph, "b", "TestSource");
  Add(graph, "c", "TestSource");
  Add(graph, "once", "TestOnceAround");
  Add(graph, "sink", "TestSink");
  for (const std::string source : {"a", "b", "c"}) {
    ASSERT_TRUE(graph.Connect(source, 0, "once", 0, {}).ok());
  }
  ASSERT_TRUE(graph.Connect("once", 1, "once", 1, {}).ok());
  ASSERT_TRUE(graph.Connect("once", 0, "sink", 0, {}).ok());
  Publish(graph);
  {
    Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
    EXPECT_TRUE(Eventually([&] { return Consumed() > 10000; }));
  }
  EXPECT_EQ(Books().all_dropped(), 0u) << "three half batches a round fit";
  Publish(nullptr);
  rcu_.Reap();
}

TEST(AllowedCoresTest, AreThoseOfTheProcess) {
  cpu_set_t set;
  sched_getaffinity(0, sizeof(set), &set);
  const std::vector<int> cores = AllowedCores();
  EXPECT_EQ(cores.size(), static_cast<size_t>(CPU_COUNT(&set)));
  for (const int core : cores) EXPECT_TRUE(CPU_ISSET(static_cast<size_t>(core), &set));
}

}  // namespace
}  // namespace bess
