// SPDX-License-Identifier: Apache-2.0
//
// Plans of graphs without cycles. Cycles are in compile_cycle_test.cc, random graphs of all kinds
// in compile_random_test.cc.
#include <gmock/gmock.h>

#include <algorithm>

#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<uint64_t> UpTo(uint64_t n) {
  std::vector<uint64_t> ids(n);
  for (uint64_t i = 0; i < n; ++i) ids[i] = i;
  return ids;
}

TEST(CompileTest, AnEmptyGraphHasNoWorkers) {
  TestGraph test;
  const Plan& plan = test.MustCompile();
  for (const auto& worker : plan.workers) EXPECT_EQ(worker, nullptr);
}

TEST(CompileTest, AChainHandsTheSameBatchOn) {
  TestGraph test;
  test.AddSource("source");
  std::vector<const Batch*> seen;
  const std::vector<std::string> names = {"source", "a", "b", "c", "sink"};
  for (const char* name : {"a", "b", "c"}) {
    test.Add(name).process = [&](TestModule&, Context& context, Batch& batch) {
      seen.push_back(&batch);
      context.Emit(0, batch);
    };
  }
  test.AddSink("sink");
  test.Chain(names);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 5);
  runner.Round();
  EXPECT_EQ(test.At("sink").packets, 5u);
  EXPECT_EQ(test.At("sink").batches, 1u);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[1], seen[2]);
  test.CheckBooks();
}

TEST(CompileTest, NothingRunsForATaskThatSendsNothing) {
  TestGraph test;
  test.AddSource("source");
  test.AddSink("sink");
  test.Chain({"source", "sink"});
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  runner.Rounds(3);
  EXPECT_EQ(test.At("sink").batches, 0u);
}

TEST(CompileTest, AChainOfAThousandModules) {
  TestGraph test;
  test.AddSource("source");
  std::vector<std::string> names = {"source"};
  for (int i = 0; i < 1000; ++i) {
    names.push_back(absl::StrCat("m", i));
    test.Add(names.back()).process = Judged([](const Tag&) { return Verdict::Gate(0); });
  }
  test.AddSink("sink");
  names.push_back("sink");
  test.Chain(names);
  const Plan& plan = test.MustCompile();
  EXPECT_EQ(NodesOf(plan, 0).size(), 1002u);
  PlanRunner runner;
  runner.Adopt(plan);
  test.Feed("source", 200);
  runner.Rounds(4);
  EXPECT_EQ(Ids(test.At("sink").taken), UpTo(200));
  EXPECT_EQ(test.At("sink").batches, 4u);
  test.CheckBooks();
}

// source -> split -> one of `ways` -> merge -> sink
void BuildSplitAndMerge(TestGraph& test, uint32_t ways, bool alike = true) {
  test.AddSource("source");
  test.Add("split").process = Judged([=](const Tag& tag) { return Verdict::Gate(tag.id % ways); });
  ModuleInfo info = TestModule::kInfo;
  info.igates_alike = alike;
  test.Add("merge", info);
  test.AddSink("sink");
  test.Connect("source", 0, "split");
  for (uint32_t way = 0; way < ways; ++way) {
    const std::string name = absl::StrCat("way", way);
    test.Add(name);
    test.Connect("split", way, name);
    test.Connect(name, 0, "merge", way);
  }
  test.Connect("merge", 0, "sink");
}

TEST(CompileTest, AMergeFormsFullBatchesAgain) {
  TestGraph test;
  BuildSplitAndMerge(test, 8);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 640);
  runner.Rounds(10);
  EXPECT_EQ(test.At("way3").batches, 10u);
  EXPECT_EQ(test.At("way3").packets, 80u);
  EXPECT_EQ(test.At("merge").packets, 640u);
  EXPECT_EQ(test.At("merge").batches, 10u) << "each of 64 packets, though 8 ways lead there";
  EXPECT_EQ(test.At("sink").batches, 10u);
  test.CheckBooks();
}

