// SPDX-License-Identifier: Apache-2.0
//
// A plan made from the plan before and what an edit changed, against one made of the whole graph.
#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <random>
#include <set>

#include "core/base/soak_testing.h"
#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;

constexpr uint32_t kWorkers = 3;
constexpr uint32_t kGates = 3;

// Walks two plans of a graph side by side.
class Comparison {
 public:
  Comparison(const Plan& actual, const Plan& expected) : actual_(actual), expected_(expected) {}

  void Run() {
    ASSERT_EQ(actual_.places, expected_.places);
    ASSERT_EQ(Sorted(actual_.warnings), Sorted(expected_.warnings));
    ASSERT_EQ(Sorted(actual_.attentive), Sorted(expected_.attentive));
    CompareModules();
    CheckParts();
    for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) CompareWorker(worker);
    while (!pending_.empty() && !testing::Test::HasFatalFailure()) {
      const auto [a, b] = pending_.back();
      pending_.pop_back();
      CompareNodes(*a, *b);
    }
  }

 private:
  template <typename List>
  static List Sorted(List list) {
    std::sort(list.begin(), list.end());
    return list;
  }

  void CompareModules() {
    for (const auto& [name, entry] : actual_.graph->modules) {
      ASSERT_EQ(actual_.offsets(name), expected_.offsets(name)) << name;
      ASSERT_EQ(WorkersOf(actual_, name), WorkersOf(expected_, name)) << name;
    }
  }

  // Each module is in one part, and that is where its neighbours are.
  void CheckParts() {
    size_t modules = 0;
    for (uint32_t i = 0; i < actual_.parts.size(); ++i) {
      if (actual_.parts[i] == nullptr) continue;
      const auto& topology = actual_.parts[i]->topology;
      for (uint32_t m = 0; m < topology.size(); ++m) {
        const ModuleEntry& entry = *topology.sites[m].entry;
        ++modules;
        ASSERT_EQ(actual_.graph->Find(entry.module->name()), &entry);
        ASSERT_EQ(actual_.modules[entry.number].part, i);
        ASSERT_EQ(actual_.modules[entry.number].index, m);
        for (const auto& [ogate, gate] : entry.out) {
          ASSERT_EQ(actual_.modules[gate.to_number].part, i);
          ASSERT_EQ(actual_.graph->Find(gate.to)->number, gate.to_number);
        }
      }
    }
    ASSERT_EQ(modules, actual_.graph->modules.size());
  }

  void CompareWorker(uint32_t worker) {
    const WorkerPlan* a = actual_.workers[worker].get();
    const WorkerPlan* b = expected_.workers[worker].get();
    ASSERT_EQ(a == nullptr, b == nullptr);
    if (a == nullptr) return;
    ASSERT_EQ(NodesOf(actual_, worker).size(), NodesOf(expected_, worker).size());
    ASSERT_EQ(a->most_nodes, b->most_nodes);
    ASSERT_EQ(a->arena->size(), b->arena->size());
    ASSERT_EQ(a->wakeable, b->wakeable);
    ASSERT_EQ(a->wakers, b->wakers);
    ASSERT_EQ(a->tasks.size(), b->tasks.size());
    ASSERT_EQ(a->tasks.size(), a->scheduler->leaves().size());
    for (uint32_t leaf = 0; leaf < a->tasks.size(); ++leaf) {
      ASSERT_EQ(a->tasks[leaf].state, a->scheduler->leaves()[leaf]->state.get());
      CompareTasks(a->tasks[leaf], b->tasks[leaf]);
    }
    CompareLoops(a->loops, b->loops);
  }

  void CompareTasks(const TaskSlot& a, const TaskSlot& b) {
    ASSERT_EQ(a.module, b.module);
    ASSERT_EQ(a.run, b.run);
    ASSERT_EQ(a.argument, b.argument);
    ASSERT_EQ(a.wake_fd, b.wake_fd);
    ASSERT_EQ(a.state, b.state);
    ASSERT_EQ(std::multiset(a.brakes.begin(), a.brakes.end()),
              std::multiset(b.brakes.begin(), b.brakes.end()));
    ASSERT_EQ(a.holder == nullptr, b.holder == nullptr);
    if (a.holder != nullptr) CompareHolders(*a.holder, *b.holder);
    Meet(a.root, b.root);
  }

  void CompareLoops(const std::vector<LoopSlot>& a, const std::vector<LoopSlot>& b) {
    std::map<const LoopBuffer*, const Node*> ours, theirs;
    for (const LoopSlot& slot : a) ours[slot.buffer] = slot.root;
    for (const LoopSlot& slot : b) theirs[slot.buffer] = slot.root;
    ASSERT_EQ(ours.size(), a.size());
    ASSERT_EQ(theirs.size(), b.size());
    ASSERT_EQ(ours.size(), theirs.size());
    for (const auto& [buffer, root] : ours) {
      ASSERT_TRUE(theirs.contains(buffer));
      Meet(root, theirs.at(buffer));
    }
  }

  // By their places in the schedulers of the plans.
  static std::multiset<std::pair<uint32_t, uint32_t>> Leaves(const Plan& plan,
                                                             const std::vector<LeafDoor*>& doors) {
    std::multiset<std::pair<uint32_t, uint32_t>> leaves;
    for (const LeafDoor* door : doors) {
      const size_t before = leaves.size();
      for (const auto& [worker, scheduler] : plan.schedules->by_worker) {
        for (uint32_t leaf = 0; leaf < scheduler->leaves().size(); ++leaf) {
          if (&scheduler->door(leaf) == door) leaves.emplace(worker, leaf);
        }
      }
      EXPECT_EQ(leaves.size(), before + 1) << "a door of another plan";
    }
    return leaves;
  }

  void CompareHolders(const Holder& a, const Holder& b) {
    ASSERT_EQ(a.module, b.module);
    ASSERT_EQ(a.brake, b.brake);
    ASSERT_EQ(Leaves(actual_, a.doors), Leaves(expected_, b.doors));
    ASSERT_EQ(Leaves(actual_, a.feeders), Leaves(expected_, b.feeders));
  }

  // The same place in both; to be compared once.
  void Meet(const Node* a, const Node* b) {
    const auto [known, is_new] = match_.emplace(a, b);
    ASSERT_EQ(known->second, b);
    if (is_new) pending_.emplace_back(a, b);
  }

  void CompareSelf(const Node& a, const Node& b) {
    if (a.self == b.self) return;
    for (const auto& part : actual_.parts) {
      if (part == nullptr) continue;
      for (const auto& [m, holder] : part->holders) {
        if (&holder == a.self) return CompareHolders(holder, *static_cast<Holder*>(b.self));
      }
    }
    const auto& ours = *static_cast<const std::vector<ClearRange>*>(a.self);
    const auto& theirs = *static_cast<const std::vector<ClearRange>*>(b.self);
    ASSERT_TRUE(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                           [](const ClearRange& left, const ClearRange& right) {
                             return left.offset == right.offset && left.size == right.size;
                           }));
  }

  void CompareNodes(const Node& a, const Node& b) {
    ASSERT_EQ(a.process, b.process);
    CompareSelf(a, b);
    ASSERT_EQ(a.counts, b.counts);
    ASSERT_EQ(a.ledger, b.ledger);
    ASSERT_EQ(a.cell, b.cell);
    ASSERT_EQ(a.igate, b.igate);
    ASSERT_EQ(a.num_out, b.num_out);
    for (uint32_t gate = 0; gate < a.num_out; ++gate) {
      ASSERT_EQ(a.out[gate] == nullptr, b.out[gate] == nullptr);
      if (a.out[gate] == nullptr) continue;
      // Roots of buffers come after all they lead to, and nothing leads to them.
      ASSERT_TRUE(a.out[gate]->rank > a.rank || (a.process == nullptr && a.counts == nullptr));
      ASSERT_EQ(&a + (a.out[gate]->rank - int64_t{a.rank}), a.out[gate]) << "not of its part";
      Meet(a.out[gate], b.out[gate]);
    }
  }

  const Plan& actual_;
  const Plan& expected_;
  std::map<const Node*, const Node*> match_;
  std::vector<std::pair<const Node*, const Node*>> pending_;
};

