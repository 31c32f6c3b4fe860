// SPDX-License-Identifier: Apache-2.0
#include "core/base/temporary_folder_testing.h"
#include "core/control/journal.h"
#include "core/control/transact_testing.h"

namespace bess {
namespace {

// An engine whose commits fail at a step of the test's choice.
class EngineCommitTest : public TransactTest {
 protected:
  EngineCommitTest() {
    EngineOptions options;
    options.obstacle = [this](std::string_view step) {
      const bool fails = ++steps_ == fail_at_;
      return fails ? Error(ENOMEM, "no memory at '", step, "'") : absl::OkStatus();
    };
    engine_ = std::make_unique<Engine>(std::move(options), *pool_);
  }

  std::atomic<int> steps_{0};
  std::atomic<int> fail_at_{0};  // 0: nowhere
};

// Something of everything that a commit does: workers start, tasks move, modules come, go and are
// told, in the path of the packets.
Operations Everything() {
  Operations operations;
  auto& worker = *operations->add_operations()->mutable_add_worker();
  worker.set_wid(1);
  worker.set_core(AllowedCores().front());
  operations.Create("fresh", "TestPass").Command("knob", "set", 5);
  operations.Disconnect("source", 0).Connect("source", 0, "fresh").Connect("fresh", 0, "sink");
  operations.Destroy("pass");
  auto& move = *operations->add_operations()->mutable_move_class();
  move.set_name(LeafName("source", 0));
  move.set_worker(1);
  return operations;
}

TEST_F(EngineCommitTest, WhereverItFailsNothingHasChanged) {
  StartChain();
  Create("knob", "TestKnob");
  const std::string before = StateBytes();
  const size_t workers = engine_->ListWorkers().size();
  int failures = 0;
  for (;; ++failures) {
    steps_ = 0;
    fail_at_ = failures + 1;
    const absl::Status status = Run(Everything());
    if (status.ok()) break;
    ExpectError(status, ENOMEM, "no memory at");
    ASSERT_EQ(StateBytes(), before) << "after " << status;
    ASSERT_EQ(engine_->ListWorkers().size(), workers);
    const uint64_t consumed = Consumed();
    ASSERT_TRUE(Eventually([&] { return Consumed() > consumed; })) << "after " << status;
  }
  EXPECT_EQ(failures, 4) << "compile, let go, journal, tell modules";
  fail_at_ = 0;
  EXPECT_NE(StateBytes(), before);
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 5);
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectBalancedBooks();
  uint64_t held = 0;
  const DropCounts dropped = Books(&held).dropped;
  EXPECT_EQ(dropped[static_cast<size_t>(DropReason::kDeadEnd)], 0u) << "no packet lost its way";
}

// For every k: the transaction's operation k is refused.
TEST_F(EngineCommitTest, WhicheverOperationFailsNothingHasChanged) {
  StartChain();
  Create("knob", "TestKnob");
  const std::string before = StateBytes();
  const int n = Everything()->operations_size();
  for (int k = 0; k < n; ++k) {
    Operations operations = Everything();
    operations->mutable_operations(k)->mutable_destroy_module()->set_name("nobody");
    EXPECT_FALSE(Run(operations).ok());
    EXPECT_EQ(problems_.front().path, absl::StrCat("operations[", k, "]"));
    ASSERT_EQ(StateBytes(), before) << "operation " << k;
  }
  ASSERT_TRUE(engine_->PauseAll().ok());
  ExpectBalancedBooks();
}

TEST_F(EngineCommitTest, AWorkerThatIsStuckRefusesAMoveAndNothingElse) {
  StartChain();
  Create("knob", "TestKnob");
  const std::string before = StateBytes();
  auto& pass = static_cast<TestPass&>(module("pass"));
  pass.Catch();
  ExpectError(Run(Everything()), EBUSY, "does not return");
  EXPECT_EQ(StateBytes(), before);
  Create("meanwhile", "TestSink");
  pass.stuck = false;
  EXPECT_TRUE(Run(Everything()).ok());
}

// Workers take up plans each in its own time: one may still be in the module while another has the
// plan by which it comes there.
TEST_F(EngineCommitTest, AModuleForOneWorkerNeverHasTwo) {
  for (int64_t worker : {0, 1}) {
    ASSERT_TRUE(engine_->AddWorker(worker, AllowedCores().front(), "").ok());
    const std::string source = absl::StrCat("source", worker);
    Create(source, "TestSource");
    ASSERT_TRUE(engine_->MoveClass(LeafName(source, 0), {.worker = worker}).ok());
  }
  Create("single", "TestSingle");
  Create("sink", "TestSink");
  Connect("single", "sink");
  Connect("source0", "single");
  auto& single = static_cast<TestSingle&>(module("single"));
  single.Catch();
  Operations swap;
  swap.Disconnect("source0", 0).Connect("source1", 0, "single");
  ExpectError(Run(swap), EBUSY, "does not return");
  ASSERT_TRUE(engine_->Disconnect("source0", 0).ok());
  ExpectError(engine_->Connect("source1", 0, "single", 0, /*default_hooks=*/false), EBUSY,
              "does not return");
  single.stuck = false;
  Connect("source1", "single");
  const uint64_t consumed = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > consumed; }));
}

TEST_F(EngineCommitTest, ThoseThatFinishedAreInTheJournal) {
  const TemporaryFolder folder;
  History history;
  auto journal = Journal::Open(folder.path(), &history);
  ASSERT_TRUE(journal.ok()) << journal.status();
  ASSERT_TRUE(engine_->Restore(history, *std::move(journal)).ok());
  StartChain();
  Create("knob", "TestKnob");
  Tell("knob", "set", 4);
  steps_ = 0;
  fail_at_ = 4;
  EXPECT_FALSE(Run(Everything()).ok());
  fail_at_ = 0;
  const std::string before = StateBytes();
  const uint64_t version = engine_->version();
  engine_->CloseJournal();
  ASSERT_TRUE(engine_->ResetAll().ok());

  journal = Journal::Open(folder.path(), &history);
  ASSERT_TRUE(journal.ok()) << journal.status();
  ASSERT_TRUE(engine_->Restore(history, *std::move(journal)).ok());
  EXPECT_EQ(StateBytes(), before);
  EXPECT_EQ(engine_->version(), version);
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
}

}  // namespace
}  // namespace bess
