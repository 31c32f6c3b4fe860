// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"

namespace bess {
namespace {

// Numbers its packets.
class TestNumbered final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestNumbered", .help = "numbers", .igates = 0};

  absl::Status Init(const pb::EmptyArg&) { return AddTask(0); }
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    constexpr uint32_t kBurst = 8;
    if (!host().pool().Alloc(batch.begin(), kBurst, 60)) return {.blocked = true};
    batch.set_size(kBurst);
    for (Packet* packet : batch) StoreUnaligned(packet->data(), next_++);
    context.ledger().created.Add(kBurst);
    context.Emit(0, batch);
    return {.packets = kBurst, .bits = kBurst * 60 * 8};
  }

 private:
  uint64_t next_ = 0;
};
REGISTER_MODULE(TestNumbered);

// Wants each number to be the one after the last.
class TestInOrder final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestInOrder", .help = "checks", .ogates = 0};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) {
    for (const Packet* packet : batch) {
      const auto number = LoadUnaligned<uint64_t>(packet->data());
      gaps += any_ && number != last_ + 1 ? 1 : 0;
      any_ = true;
      last_ = number;
    }
    context.ledger().consumed.Add(batch.size());
    FreeBatch(batch);
  }

  std::atomic<uint64_t> gaps{0};

 private:
  bool any_ = false;
  uint64_t last_ = 0;
};
REGISTER_MODULE(TestInOrder);

constexpr TcParams kRound = {.policy = TcPolicy::kRoundRobin};

class EngineClassesTest : public EngineTest {
 protected:
  void AddWorkers(int64_t n) {
    for (int64_t id = 0; id < n; ++id) {
      ASSERT_TRUE(engine_->AddWorker(id, AllowedCores().front(), "").ok());
    }
  }
  std::optional<uint32_t> WorkerOf(const std::string& name) {
    return engine_->plan()->graph->classes.WorkerOf(name);
  }
  std::shared_ptr<ClassState> State(const std::string& name) {
    return engine_->plan()->graph->classes.Find(name)->state;
  }
  // Nothing was dropped since the chain was whole; before, the source had nowhere to send to.
  void ExpectNothingLost() {
    uint64_t held = 0;
    const LedgerTotals books = Books(&held);
    const uint64_t too_early = books.dropped[static_cast<size_t>(DropReason::kDeadEnd)];
    EXPECT_EQ(books.all_dropped(), too_early);
    EXPECT_EQ(books.created, books.consumed + too_early);
    EXPECT_EQ(held, 0u);
  }
  void ExpectFlow() {
    const uint64_t before = Consumed();
    EXPECT_TRUE(Eventually([&] { return Consumed() > before + 1000; }));
  }
};

TEST_F(EngineClassesTest, AddingAClassStartsTheDefaultWorker) {
  ASSERT_TRUE(engine_->AddClass("top", kRound, {}).ok());
  ASSERT_EQ(engine_->ListWorkers().size(), 1u);
  EXPECT_EQ(WorkerOf("top"), 0u);
  EXPECT_EQ(engine_->ListWorkers()[0].classes, 1u);
  EXPECT_EQ(engine_->ListWorkers()[0].tasks, 0u);
}

TEST_F(EngineClassesTest, AWorkerThatIsNotThereIsRefused) {
  AddWorkers(1);
  ExpectError(engine_->AddClass("top", kRound, {.worker = 3}), EINVAL, "worker 3");
  ExpectError(engine_->AddClass("top", kRound, {.worker = 99}), EINVAL, "not 99");
  EXPECT_TRUE(engine_->plan()->graph->classes.classes().empty());
}

TEST_F(EngineClassesTest, OrphansGoRoundTheWorkersOnResume) {
  AddWorkers(2);
  ASSERT_TRUE(engine_->PauseAll().ok());
  ASSERT_TRUE(engine_->AddClass("a", kRound, {}).ok());
  ASSERT_TRUE(engine_->AddClass("b", kRound, {}).ok());
  EXPECT_EQ(WorkerOf("a"), std::nullopt);
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_NE(WorkerOf("a"), WorkerOf("b"));
}

TEST_F(EngineClassesTest, TasksRunUnderTheirClass) {
  AddWorkers(1);
  StartChain();
  ASSERT_TRUE(engine_->AddClass("top", kRound, {.worker = 0}).ok());
  ASSERT_TRUE(engine_->MoveClass("!leaf_source:0", {.parent = "top"}).ok());
  EXPECT_TRUE(Eventually([&] { return State("top")->packets.Get() > 0; }));
  ExpectError(engine_->RemoveClass("top"), EBUSY, "'!leaf_source:0'");
  ExpectError(engine_->ResetClasses(), EBUSY, "'top'");
  ExpectError(engine_->DestroyWorker(0), EBUSY, "1 task(s)");
  ASSERT_TRUE(engine_->DestroyModule("source").ok());
  EXPECT_TRUE(engine_->ResetClasses().ok());
}

