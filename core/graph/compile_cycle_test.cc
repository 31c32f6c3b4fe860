// SPDX-License-Identifier: Apache-2.0
//
// Plans of graphs with cycles: every round ends, packets keep their order, and whatever waits in
// the buffer of a cycle is accounted for, also when the graph changes meanwhile.
#include <gmock/gmock.h>

#include <algorithm>

#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Counts hops, and sends packets back by `again` until they have made `hops` of them.
TestModule::Behaviour Circle(uint32_t hops, uint32_t again, uint32_t exit) {
  return [=](TestModule&, Context& context, Batch& batch) {
    ForEach(context, batch, [&](PacketView view) {
      Tag tag = ReadTag(view.packet());
      ++tag.hops;
      WriteTag(view.packet(), tag);
      return Verdict::Gate(tag.hops % hops == 0 ? exit : again);
    });
  };
}

bool InOrder(const std::vector<Tag>& tags) {
  const std::vector<uint64_t> ids = Ids(tags);
  return std::is_sorted(ids.begin(), ids.end());
}

// source -> a -> b -> sink by gate 0, and b -> a by gate 1 until the third time round.
void BuildPair(TestGraph& test, uint32_t worker = 0) {
  test.AddSource("source", worker);
  test.Add("a");
  test.Add("b").process = Circle(3, 1, 0);
  test.AddSink("sink");
  test.Chain({"source", "a", "b", "sink"});
  test.Connect("b", 1, "a");
}

LoopBuffer* BufferOf(const TestGraph& test, const char* module, uint32_t ogate,
                     uint32_t worker = 0) {
  return test.graph.Find(module)->out.at(ogate).edge->loop(worker);
}

TEST(CompileCycleTest, ASelfLoopGoesRoundOnceARound) {
  TestGraph test;
  test.AddSource("source");
  test.Add("m").process = Circle(3, 1, 0);
  test.AddSink("sink");
  test.Chain({"source", "m", "sink"});
  test.Connect("m", 1, "m");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  EXPECT_EQ(runner.plan()->loops.size(), 1u);
  test.Feed("source", 10);
  runner.Round();
  EXPECT_EQ(test.At("m").packets, 10u);
  EXPECT_EQ(BufferOf(test, "m", 1)->held(), 10u);
  test.CheckBooks();
  runner.Round();
  EXPECT_EQ(test.At("m").packets, 20u);
  EXPECT_THAT(test.At("sink").taken, IsEmpty());
  runner.Round();
  EXPECT_EQ(test.At("sink").taken.size(), 10u);
  EXPECT_TRUE(InOrder(test.At("sink").taken));
  test.CheckBooks();
}

TEST(CompileCycleTest, TwoModulesInACircle) {
  TestGraph test;
  BuildPair(test);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 200);
  runner.Rounds(20);
  EXPECT_EQ(test.At("b").packets, 600u);
  EXPECT_EQ(test.At("sink").taken.size(), 200u);
  EXPECT_TRUE(InOrder(test.At("sink").taken));
  EXPECT_EQ(test.totals().all_dropped(), 0u);
  test.CheckBooks();
}

TEST(CompileCycleTest, CirclesWithinCircles) {
  TestGraph test;
  test.AddSource("source");
  test.Add("outer");
  test.Add("inner").process = Circle(2, 1, 0);
  test.Add("gate").process = Circle(3, 1, 0);
  test.AddSink("sink");
  test.Chain({"source", "outer", "inner", "gate", "sink"});
  test.Connect("inner", 1, "inner");
  test.Connect("gate", 1, "outer");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  EXPECT_EQ(runner.plan()->loops.size(), 2u);
  test.Feed("source", 100);
  runner.Rounds(100);
  EXPECT_EQ(test.At("sink").taken.size(), 100u);
  EXPECT_TRUE(InOrder(test.At("sink").taken));
  test.CheckBooks();
}