TEST(CompileTest, AMergeOfDifferentDepthsStillWaitsForAll) {
  TestGraph test;
  BuildSplitAndMerge(test, 2);
  // One of the ways gets longer, and has the larger part of its modules behind the other one.
  ASSERT_TRUE(test.graph.Disconnect("way1", 0).ok());
  for (const char* name : {"x", "a", "z"}) test.Add(name);
  test.Chain({"way1", "x", "a", "z", "merge"});
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  runner.Round();
  EXPECT_EQ(test.At("merge").batches, 1u);
  EXPECT_EQ(test.At("merge").packets, 64u);
}

TEST(CompileTest, InputsThatDifferSeeTheirGateAndShareNoBatch) {
  TestGraph test;
  BuildSplitAndMerge(test, 4, false);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  runner.Round();
  EXPECT_EQ(test.At("merge").batches, 4u);
  EXPECT_EQ(test.At("merge").igates,
            (std::map<uint32_t, uint64_t>{{0, 16}, {1, 16}, {2, 16}, {3, 16}}));
  EXPECT_EQ(test.At("sink").batches, 1u) << "behind them, batches form again";
}

TEST(CompileTest, InputsThatAreAlikeSeeGateZero) {
  TestGraph test;
  BuildSplitAndMerge(test, 4);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  runner.Round();
  EXPECT_EQ(test.At("merge").igates, (std::map<uint32_t, uint64_t>{{0, 64}}));
}

TEST(CompileTest, ADiamondKeepsTheOrderOfEachWay) {
  TestGraph test;
  BuildSplitAndMerge(test, 2);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 1000);
  runner.Rounds(20);
  std::vector<uint64_t> last = {0, 0};
  ASSERT_EQ(test.At("sink").taken.size(), 1000u);
  for (const Tag& tag : test.At("sink").taken) {
    EXPECT_GE(tag.id, last[tag.id % 2]);
    last[tag.id % 2] = tag.id;
  }
}

TEST(CompileTest, CopiesMultiplyWithoutLoss) {
  TestGraph test;
  test.AddSource("source");
  test.AddSink("sink");
  std::string before = "source";
  for (int level = 0; level < 4; ++level) {
    const std::string name = absl::StrCat("copy", level);
    test.Add(name).process = Copied(test.host.pool(), 4);
    for (uint32_t gate = 0; before != "source" ? gate < 4 : gate < 1; ++gate) {
      test.Connect(before, gate, name, gate);
    }
    before = name;
  }
  for (uint32_t gate = 0; gate < 4; ++gate) test.Connect(before, gate, "sink");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  runner.Round();
  EXPECT_EQ(test.At("sink").packets, 64u * 256);
  EXPECT_EQ(test.At("sink").batches, 256u) << "all of them full";
  EXPECT_EQ(test.totals().all_dropped(), 0u);
  test.CheckBooks();
}

TEST(CompileTest, WhatMultipliesTooFastIsDroppedAsOverload) {
  TestGraph test;
  test.AddSource("source");
  constexpr uint64_t kCopies = 1200;
  test.Add("flood").process = [&](TestModule&, Context& context, Batch& batch) {
    for (Packet* packet : batch) {
      for (uint64_t i = 0; i < kCopies; ++i) {
        context.ledger().created.Add(1);
        context.EmitOne(0, test.host.pool().Copy(*packet));
      }
    }
    context.Emit(0, batch);
  };
  test.AddSink("sink");
  test.Chain({"source", "flood", "sink"});
  const Plan& plan = test.MustCompile();
  PlanRunner runner;
  runner.Adopt(plan);
  for (uint64_t round = 1; round <= 2; ++round) {
    test.Feed("source", 64);
    runner.Round();
    const uint64_t overload = test.dropped(DropReason::kOverload);
    EXPECT_GT(overload, 0u);
    EXPECT_EQ(test.totals().all_dropped(), overload);
    EXPECT_GT(test.At("sink").packets, round * 64 * 1000) << "most get through";
    test.CheckBooks();
  }
}