TEST_F(EngineClassesTest, LimitsActOnRunningTasks) {
  AddWorkers(1);
  StartChain();
  const TcParams stopped = {TcPolicy::kRateLimit, TcResource::kPacket, 1, 0};
  ASSERT_TRUE(engine_->AddClass("limit", stopped, {.worker = 0}).ok());
  ASSERT_TRUE(engine_->MoveClass("!leaf_source:0", {.parent = "limit"}).ok());
  ASSERT_TRUE(Eventually([&] { return State("limit")->packets.Get() > 0; }));
  const uint64_t before = Consumed();
  absl::SleepFor(absl::Milliseconds(20));
  EXPECT_LE(Consumed(), before + TestSource::kBurst);
  TcParams open = stopped;
  open.limit = 0;
  ASSERT_TRUE(engine_->UpdateClass("limit", open).ok());
  ExpectFlow();
}

TEST_F(EngineClassesTest, ClassesMoveBetweenRunningWorkersAndNothingIsLost) {
  AddWorkers(2);
  StartChain();
  ASSERT_TRUE(engine_->AddClass("top", kRound, {.worker = 0}).ok());
  ASSERT_TRUE(engine_->AddClass("below", kRound, {.parent = "top"}).ok());
  ASSERT_TRUE(engine_->MoveClass("!leaf_source:0", {.parent = "below"}).ok());
  const auto state = State("!leaf_source:0");
  for (uint32_t i = 0; i < 200; ++i) {
    const uint32_t worker = 1 - i % 2;
    ASSERT_TRUE(engine_->MoveClass("top", {.worker = worker}).ok());
    EXPECT_EQ(WorkerOf("!leaf_source:0"), worker);
  }
  ExpectFlow();
  EXPECT_EQ(State("!leaf_source:0"), state) << "statistics go on";
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectNothingLost();
  EXPECT_EQ(state->packets.Get(), module("source").totals().created);
}

TEST_F(EngineClassesTest, AMoveAwayFromAStuckWorkerIsRefusedAndUndone) {
  AddWorkers(2);
  StartChain();
  const auto from = WorkerOf("!leaf_source:0");
  auto& pass = static_cast<TestPass&>(module("pass"));
  pass.Catch();
  ExpectError(engine_->MoveClass("!leaf_source:0", {.worker = 1 - *from}), EBUSY,
              absl::StrCat("worker ", *from,
                           " is in module 'pass', run by class '!leaf_source:0', and does not"));
  EXPECT_EQ(WorkerOf("!leaf_source:0"), from);
  pass.stuck = false;
  ExpectFlow();
}

TEST_F(EngineClassesTest, ADestroyedWorkersClassesGoToAnother) {
  AddWorkers(2);
  ASSERT_TRUE(engine_->AddClass("top", kRound, {.worker = 1}).ok());
  ASSERT_TRUE(engine_->DestroyWorker(1).ok());
  EXPECT_EQ(WorkerOf("top"), 0u);
}

// Numbered packets all arrive, in order, though classes come, go and change and the source moves
// from worker to worker; nobody is paused.
TEST_F(EngineClassesTest, TenThousandEditsUnderLoadLoseNothing) {
  AddWorkers(2);
  Create("source", "TestNumbered");
  Create("pass", "TestPass");
  Create("sink", "TestInOrder");
  Connect("pass", "sink");
  Connect("source", "pass");
  for (int i = 0; i < 2500; ++i) {
    const std::string name = absl::StrCat("c", i);
    const auto worker = static_cast<uint32_t>(i / 16 % 2);
    const TcParams fair = {TcPolicy::kWeightedFair, TcResource::kBit};
    ASSERT_TRUE(engine_->AddClass(name, fair, {.worker = worker}).ok());
    ASSERT_TRUE(engine_->MoveClass("!leaf_source:0", {.parent = name, .share = 1 + i}).ok());
    ASSERT_TRUE(engine_->UpdateClass(name, {.resource = TcResource::kCycle}).ok());
    if (i > 0) {
      ASSERT_TRUE(engine_->RemoveClass(absl::StrCat("c", i - 1)).ok());
    }
    for (const WorkerStatus& each : engine_->ListWorkers()) EXPECT_TRUE(each.running);
  }
  ExpectFlow();
  EXPECT_EQ(static_cast<TestInOrder&>(module("sink")).gaps, 0u);
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectNothingLost();
}

}  // namespace
}  // namespace bess