TEST(CompileCycleTest, ACircleWithoutAnEntryIsNobodysConcern) {
  TestGraph test;
  test.Add("a");
  test.Add("b");
  test.Chain({"a", "b", "a"});
  EXPECT_EQ(test.MustCompile().workers[0], nullptr);
}

TEST(CompileCycleTest, ACircleWithoutAnExitFillsAndDropsTheRest) {
  TestGraph test;
  test.AddSource("source");
  test.Add("a");
  test.Add("b");
  test.Chain({"source", "a", "b", "a"});
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  for (int round = 0; round < 20; ++round) {
    test.Feed("source", 64);
    runner.Round();
    test.CheckBooks();
  }
  EXPECT_EQ(test.held(), LoopBuffer::kCapacity);
  EXPECT_EQ(test.dropped(DropReason::kLoopFull), 20u * 64 - LoopBuffer::kCapacity);
  EXPECT_EQ(test.At("b").totals().dropped[static_cast<size_t>(DropReason::kLoopFull)],
            test.totals().all_dropped())
      << "in the books of whoever sent them round";
}

TEST(CompileCycleTest, WhatMultipliesInACircleEndsEveryRound) {
  TestGraph test;
  test.AddSource("source");
  test.Add("copy").process = Copied(test.host.pool(), 4);
  test.Add("back");
  test.AddSink("sink");
  test.Connect("source", 0, "copy");
  for (uint32_t gate = 0; gate < 3; ++gate) test.Connect("copy", gate, "back", gate);
  test.Connect("copy", 3, "sink");
  test.Connect("back", 0, "copy");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  for (int round = 0; round < 30; ++round) {
    runner.Round();
    test.CheckBooks();
  }
  EXPECT_GT(test.dropped(DropReason::kLoopFull), 0u);
  EXPECT_GT(test.At("sink").packets, 64u * 20);
}

TEST(CompileCycleTest, EveryLinkOfAModuleMayGoBack) {
  TestGraph test;
  test.AddSource("source");
  ModuleInfo info = TestModule::kInfo;
  info.igates_alike = false;
  test.Add("m", info).process = Circle(4, 1, 0);
  test.AddSink("sink");
  test.Connect("source", 0, "m", 0);
  test.Connect("m", 0, "sink");
  test.Connect("m", 1, "m", 5);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 64);
  runner.Rounds(10);
  EXPECT_EQ(test.At("m").igates, (std::map<uint32_t, uint64_t>{{0, 64}, {5, 192}}));
  EXPECT_EQ(test.At("sink").taken.size(), 64u);
  test.CheckBooks();
}

// --- hooks --------------------------------------------------------------------------------------

TEST(CompileCycleTest, HooksOfACutConnectionSeeEachPacketOnce) {
  for (const bool alike : {true, false}) {
    TestGraph test;
    test.AddSource("source");
    ModuleInfo info = TestModule::kInfo;
    info.igates_alike = alike;
    test.Add("m", info).process = Circle(3, 1, 0);
    test.AddSink("sink");
    auto out = MakeLogHook("out"), in = MakeLogHook("in"), second = MakeLogHook("second");
    test.Connect("source", 0, "m", 0);
    test.Connect("m", 0, "sink");
    test.Connect("m", 1, "m", 1, {out});
    test.graph.Edit("m").in_hooks[1] = {in, second};
    PlanRunner runner;
    test.Feed("source", 100);
    // Plans come and go while packets wait: that must not send them through a hook twice.
    for (int round = 0; round < 12; ++round) {
      runner.Adopt(test.MustCompile());
      runner.Round();
      test.CheckBooks();
    }
    EXPECT_EQ(out->packets, 200u);
    EXPECT_EQ(in->packets, 200u);
    EXPECT_EQ(second->packets, 200u);
    EXPECT_EQ(test.At("sink").taken.size(), 100u);
    EXPECT_TRUE(InOrder(test.At("sink").taken));
  }
}