TEST(CompileTest, HooksRunInOrderOnBothSides) {
  TestGraph test;
  std::vector<std::string> log;
  test.AddSource("source");
  test.Add("m").process = [&](TestModule&, Context& context, Batch& batch) {
    log.push_back("m");
    context.Emit(0, batch);
  };
  test.AddSink("sink");
  test.Connect("source", 0, "m", 3, {MakeLogHook("out1", &log), MakeLogHook("out2", &log)});
  test.Connect("m", 0, "sink", 0, {MakeLogHook("after", &log)});
  test.graph.Edit("m").in_hooks[3] = {MakeLogHook("in1", &log), MakeLogHook("in2", &log)};
  test.graph.Edit("m").in_hooks[2] = {MakeLogHook("of another gate", &log)};
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 3);
  runner.Round();
  EXPECT_THAT(log, ElementsAre("out1", "out2", "in1", "in2", "m", "after"));
  EXPECT_EQ(test.At("sink").packets, 3u);
  test.CheckBooks();
}

TEST(CompileTest, InputHooksSeeOnlyTheirGate) {
  for (const bool alike : {true, false}) {
    TestGraph test;
    BuildSplitAndMerge(test, 4, alike);
    auto hook = MakeLogHook("in");
    test.graph.Edit("merge").in_hooks[1] = {hook};
    PlanRunner runner;
    runner.Adopt(test.MustCompile());
    test.Feed("source", 64);
    runner.Round();
    EXPECT_EQ(hook->packets, 16u);
    EXPECT_EQ(test.At("merge").packets, 64u);
    EXPECT_EQ(test.At("merge").igates.size(), alike ? 1u : 4u) << "alike: the gate stays 0";
  }
}

TEST(CompileTest, DropsBehindAHookAreItsModules) {
  TestGraph test;
  test.AddSource("source");
  test.Add("m");
  test.Connect("source", 0, "m", 0, {MakeLogHook("out")});
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 7);
  runner.Round();
  EXPECT_EQ(test.At("m").totals().dropped[static_cast<size_t>(DropReason::kDeadEnd)], 7u);
  EXPECT_EQ(test.At("source").totals().all_dropped(), 0u);
  test.CheckBooks();
}

TEST(CompileTest, DeadEndsAreCounted) {
  TestGraph test;
  test.AddSource("source");
  test.Add("split").process = Judged([](const Tag& tag) { return Verdict::Gate(tag.id % 8); });
  test.AddSink("sink");
  test.Chain({"source", "split"});
  test.Connect("split", 2, "sink");
  test.Connect("split", 5, "sink");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  runner.Round();
  EXPECT_EQ(test.At("sink").packets, 16u);
  EXPECT_EQ(test.dropped(DropReason::kDeadEnd), 48u);
  test.CheckBooks();
}

TEST(CompileTest, ASourceWithoutConnectionsIsADeadEnd) {
  TestGraph test;
  test.AddSource("source");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 5);
  runner.Round();
  EXPECT_EQ(test.dropped(DropReason::kDeadEnd), 5u);
  test.CheckBooks();
}

// --- workers ------------------------------------------------------------------------------------

