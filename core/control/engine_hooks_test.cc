// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/graph/track.h"

namespace bess {
namespace {

// Made as often as `most` says, then no more.
class TestHook : public GateHook {
 public:
  static constexpr HookInfo kInfo = {.name = "TestHook", .help = "for tests"};
  absl::Status Init(const pb::EmptyArg&) {
    if (made == most) return Error(EMFILE, "no more");
    ++made;
    return absl::OkStatus();
  }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
  bool finished() const override { return is_finished; }

  static inline int made = 0;
  static inline int most = 0;
  std::atomic<bool> is_finished{false};
};
REGISTER_GATE_HOOK(TestHook);

class TestSharedHook final : public TestHook {
 public:
  static constexpr HookInfo kInfo = {.name = "TestSharedHook", .help = "for tests", .shared = true};
  absl::Status Init(const pb::EmptyArg& arg) { return TestHook::Init(arg); }
};
REGISTER_GATE_HOOK(TestSharedHook);

class EngineHooksTest : public EngineTest {
 protected:
  EngineHooksTest() {
    TestHook::made = 0;
    TestHook::most = 1000;
  }
  const Hooks& OutHooks(const std::string& name) {
    plan_ = engine_->plan();
    return plan_->graph->Find(name)->out.at(0).hooks;
  }
  size_t InHooks(const std::string& name, uint32_t igate) {
    plan_ = engine_->plan();
    const auto& hooks = plan_->graph->Find(name)->in_hooks;
    const auto it = hooks.find(igate);
    return it == hooks.end() ? 0 : it->second.size();
  }

  std::shared_ptr<const Plan> plan_;
};

TEST_F(EngineHooksTest, ConnectionsAreTracked) {
  StartChain();
  ASSERT_EQ(OutHooks("pass").size(), 1u);
  const auto& track = static_cast<const Track&>(*OutHooks("pass")[0]);
  EXPECT_TRUE(Eventually([&] { return track.counts().packets > 0; }));
  ASSERT_TRUE(engine_->PauseAll().ok());
  EXPECT_EQ(track.counts().packets, Consumed());
  ASSERT_TRUE(
      engine_->RunHookCommand("Track", "", {.module = "pass", .gate = 0}, "reset", {}, nullptr)
          .ok());
  EXPECT_EQ(track.counts().packets, 0u);
}

TEST_F(EngineHooksTest, DefaultHooksCanBeSkipped) {
  Create("pass", "TestPass");
  Create("sink", "TestSink");
  ASSERT_TRUE(engine_->Connect("pass", 0, "sink", 0, /*default_hooks=*/false).ok());
  EXPECT_TRUE(OutHooks("pass").empty());
}

TEST_F(EngineHooksTest, HooksComeAndGoUnderTraffic) {
  StartChain();
  const HookTarget input = {.module = "pass", .output = false, .gate = 0};
  EXPECT_EQ(*engine_->AddHook("Track", "mine", input, {}), "mine");
  ExpectError(engine_->AddHook("Track", "mine", input, {}).status(), EEXIST, "'mine'");
  EXPECT_EQ(InHooks("pass", 0), 1u);
  ASSERT_TRUE(engine_->RemoveHook("Track", "mine", input).ok());
  EXPECT_EQ(InHooks("pass", 0), 0u);
  ExpectError(engine_->RemoveHook("Track", "mine", input), ENOENT, "gate 0");
}

TEST_F(EngineHooksTest, AllGatesOfAllModules) {
  StartChain();
  ASSERT_TRUE(engine_->AddHook("Track", "extra", {}, {}).ok());
  EXPECT_EQ(OutHooks("source").size(), 2u);
  EXPECT_EQ(OutHooks("pass").size(), 2u);
  ASSERT_TRUE(engine_->RemoveHook("Track", "", {}).ok());
  EXPECT_TRUE(OutHooks("source").empty());
  EXPECT_TRUE(engine_->RemoveHook("Track", "", {}).ok()) << "none left is fine for all";
}

TEST_F(EngineHooksTest, AFailureHalfWayThroughManyGatesChangesNothing) {
  StartChain();
  const auto before = engine_->plan();
  TestHook::most = 1;
  ExpectError(engine_->AddHook("TestHook", "mine", {}, {}).status(), EMFILE, "no more");
  EXPECT_EQ(TestHook::made, 1) << "the first gate had one";
  EXPECT_EQ(engine_->plan(), before);
  ASSERT_TRUE(engine_->AddHook("Track", "mine", {.module = "source", .gate = 0}, {}).ok());
  const auto with_one = engine_->plan();
  TestHook::most = 1000;
  ExpectError(engine_->AddHook("TestHook", "mine", {}, {}).status(), EEXIST, "'source'");
  EXPECT_EQ(engine_->plan(), with_one);
}

TEST_F(EngineHooksTest, ASharedHookIsOneForAllGatesOfARequest) {
  StartChain();
  ASSERT_TRUE(engine_->AddHook("TestSharedHook", "mine", {}, {}).ok());
  EXPECT_EQ(TestHook::made, 1);
  const auto hook = OutHooks("source").front();
  EXPECT_EQ(hook, OutHooks("pass").front());
  ASSERT_TRUE(engine_->RemoveHook("TestSharedHook", "mine", {.module = "pass", .gate = 0}).ok());
  EXPECT_EQ(OutHooks("pass").size(), 1u);
  EXPECT_EQ(OutHooks("source").front(), hook);
}

TEST_F(EngineHooksTest, AFinishedHookIsTakenOffItsGates) {
  StartChain();
  ASSERT_TRUE(engine_->AddHook("TestSharedHook", "mine", {}, {}).ok());
  ASSERT_TRUE(engine_->AddHook("TestHook", "stays", {.module = "pass", .gate = 0}, {}).ok());
  static_cast<TestHook&>(*OutHooks("source").front()).is_finished = true;
  EXPECT_TRUE(Eventually([&] { return OutHooks("source").size() == 1; }));
  ASSERT_EQ(OutHooks("pass").size(), 2u);
  EXPECT_EQ(OutHooks("pass").front()->name(), "stays");
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; })) << "traffic goes on";
}