TEST(CompileCycleTest, TwoGatesBackToOneInputWaitApart) {
  TestGraph test;
  test.AddSource("source");
  test.Add("m").process = Judged([](const Tag& tag) { return Verdict::Gate(tag.id % 3); });
  test.Connect("source", 0, "m");
  test.Connect("m", 0, "m");
  test.Connect("m", 1, "m");
  test.Connect("m", 2, "m");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 33);
  runner.Round();
  for (uint32_t gate : {0, 1, 2}) EXPECT_EQ(BufferOf(test, "m", gate)->held(), 11u);
  test.CheckBooks();
}

// --- edits --------------------------------------------------------------------------------------

TEST(CompileCycleTest, WhatWaitsSurvivesAPlanOfTheSameGraph) {
  TestGraph test;
  BuildPair(test);
  PlanRunner runner;
  test.Feed("source", 100);
  for (int round = 0; round < 12; ++round) {
    runner.Adopt(test.MustCompile());
    EXPECT_EQ(runner.plan()->loops.size(), 1u);
    runner.Round();
  }
  EXPECT_EQ(test.At("b").packets, 300u);
  EXPECT_EQ(test.At("sink").taken.size(), 100u);
  EXPECT_TRUE(InOrder(test.At("sink").taken));
  test.CheckBooks();
}

TEST(CompileCycleTest, WhatWaitsDrainsWhenTheCycleIsGone) {
  TestGraph test;
  BuildPair(test);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 30);
  runner.Round();
  EXPECT_EQ(test.held(), 30u);
  // From now on a leads elsewhere, so that b -> a closes no cycle.
  ASSERT_TRUE(test.graph.Disconnect("a", 0).ok());
  test.AddSink("elsewhere");
  test.Connect("a", 0, "elsewhere");
  test.Feed("source", 30);
  runner.Adopt(test.MustCompile());
  EXPECT_EQ(runner.plan()->loops.size(), 1u);
  runner.Round();
  EXPECT_EQ(test.At("elsewhere").taken.size(), 30u) << "the source's own; b is not reached";
  EXPECT_EQ(test.dropped(DropReason::kModuleRemoved), 30u);
  EXPECT_EQ(test.held(), 0u);
  test.CheckBooks();
}

TEST(CompileCycleTest, WhatWaitsComesBeforeWhatFollowsWhenTheCutMoves) {
  TestGraph test;
  BuildPair(test);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 30);
  runner.Round();
  ASSERT_EQ(BufferOf(test, "b", 1)->held(), 30u);
  // The source feeds b from now on: a is behind b, and nothing is upstream of itself.
  ASSERT_TRUE(test.graph.Disconnect("source", 0).ok());
  ASSERT_TRUE(test.graph.Disconnect("a", 0).ok());
  test.AddSink("late");
  test.Connect("source", 0, "b");
  test.Connect("a", 0, "late");
  runner.Adopt(test.MustCompile());
  test.Feed("source", 30);
  runner.Round();
  EXPECT_EQ(test.held(), 0u);
  EXPECT_EQ(test.At("late").taken.size(), 60u);
  EXPECT_TRUE(InOrder(test.At("late").taken));
  test.CheckBooks();
}

TEST(CompileCycleTest, TheBufferOfAConnectionTakenOutGoesWithIt) {
  TestGraph test;
  BuildPair(test);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 30);
  runner.Round();
  auto edge = test.graph.Disconnect("b", 1);
  ASSERT_TRUE(edge.ok());
  runner.Adopt(test.MustCompile());
  EXPECT_THAT(runner.plan()->loops, IsEmpty());
  EXPECT_EQ((*edge)->held(), 30u);
  EXPECT_EQ((*edge)->Discard(), 30u);
  EXPECT_EQ((*edge)->held(), 0u);
}

// --- workers ------------------------------------------------------------------------------------

