// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/control/transact_testing.h"
#include "gmock/gmock.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EngineApplyTest : public TransactTest {
 protected:
  // source -> knob -> dial -> sink, told some things, under a class of its own.
  void Build() {
    ASSERT_TRUE(engine_->AddWorker(0, AllowedCores().front(), "").ok());
    ASSERT_TRUE(engine_->AddClass("fair", {.policy = TcPolicy::kRoundRobin}, {.worker = 0}).ok());
    Create("knob", "TestKnob");
    Create("dial", "TestDial");
    Create("sink", "TestSink");
    Create("source", "TestSource");
    Connect("source", "knob");
    Connect("knob", "dial");
    Connect("dial", "sink");
    ASSERT_TRUE(engine_->MoveClass(LeafName("source", 0), {.parent = "fair"}).ok());
    ASSERT_TRUE(
        engine_->AddHook("Track", "mine", {.module = "knob", .output = false, .gate = 0}, {}).ok());
    Tell("knob", "set", 7);
    Tell("dial", "turn", 3);
    Tell("dial", "turn", 4);
    ASSERT_TRUE(Eventually([&] { return Consumed() > 0; }));
  }
  native::Module& ModuleOf(native::State& state, const std::string& name) {
    return *std::find_if(state.mutable_modules()->begin(), state.mutable_modules()->end(),
                         [&](const auto& module) { return module.name() == name; });
  }
  std::vector<std::string> Differences(const native::State& state) {
    const auto result = Apply(state);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? Summary(result->changes) : std::vector<std::string>();
  }
};

TEST_F(EngineApplyTest, TheStateItselfChangesNothing) {
  Build();
  const uint64_t version = engine_->version();
  const std::string before = StateBytes();
  EXPECT_THAT(Differences(State()), IsEmpty());
  EXPECT_EQ(engine_->version(), version);
  EXPECT_EQ(StateBytes(), before);
}

TEST_F(EngineApplyTest, AnEmptyEngineBecomesTheSame) {
  Build();
  const native::State state = State();
  const std::string before = StateBytes();
  ASSERT_TRUE(engine_->ResetAll().ok());
  ASSERT_TRUE(Apply(state).ok()) << problems_.front().path << problems_.front().status;
  EXPECT_EQ(StateBytes(), before);
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 7);
  EXPECT_EQ(ValueOf("dial", "get_sum"), 7);
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
}

TEST_F(EngineApplyTest, WhatIsTheSameIsTheSameModule) {
  Build();
  native::State state = State();
  const Module* source = &module("source");
  const Module* knob = &module("knob");
  const Module* dial = &module("dial");
  ModuleOf(state, "knob").mutable_config()->CopyFrom(Packed(8));
  auto& turn = *ModuleOf(state, "dial").add_commands();
  turn.set_cmd("turn");
  *turn.mutable_arg() = Packed(10);
  ModuleOf(state, "sink").set_name("drain");
  state.mutable_connections(0)->set_to("drain");
  EXPECT_THAT(Differences(state), ElementsAre("*connections/dial:0", "*modules/dial",
                                              "+modules/drain", "*modules/knob", "-modules/sink"));
  EXPECT_EQ(&module("source"), source);
  EXPECT_EQ(&module("knob"), knob);
  EXPECT_EQ(&module("dial"), dial);
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 8);
  EXPECT_EQ(ValueOf("dial", "get_sum"), 17);
  EXPECT_TRUE(Eventually([&] { return Consumed("drain") > 0; }));
}

TEST_F(EngineApplyTest, CommandsCountByWhatTheyComeTo) {
  Build();
  native::State state = State();
  native::Module& knob = ModuleOf(state, "knob");
  knob.clear_config();
  for (const int64_t value : {1, 2, 7}) {
    auto& set = *knob.add_commands();
    set.set_cmd("set");
    *set.mutable_arg() = Packed(value);
  }
  EXPECT_THAT(Differences(state), IsEmpty());
}