TEST(CompilePlacementTest, EachWorkerHasWhatItsTasksReach) {
  TestGraph test;
  test.AddSource("s0", 0);
  test.AddSource("s3", 3);
  for (const char* name : {"only0", "only3", "both", "none"}) test.Add(name);
  test.AddSink("sink");
  test.Chain({"s0", "only0", "both", "sink"});
  test.Chain({"s3", "only3", "both"});
  test.Connect("none", 0, "sink");
  const Plan& plan = test.MustCompile();
  const auto placed = [&](const char* name) { return WorkersOf(plan, name); };
  EXPECT_THAT(placed("s0"), ElementsAre(0));
  EXPECT_THAT(placed("only0"), ElementsAre(0));
  EXPECT_THAT(placed("only3"), ElementsAre(3));
  EXPECT_THAT(placed("both"), ElementsAre(0, 3));
  EXPECT_THAT(placed("sink"), ElementsAre(0, 3));
  EXPECT_THAT(placed("none"), IsEmpty());
  EXPECT_EQ(plan.workers[1], nullptr);

  PlanRunner worker0(0), worker3(3);
  worker0.Adopt(plan);
  worker3.Adopt(plan);
  test.Feed("s0", 2);
  test.Feed("s3", 3);
  worker3.Round();
  EXPECT_THAT(test.At("both").workers, ElementsAre(3));
  EXPECT_EQ(test.At("sink").packets, 3u);
  worker0.Round();
  EXPECT_THAT(test.At("both").workers, ElementsAre(3, 0));
  EXPECT_EQ(test.At("sink").packets, 5u);
  EXPECT_EQ(test.At("sink").ledger(3).consumed.Get(), 3u);
  EXPECT_EQ(test.At("sink").ledger(0).consumed.Get(), 2u);
}

TEST(CompilePlacementTest, ATaskWithoutAWorkerRunsNowhere) {
  TestGraph test;
  test.AddSource("source");
  test.AddSink("sink");
  test.Chain({"source", "sink"});
  test.MoveTask("source", std::nullopt);
  const Plan& plan = test.MustCompile();
  EXPECT_THAT(WorkersOf(plan, "source"), IsEmpty());
  EXPECT_EQ(plan.workers[0], nullptr);
}

TEST(CompilePlacementTest, OneModuleMayHaveTasksOnSeveralWorkers) {
  TestGraph test;
  test.AddSource("source", 0);
  test.AddTask("source", 1);
  test.AddTask("source", 1);
  test.AddSink("sink");
  test.Chain({"source", "sink"});
  const Plan& plan = test.MustCompile();
  EXPECT_EQ(plan.workers[0]->tasks.size(), 1u);
  EXPECT_EQ(plan.workers[1]->tasks.size(), 2u);
  EXPECT_THAT(WorkersOf(plan, "source"), ElementsAre(0, 1));
}

TEST(CompilePlacementTest, TooManyWorkersAreNamedAllAtOnce) {
  TestGraph test;
  ModuleInfo info = TestModule::kInfo;
  info.name = "Alone";
  info.max_workers = 1;
  test.Add("first", info);
  info.max_workers = 2;
  info.name = "Pair";
  test.Add("second", info);
  test.Chain({"first", "second"});
  for (uint32_t worker : {1, 4, 7}) {
    const std::string name = absl::StrCat("s", worker);
    test.AddSource(name, worker);
    test.Connect(name, 0, "first");
  }
  const auto plan = test.TryCompile();
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(StatusErrno(plan.status()), EINVAL);
  EXPECT_EQ(plan.status().message(),
            "module 'first' (Alone) may run on at most 1 worker(s), but workers 1, 4, 7 reach it; "
            "module 'second' (Pair) may run on at most 2 worker(s), but workers 1, 4, 7 reach it");
  test.MoveTask("s4", 1);
  test.MoveTask("s7", 1);
  EXPECT_TRUE(test.TryCompile().ok());
}

TEST(CompilePlacementTest, AModuleThatHoldsPacketsEndsAWorkersReach) {
  TestGraph test;
  test.AddSource("s0", 0);
  test.AddSource("s1", 1);
  test.AddQueue("queue", 2);
  ModuleInfo info = TestModule::kInfo;
  info.max_workers = 1;
  test.Add("alone", info);
  test.AddSink("sink");
  test.Connect("s0", 0, "queue");
  test.Connect("s1", 0, "queue");
  test.Chain({"queue", "alone", "sink"});
  const Plan& plan = test.MustCompile();
  EXPECT_THAT(WorkersOf(plan, "queue"), ElementsAre(0, 1, 2));
  EXPECT_THAT(WorkersOf(plan, "alone"), ElementsAre(2));
  PlanRunner runners[] = {PlanRunner(0), PlanRunner(1), PlanRunner(2)};
  for (PlanRunner& runner : runners) runner.Adopt(plan);
  test.Feed("s0", 10);
  test.Feed("s1", 10);
  runners[0].Round();
  runners[1].Round();
  EXPECT_EQ(test.At("queue").held(), 20u);
  EXPECT_EQ(test.At("sink").packets, 0u);
  runners[2].Round();
  EXPECT_EQ(Ids(test.At("sink").taken), UpTo(20));
  test.CheckBooks();
}