TEST(CompileCycleTest, EachWorkerHasABufferOfItsOwn) {
  TestGraph test;
  BuildPair(test);
  test.AddSource("other", 1);
  test.Connect("other", 0, "a");
  const Plan& plan = test.MustCompile();
  PlanRunner runners[] = {PlanRunner(0), PlanRunner(1)};
  for (PlanRunner& runner : runners) runner.Adopt(plan);
  test.Feed("source", 5);
  test.Feed("other", 7);
  for (PlanRunner& runner : runners) runner.Round();
  EXPECT_EQ(BufferOf(test, "b", 1, 0)->held(), 5u);
  EXPECT_EQ(BufferOf(test, "b", 1, 1)->held(), 7u);
  for (PlanRunner& runner : runners) runner.Rounds(3);
  EXPECT_EQ(test.At("sink").taken.size(), 12u);
  test.CheckBooks();
}

TEST(CompileCycleTest, ATaskThatMovesTakesTheModulesWithIt) {
  TestGraph test;
  BuildPair(test, 0);
  test.AddSource("busy", 0);  // so that worker 0 stays in use
  test.AddSink("aside");
  test.Connect("busy", 0, "aside");
  PlanRunner old_worker(0), new_worker(1);
  old_worker.Adopt(test.MustCompile());
  test.Feed("source", 30);
  old_worker.Round();
  test.MoveTask("source", 1);
  const Plan& plan = test.MustCompile();
  EXPECT_THAT(WorkersOf(plan, "a"), ElementsAre(1));
  EXPECT_THAT(WorkersOf(plan, "b"), ElementsAre(1));
  old_worker.Adopt(plan);
  new_worker.Adopt(plan);
  const size_t before = test.At("a").workers.size();
  old_worker.Round();
  EXPECT_EQ(test.At("a").workers.size(), before) << "it runs on worker 1 only now";
  EXPECT_EQ(test.dropped(DropReason::kModuleRemoved), 30u);
  test.Feed("source", 10);
  new_worker.Rounds(5);
  EXPECT_EQ(test.At("sink").taken.size(), 10u);
  test.CheckBooks();
}

TEST(CompileCycleTest, AWorkerWithoutTasksStillEndsWhatWaits) {
  TestGraph test;
  BuildPair(test, 0);
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  test.Feed("source", 30);
  runner.Round();
  test.MoveTask("source", 1);
  runner.Adopt(test.MustCompile());
  ASSERT_NE(runner.plan(), nullptr);
  runner.Round();
  EXPECT_EQ(test.held(), 0u);
  EXPECT_EQ(test.dropped(DropReason::kModuleRemoved), 30u);
  test.CheckBooks();
}

// An attempt with one worker must leave nothing behind that limits the next with another.
TEST(CompileCycleTest, APlanThatWasNeverRunPlacesNothing) {
  TestGraph test;
  ModuleInfo info = TestModule::kInfo;
  info.max_workers = 1;
  test.AddSource("source", 0);
  test.Add("m", info).process = Circle(2, 1, 0);
  test.AddSink("sink");
  test.Chain({"source", "m", "sink"});
  test.Connect("m", 1, "m");
  test.AddSource("other", 1);
  test.Connect("other", 0, "m");
  EXPECT_FALSE(test.TryCompile().ok());
  for (const uint32_t worker : {1, 0}) {
    test.MoveTask("source", worker);
    test.MoveTask("other", worker);
    const auto plan = test.TryCompile();
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_THAT(WorkersOf(**plan, "m"), ElementsAre(worker));
  }
}

TEST(CompileCycleTest, ACircleThroughAQueueNeedsNoCut) {
  TestGraph test;
  test.AddSource("source");
  test.AddQueue("queue");
  test.Add("m").process = Circle(3, 1, 0);
  test.AddSink("sink");
  test.Chain({"source", "queue", "m", "sink"});
  test.Connect("m", 1, "queue");
  PlanRunner runner;
  runner.Adopt(test.MustCompile());
  EXPECT_THAT(runner.plan()->loops, IsEmpty());
  test.Feed("source", 100);
  runner.Rounds(20);
  EXPECT_EQ(test.At("sink").taken.size(), 100u);
  test.CheckBooks();
}

}  // namespace
}  // namespace bess