class RandomEdits {
 public:
  explicit RandomEdits(uint32_t seed) : rng_(seed), attributes_(4 + Below(6)) {
    for (uint32_t n = 2 + Below(25); n > 0; --n) AddModule();
    for (uint32_t n = Below(30); n > 0; --n) Connect();
    Check();
  }

  // One edit or a few at once; a graph that is refused is taken back.
  void Step() {
    for (uint32_t n = Below(4) == 0 ? 5 : 1; n > 0; --n) Edit();
    Check();
  }

  uint64_t refused = 0;
  uint64_t kept = 0;   // parts
  uint64_t loops = 0;  // cut by plans

 private:
  uint32_t Below(size_t n) { return static_cast<uint32_t>(rng_() % n); }
  std::string AnyModule() {
    return std::next(test_.graph.modules.begin(), Below(test_.graph.modules.size()))->first;
  }
  std::optional<uint32_t> AnyWorker() {
    const uint32_t worker = Below(kWorkers + 1);
    return worker == kWorkers ? std::nullopt : std::optional(worker);
  }

  void Edit() {
    if (test_.graph.modules.size() < 2) return AddModule();
    switch (Below(12)) {
      case 0:
        return AddModule();
      case 1:
        return RemoveModule();
      case 2:
      case 3:
      case 4:
        return Connect();
      case 5:
      case 6:
      case 7:
        return Disconnect();
      case 8:
        return AddInputHook();
      case 9:
        return MoveTask();
      case 10:
        return Below(20) == 0 ? test_.graph.RemoveAll() : ReplaceModule();
      default:
        return Disconnect();
    }
  }