TEST_F(EngineHooksTest, ACommandFindsItsHookByNameAlone) {
  StartChain();
  const HookTarget gate0 = {.module = "pass", .gate = 0};
  ASSERT_TRUE(engine_->AddHook("Track", "mine", gate0, {}).ok());
  EXPECT_TRUE(engine_->RunHookCommand("", "mine", gate0, "reset", {}, nullptr).ok());
  ExpectError(engine_->RunHookCommand("", "absent", gate0, "reset", {}, nullptr), ENOENT, "hook");
}

TEST_F(EngineHooksTest, CommandsTakeNoArgument) {
  StartChain();
  google::protobuf::Any wrong;
  pb::TrackArg argument;
  argument.set_bits(true);
  wrong.PackFrom(argument);
  const HookTarget gate0 = {.module = "pass", .gate = 0};
  ExpectError(engine_->RunHookCommand("Track", "", gate0, "reset", wrong, nullptr), EINVAL,
              "EmptyArg");
}

TEST_F(EngineHooksTest, RefusesWhatIsNotThere) {
  StartChain();
  const auto before = engine_->plan();
  const HookTarget gate0 = {.module = "pass", .gate = 0};
  ExpectError(engine_->AddHook("Nonsense", "", gate0, {}).status(), ENOENT, "'Nonsense'");
  ExpectError(engine_->AddHook("Track", "", {.module = "nobody"}, {}).status(), ENOENT, "'nobody'");
  ExpectError(engine_->AddHook("Track", "", {.module = "pass", .gate = 4}, {}).status(), EINVAL,
              "gate 4");
  ExpectError(engine_->AddHook("Track", "", {.module = "pass", .gate = 3}, {}).status(), EINVAL,
              "not connected");
  ExpectError(engine_->RunHookCommand("Track", "", gate0, "dance", {}, nullptr), ENOTSUP,
              "'dance'");
  ExpectError(engine_->RunHookCommand("Track", "absent", gate0, "reset", {}, nullptr), ENOENT,
              "hook");
  google::protobuf::Any wrong;
  wrong.PackFrom(pb::TcpdumpArg());
  ExpectError(engine_->AddHook("Track", "", gate0, wrong).status(), EINVAL, "TcpdumpArg");
  EXPECT_EQ(engine_->plan(), before);
}

}  // namespace
}  // namespace bess