// --- what Compile tells -------------------------------------------------------------------------

TEST(CompileTest, OffsetsAreFoundByName) {
  TestGraph test;
  test.AddSource("source");
  ASSERT_TRUE(test.At("source").AddAttribute("a", 4, AttributeMode::kWrite).ok());
  ASSERT_TRUE(test.At("source").AddAttribute("unread", 4, AttributeMode::kWrite).ok());
  ASSERT_TRUE(test.AddSink("sink").AddAttribute("a", 4, AttributeMode::kRead).ok());
  test.Chain({"source", "sink"});
  const Plan& plan = test.MustCompile();
  EXPECT_THAT(plan.offsets("source"), ElementsAre(0, kNoReader));
  EXPECT_THAT(plan.offsets("sink"), ElementsAre(0));
  EXPECT_THAT(plan.offsets("no such module"), IsEmpty());
}

TEST(CompileTest, ErrorsOfAllKindsComeTogether) {
  TestGraph test;
  test.AddSource("s0", 0);
  test.AddSource("s1", 1);
  ModuleInfo info = TestModule::kInfo;
  info.max_workers = 1;
  TestModule& alone = test.Add("alone", info);
  ASSERT_TRUE(test.At("s0").AddAttribute("a", 4, AttributeMode::kWrite).ok());
  ASSERT_TRUE(test.At("s0").AddAttribute("b", 4, AttributeMode::kWrite).ok());
  ASSERT_TRUE(alone.AddAttribute("a", 2, AttributeMode::kRead).ok());
  ASSERT_TRUE(alone.AddAttribute("b", 2, AttributeMode::kRead).ok());
  test.Connect("s0", 0, "alone");
  test.Connect("s1", 0, "alone");
  const auto plan = test.TryCompile();
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(StatusErrno(plan.status()), EINVAL);
  const std::string message(plan.status().message());
  EXPECT_THAT(message, HasSubstr("attribute 'a' has 2 bytes in module 'alone' but 4"));
  EXPECT_THAT(message, HasSubstr("attribute 'b' has 2 bytes in module 'alone' but 4"));
  EXPECT_THAT(message, HasSubstr("module 'alone' (Test) may run on at most 1 worker(s)"));
}

TEST(CompileTest, PlansAreMadeAnewAndShareNothing) {
  TestGraph test;
  BuildSplitAndMerge(test, 3);
  const Plan& first = test.MustCompile();
  const Plan& second = test.MustCompile();
  EXPECT_EQ(NodesOf(first, 0).size(), NodesOf(second, 0).size());
  PlanRunner runner;
  for (const Plan* plan : {&first, &second, &first}) {
    runner.Adopt(*plan);
    test.Feed("source", 64);
    runner.Round();
  }
  EXPECT_EQ(Ids(test.At("sink").taken).size(), 192u);
  test.CheckBooks();
}

TEST(CompileTest, RanksRiseAlongEveryLink) {
  TestGraph test;
  BuildSplitAndMerge(test, 5);
  test.graph.Edit("merge").in_hooks[2] = {MakeLogHook("in")};
  const Plan& plan = test.MustCompile();
  const auto nodes = NodesOf(plan, 0);
  for (uint32_t rank = 0; rank < nodes.size(); ++rank) {
    const Node& node = *nodes[rank];
    EXPECT_EQ(node.rank, rank);
    for (uint32_t gate = 0; gate < node.num_out; ++gate) {
      const Node* out = node.out[gate];
      EXPECT_TRUE(out == nullptr || out->rank > rank);
    }
  }
}

}  // namespace
}  // namespace bess