  void AddModule() { AddModule(absl::StrCat("m", 50 - count_ % 50, "_", count_)); }

  void AddModule(const std::string& name) {
    ++count_;
    ModuleInfo info = TestModule::kInfo;
    info.igates_alike = Below(2) == 0;
    if (Below(8) == 0) info.max_workers = 1;
    const uint32_t kind = Below(5);
    if (kind == 0) info.igates = 0;
    if (kind == 1) info.holds_packets = true;
    TestModule& module = test_.Add(name, info);
    module.brakes = Below(2) == 0;
    for (uint32_t tasks = kind < 2 ? 1 + Below(2) : 0; tasks > 0; --tasks) {
      test_.AddTask(name, AnyWorker());
    }
    for (uint32_t i = 0; i < attributes_; ++i) {
      if (Below(6) != 0) continue;
      // One in a hundred is not of the size the name has elsewhere.
      const uint32_t size = i % 3 == 0 ? 31 : 24;
      constexpr AttributeMode kModes[] = {AttributeMode::kRead, AttributeMode::kWrite,
                                          AttributeMode::kUpdate};
      ASSERT_TRUE(module
                      .AddAttribute(absl::StrCat("x", i), Below(100) == 0 ? size + 1 : size,
                                    kModes[Below(3)])
                      .ok());
    }
  }

  void RemoveModule() { ASSERT_TRUE(test_.graph.Remove({AnyModule()}).ok()); }

  void ReplaceModule() {
    const std::string name = AnyModule();
    ASSERT_TRUE(test_.graph.Remove({name}).ok());
    AddModule(name);
  }

  void Connect() {
    Hooks hooks;
    if (Below(4) == 0) hooks.push_back(MakeLogHook("crossed"));
    if (Below(2) == 0)
      hooks.insert(hooks.begin() + Below(2) % (hooks.size() + 1), MakeTrack("counted"));
    test_.graph.Connect(AnyModule(), Below(kGates), AnyModule(), Below(kGates), std::move(hooks))
        .IgnoreError();
  }

  void Disconnect() {
    for (int attempt = 0; attempt < 10; ++attempt) {
      if (*test_.graph.Disconnect(AnyModule(), Below(kGates)) != nullptr) return;
    }
  }

  void AddInputHook() {
    test_.graph.Edit(AnyModule()).in_hooks[Below(kGates)] = {MakeLogHook("entered")};
  }

  void MoveTask() {
    const auto& classes = test_.graph.classes.classes();
    if (classes.empty()) return;
    const std::string leaf = std::next(classes.begin(), Below(classes.size()))->first;
    test_.graph.classes.Assign(leaf, AnyWorker());
  }

  // Of all edges and workers.
  uint64_t Buffers() const {
    uint64_t buffers = 0;
    for (const auto& [name, entry] : test_.graph.modules) {
      for (const auto& [ogate, gate] : entry->out) {
        buffers += static_cast<uint64_t>(std::popcount(gate.edge->workers()));
      }
    }
    return buffers;
  }