TEST_F(EngineApplyTest, OtherArgumentsOrCommandsMakeAnotherModule) {
  Build();
  native::State state = State();
  *ModuleOf(state, "knob").mutable_arg() = Packed(1);
  ModuleOf(state, "dial").mutable_commands()->DeleteSubrange(0, 1);
  EXPECT_THAT(Differences(state), ElementsAre("!modules/dial", "!modules/knob"));
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 7);
  EXPECT_EQ(ValueOf("dial", "get_sum"), 4);
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; })) << "hooks and links are there again";
  EXPECT_EQ(State().gate_hooks_size(), 1);
}

TEST_F(EngineApplyTest, ClassesMoveAndGo) {
  Build();
  native::State state = State();
  for (auto& tc : *state.mutable_classes()) {
    if (tc.name() == "fair") {
      tc.set_name("fast");
      tc.set_policy("priority");
    } else {
      tc.set_parent("fast");
      tc.set_priority(5);
    }
  }
  EXPECT_THAT(Differences(state),
              ElementsAre("*classes/!leaf_source:0", "-classes/fair", "+classes/fast"));
  EXPECT_THAT(Differences(state), IsEmpty());
  for (auto& tc : *state.mutable_classes()) {
    if (tc.name() == "fast") tc.clear_place();
  }
  EXPECT_THAT(Differences(state), IsEmpty()) << "any worker will do";
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

TEST_F(EngineApplyTest, TheWorkerNobodyAskedForGivesWay) {
  StartChain();
  native::State state = State();
  ASSERT_TRUE(state.workers(0).automatic());
  state.mutable_workers(0)->set_wid(1);
  state.mutable_workers(0)->set_automatic(false);
  state.clear_classes();
  EXPECT_THAT(Differences(state),
              ElementsAre("*classes/!leaf_source:0", "-workers/0", "+workers/1"));
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

TEST_F(EngineApplyTest, EveryProblemHasItsPath) {
  Build();
  const std::string before = StateBytes();
  native::State state = State();
  ModuleOf(state, "knob").mutable_config()->CopyFrom(Packed(-1));
  auto& bad = *state.add_modules();
  bad.set_name("bad");
  bad.set_mclass("Nonsense");
  auto& link = *state.add_connections();
  link.set_from("nobody");
  link.set_to("sink");
  EXPECT_FALSE(Apply(state).ok());
  std::vector<std::string> paths;
  for (const Problem& problem : problems_) paths.push_back(problem.path);
  EXPECT_THAT(paths, ElementsAre("modules/knob", "modules/bad", "connections/nobody:0"));
  EXPECT_EQ(StateBytes(), before);
  *state.add_workers() = state.workers(0);
  ExpectError(Apply(state).status(), EEXIST, "twice");
}

TEST_F(EngineApplyTest, EarlierStatesComeBack) {
  Build();
  uint64_t version = engine_->version();
  const std::string before = StateBytes();
  Tell("knob", "set", 9);
  ASSERT_TRUE(engine_->DestroyModule("dial").ok());
  Tell("knob", "set", 11);
  const auto earlier = engine_->ConfigurationAt(&version);
  ASSERT_TRUE(earlier.ok()) << earlier.status();
  ASSERT_TRUE(engine_->Apply(*earlier, {}, &problems_).ok());
  EXPECT_EQ(StateBytes(), before);
  uint64_t never = 4711;
  ExpectError(engine_->ConfigurationAt(&never).status(), ENOENT, "no version 4711");
}

TEST_F(EngineApplyTest, WhatCannotComeBackIsLeftOut) {
  Build();
  uint64_t version = 0;
  Configuration wanted = engine_->ConfigurationAt(&version).value();
  wanted.at("modules/dial").mutable_module()->set_mclass("Gone");
  ASSERT_TRUE(engine_->ResetAll().ok());
  ASSERT_TRUE(engine_->Restore(History(100, wanted), nullptr).ok());
  EXPECT_EQ(engine_->version(), 101u);
  EXPECT_EQ(State().modules_size(), 3);
  EXPECT_EQ(State().connections_size(), 1);
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 7);
}

}  // namespace
}  // namespace bess
