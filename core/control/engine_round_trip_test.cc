// SPDX-License-Identifier: Apache-2.0
//
// What GetState returned leads back to where it was taken, whatever has happened in between.
#include "core/control/transact_testing.h"
#include "gmock/gmock.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Of no configuration.
class TestGlance final : public GateHook {
 public:
  static constexpr HookInfo kInfo = {
      .name = "TestGlance", .help = "looks for a while", .passing = true};
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};
REGISTER_GATE_HOOK(TestGlance);

class EngineRoundTripTest : public TransactTest {
 protected:
  std::vector<std::string> Changes(const native::State& state, CommitOptions options = {}) {
    const auto result = Apply(state, options);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? Summary(result->changes) : std::vector<std::string>();
  }
  PortSettings Settings() {
    PortSettings settings;
    EXPECT_TRUE(engine_->ports()
                    .Visit("p", [&](const Port& port, const auto&) { settings = port.settings(); })
                    .ok());
    return settings;
  }
  static pb::PortConf Conf(uint32_t mtu, const std::string& mac) {
    pb::PortConf conf;
    conf.set_mtu(mtu);
    conf.set_mac_addr(mac);
    conf.set_admin_up(true);
    return conf;
  }
  static HookTarget Input(const std::string& module) {
    return {.module = module, .output = false, .gate = 0};
  }
};

TEST_F(EngineRoundTripTest, SettingsOfPortsGoBack) {
  Operations operations;
  operations.CreatePort("p");
  ASSERT_TRUE(Run(operations).ok());
  const native::State untouched = State();
  const MacAddress mac = Settings().mac;
  ASSERT_TRUE(engine_->ConfigurePort("p", Conf(1400, "")).ok());
  const native::State shorter = State();
  ASSERT_TRUE(engine_->ConfigurePort("p", Conf(4000, "02:00:00:00:00:09")).ok());
  EXPECT_THAT(Changes(shorter), ElementsAre("*ports/p"));
  EXPECT_EQ(Settings().mtu, 1400u);
  EXPECT_EQ(Settings().mac, mac);
  EXPECT_EQ(StateBytes(), shorter.SerializeAsString());
  EXPECT_THAT(Changes(untouched), ElementsAre("*ports/p"));
  EXPECT_EQ(Settings().mtu, 1500u);
  EXPECT_EQ(StateBytes(), untouched.SerializeAsString());
}

TEST_F(EngineRoundTripTest, AWorkerGoesThoughAnOpenTaskIsThere) {
  ASSERT_TRUE(engine_->PauseAll().ok());
  Create("source", "TestSource");
  Create("sink", "TestSink");
  Connect("source", "sink");
  const native::State before = State();
  ASSERT_TRUE(engine_->AddWorker(1, AllowedCores().front(), "").ok());
  ASSERT_TRUE(engine_->MoveClass(LeafName("source", 0), {.worker = 1}).ok());
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_TRUE(Apply(before).ok()) << problems_.front().status;
  EXPECT_EQ(engine_->ListWorkers().size(), 1u) << "the one nobody asked for";
}

TEST_F(EngineRoundTripTest, NamesThatAreNoLeavesAreToldSo) {
  native::State state = State();
  for (const char* name : {"!x", "!leaf_"}) {
    state.clear_classes();
    state.add_classes()->set_name(name);
    state.mutable_classes(0)->set_policy("leaf");
    EXPECT_FALSE(Apply(state).ok());
    ASSERT_EQ(problems_.size(), 1u);
    EXPECT_EQ(problems_.front().path, absl::StrCat("classes/", name));
  }
}

TEST_F(EngineRoundTripTest, HooksStayWhereNothingLeadsAnyMore) {
  StartChain();
  ASSERT_TRUE(engine_->AddHook("Track", "mine", Input("sink"), {}).ok());
  ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
  const native::State state = State();
  ASSERT_EQ(state.gate_hooks_size(), 1);
  ASSERT_TRUE(engine_->ResetAll().ok());
  ASSERT_TRUE(Apply(state).ok()) << problems_.front().status;
  EXPECT_EQ(StateBytes(), state.SerializeAsString());
}