  void Check() {
    const auto graph = std::make_shared<const Graph>(test_.graph);
    const uint64_t before = Buffers();
    auto edited = Compile(graph, plan_.get());
    // A buffer stays with its edge, and what may wait there keeps attributes from moving.
    if (Buffers() != before) edited = Compile(graph, plan_.get());
    const auto whole = Compile(graph);
    ASSERT_EQ(edited.status(), whole.status());
    if (!edited.ok()) {
      ++refused;
      test_.graph = accepted_;
      return;
    }
    Comparison(**edited, **whole).Run();
    if (testing::Test::HasFatalFailure()) return;
    Count(**edited);
    plan_ = *std::move(edited);
    test_.graph.attributes = plan_->places;
    accepted_ = test_.graph;
  }

  void Count(const Plan& plan) {
    const auto parts = std::count_if(plan.parts.begin(), plan.parts.end(),
                                     [](const auto& part) { return part != nullptr; });
    kept += static_cast<uint64_t>(parts) - plan.made.size();
    for (const auto& worker : plan.workers) loops += worker == nullptr ? 0 : worker->loops.size();
  }

  std::mt19937 rng_;
  const uint32_t attributes_;
  TestGraph test_;
  Graph accepted_;
  std::unique_ptr<Plan> plan_;
  uint32_t count_ = 0;
};

TEST(CompileEditTest, AnEditedPlanIsThePlanOfTheEditedGraph) {
  constexpr uint64_t kEdits = 60;
  const uint64_t seeds = SoakPackets(150 * kEdits) / kEdits;
  uint64_t refused = 0, kept = 0, loops = 0;
  for (uint32_t seed = 0; seed < seeds; ++seed) {
    RandomEdits edits(seed);
    for (uint64_t edit = 0; edit < kEdits; ++edit) {
      edits.Step();
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", edit " << edit;
    }
    refused += edits.refused;
    kept += edits.kept;
    loops += edits.loops;
  }
  // The edits are worth making.
  EXPECT_GT(refused, seeds / 4);
  EXPECT_LT(refused, seeds * kEdits / 3);
  EXPECT_GT(kept, seeds * kEdits);
  EXPECT_GT(loops, seeds * kEdits / 20);
}

// --- what an edit costs -------------------------------------------------------------------------

// Pipelines of a source, `length` - 2 modules and a sink: p0_0 -> p0_1 -> ...
void BuildPipelines(TestGraph& test, uint32_t pipelines, uint32_t length) {
  for (uint32_t p = 0; p < pipelines; ++p) {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < length; ++i) names.push_back(absl::StrCat("p", p, "_", i));
    test.AddSource(names.front(), p % 2);
    for (uint32_t i = 1; i + 1 < length; ++i) test.Add(names[i]);
    test.AddSink(names.back());
    test.Chain(names);
  }
}

size_t ModulesMade(const Plan& plan) {
  size_t modules = 0;
  for (const uint32_t part : plan.made) modules += plan.parts[part]->topology.size();
  return modules;
}

TEST(CompileEditTest, WhatAnEditMakesDoesNotGrowWithTheGraph) {
  for (const uint32_t pipelines : {20u, 200u, 2000u}) {
    TestGraph test;
    BuildPipelines(test, pipelines, 5);
    const auto whole = Compile(std::make_shared<const Graph>(test.graph));
    ASSERT_TRUE(whole.ok());
    EXPECT_EQ(ModulesMade(**whole), 5 * pipelines);
    ASSERT_TRUE(test.graph.Disconnect("p7_1", 0).ok());
    const auto cut = Compile(std::make_shared<const Graph>(test.graph), whole->get());
    ASSERT_TRUE(cut.ok());
    EXPECT_EQ((*cut)->made.size(), 2u);
    EXPECT_EQ(ModulesMade(**cut), 5u);
    test.Connect("p7_1", 0, "p8_2");
    const auto joined = Compile(std::make_shared<const Graph>(test.graph), cut->get());
    ASSERT_TRUE(joined.ok());
    EXPECT_EQ((*joined)->made.size(), 1u);
    EXPECT_EQ(ModulesMade(**joined), 7u);
    EXPECT_EQ((*joined)->schedules, (*whole)->schedules);
    test.AddSource("more", 1);
    const auto more = Compile(std::make_shared<const Graph>(test.graph), joined->get());
    ASSERT_TRUE(more.ok());
    EXPECT_EQ(ModulesMade(**more), 1u);
  }
}