TEST_F(EngineRoundTripTest, HooksThatOnlyLookAreNotOfTheConfiguration) {
  StartChain();
  const std::string before = StateBytes();
  const uint64_t version = engine_->version();
  ASSERT_TRUE(engine_->AddHook("TestGlance", "", Input("sink"), {}).ok());
  EXPECT_EQ(StateBytes(), before);
  EXPECT_EQ(engine_->version(), version);
  EXPECT_THAT(Changes(State()), IsEmpty());
  EXPECT_EQ(engine_->plan()->graph->Find("sink")->in_hooks.at(0).size(), 1u) << "still there";
}

TEST_F(EngineRoundTripTest, AHookMayBeCalledAsTheDefaultOneWas) {
  StartChain();
  const HookTarget gate{.module = "pass", .gate = 0};
  const std::string name = engine_->plan()->graph->Find("pass")->out.at(0).hooks.front()->name();
  ASSERT_TRUE(engine_->RemoveHook("Track", name, gate).ok());
  ASSERT_TRUE(engine_->AddHook("Track", name, gate, {}).ok());
  ASSERT_EQ(State().gate_hooks_size(), 1);
  EXPECT_EQ(State().gate_hooks(0).name(), name);
}

TEST_F(EngineRoundTripTest, GeneratedNamesOfHooksAreFree) {
  StartChain();
  const HookTarget gate{.module = "pass", .gate = 0};
  ASSERT_TRUE(engine_->AddHook("TestGlance", "testglance0", gate, {}).ok());
  const auto chosen = engine_->AddHook("TestGlance", "", gate, {});
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(*chosen, "testglance1");
}

TEST_F(EngineRoundTripTest, WhoHasAPortIsToldAndNotReplaced) {
  Operations operations;
  operations.CreatePort("p").Receive("in", "p");
  ASSERT_TRUE(Run(operations).ok());
  const Module* in = &module("in");
  native::State state = State();
  auto& command = *state.mutable_modules(0)->add_commands();
  command.set_cmd("poke");
  *command.mutable_arg() = Packed(3);
  EXPECT_THAT(Changes(state), ElementsAre("*modules/in"));
  EXPECT_EQ(&module("in"), in);
  EXPECT_EQ(ValueOf("in", "get_pokes"), 3);
}

TEST_F(EngineRoundTripTest, WhatIsSetIsSetAnew) {
  Create("memory", "TestMemory");
  Tell("memory", "set", 8);
  const Module* memory = &module("memory");
  native::State state = State();
  *state.mutable_modules(0)->mutable_commands(0)->mutable_arg() = Packed(16);
  EXPECT_THAT(Changes(state), ElementsAre("*modules/memory"));
  EXPECT_EQ(&module("memory"), memory);
  EXPECT_EQ(StateBytes(), state.SerializeAsString());
  EXPECT_THAT(Changes(state), IsEmpty());
}

TEST_F(EngineRoundTripTest, ADryRunLeavesNoTrace) {
  for (int64_t worker : {0, 1}) {
    ASSERT_TRUE(engine_->AddWorker(worker, AllowedCores().front(), "").ok());
  }
  native::State state = State();
  native::Module& source = *state.add_modules();
  source.set_name("source");
  source.set_mclass("TestSource");
  const auto tried = Apply(state, {.dry_run = true});
  const auto done = Apply(state);
  ASSERT_TRUE(tried.ok() && done.ok());
  ASSERT_EQ(tried->changes.size(), done->changes.size());
  for (size_t i = 0; i < done->changes.size(); ++i) {
    EXPECT_EQ(tried->changes[i].SerializeAsString(), done->changes[i].SerializeAsString());
  }
}

TEST_F(EngineRoundTripTest, AConfigurationIsForClassesThatHaveOne) {
  Create("dial", "TestDial");
  native::State state = State();
  *state.mutable_modules(0)->mutable_config() = Packed(3);
  EXPECT_FALSE(Apply(state).ok());
  EXPECT_EQ(problems_.front().path, "modules/dial");
}

}  // namespace
}  // namespace bess