TEST(CompileEditTest, APartThatIsKeptGoesOnInTheNextPlan) {
  TestGraph test;
  BuildPipelines(test, 4, 4);
  const Plan* plan = &test.MustCompile();
  PlanRunner runner(0);
  for (int edit = 0; edit < 6; ++edit) {
    runner.Adopt(*plan);
    test.Feed("p0_0", 100);
    test.Feed("p2_0", 10);
    runner.Rounds(3);
    if (edit % 2 == 0) {
      ASSERT_TRUE(test.graph.Disconnect("p2_1", 0).ok());
    } else {
      test.Connect("p2_1", 0, "p2_2");
    }
    auto next = Compile(std::make_shared<const Graph>(test.graph), plan);
    ASSERT_TRUE(next.ok());
    EXPECT_EQ((*next)->workers[0]->tasks[0].root, plan->workers[0]->tasks[0].root);
    EXPECT_NE((*next)->workers[0]->tasks[1].root, plan->workers[0]->tasks[1].root);
    plan = next->get();
    test.plans.push_back(*std::move(next));
  }
  EXPECT_EQ(test.At("p0_3").taken.size(), 600u);
  EXPECT_EQ(test.At("p2_3").taken.size(), 30u);
  EXPECT_EQ(test.dropped(DropReason::kDeadEnd), 30u);
  test.CheckBooks();
}

// Two names that share bytes meet, so one moves, far from there, too.
TEST(CompileEditTest, AnAttributeThatMovesDoesSoEverywhere) {
  TestGraph test;
  for (const char* name : {"w0", "m0", "r0", "w1", "r1", "w2", "r2"}) test.Add(name);
  const auto use = [&](const char* module, const char* name, AttributeMode mode) {
    ASSERT_TRUE(test.At(module).AddAttribute(name, 4, mode).ok());
  };
  use("w0", "a", AttributeMode::kWrite);
  for (const char* name : {"a", "b"}) use("r0", name, AttributeMode::kRead);
  for (const char* module : {"w1", "w2"}) use(module, "b", AttributeMode::kWrite);
  for (const char* module : {"r1", "r2"}) use(module, "b", AttributeMode::kRead);
  test.Chain({"w0", "m0", "r0"});
  test.Chain({"w1", "r1"});
  test.Chain({"w2", "r2"});
  test.graph.attributes = {{"a", 0}, {"b", 0}};
  const Plan& plan = test.MustCompile();
  EXPECT_THAT(plan.offsets("w2"), ElementsAre(0));
  test.Connect("w1", 1, "m0");
  const auto graph = std::make_shared<const Graph>(test.graph);
  const auto next = Compile(graph, &plan);
  ASSERT_TRUE(next.ok());
  EXPECT_THAT((*next)->offsets("w0"), ElementsAre(0));
  EXPECT_THAT((*next)->offsets("w2"), ElementsAre((*next)->places.at("b")));
  EXPECT_GT((*next)->places.at("b"), 0);
  Comparison(**next, **Compile(graph)).Run();
}

// The next plan must empty what the last one cut, whoever made a plan in between.
TEST(CompileEditTest, ACycleIsLaidOutAnewEachTime) {
  TestGraph test;
  BuildPipelines(test, 2, 4);
  test.Connect("p0_2", 1, "p0_1", 1);
  const Plan& plan = test.MustCompile();
  test.graph.Edit("p1_1").in_hooks[0] = {MakeLogHook("hook")};
  const auto next = Compile(std::make_shared<const Graph>(test.graph), &plan);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(ModulesMade(**next), 8u);
  EXPECT_EQ((*next)->workers[0]->loops.size(), 1u);
}

TEST(CompileEditTest, ModulesAreFoundByTheirNumbers) {
  TestGraph test;
  BuildPipelines(test, 3, 3);
  const Plan& plan = test.MustCompile();
  ASSERT_TRUE(test.graph.Remove({"p1_1"}).ok());
  test.Add("again");
  test.Connect("again", 0, "p2_2");
  const auto next = Compile(std::make_shared<const Graph>(test.graph), &plan);
  ASSERT_TRUE(next.ok());
  EXPECT_THAT(WorkersOf(**next, "again"), testing::IsEmpty());
  EXPECT_THAT(WorkersOf(**next, "p2_2"), ElementsAre(0));
  EXPECT_THAT(WorkersOf(**next, "p1_2"), testing::IsEmpty());
}

}  // namespace
}  // namespace bess
