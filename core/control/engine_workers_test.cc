// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include <filesystem>

#include "absl/time/clock.h"
#include "core/control/engine_testing.h"

namespace bess {
namespace {

class EngineWorkersTest : public EngineTest {
 protected:
  const int core_ = AllowedCores().front();
};

TEST_F(EngineWorkersTest, RefusesBadWorkers) {
  ExpectError(engine_->AddWorker(-1, core_, ""), EINVAL, "0..63, not -1");
  ExpectError(engine_->AddWorker(64, core_, ""), EINVAL, "0..63, not 64");
  ExpectError(engine_->AddWorker(0, 4711, ""), EINVAL, "not 4711");
  ExpectError(engine_->AddWorker(0, core_, "magic"), EINVAL, "'magic'");
  ExpectError(engine_->DestroyWorker(3), ENOENT, "worker 3");
  ExpectError(engine_->PauseWorker(99), EINVAL, "not 99");
  ExpectError(engine_->ResumeWorker(2), ENOENT, "worker 2");
  EXPECT_TRUE(engine_->ListWorkers().empty());
}

// This thread.
bool MayRunOn(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  return CPU_ISSET(static_cast<size_t>(core), &set);
}

TEST_F(EngineWorkersTest, EverybodyElseLeavesTheirCoresAlone) {
  ASSERT_TRUE(engine_->AddWorker(0, core_, "").ok());
  EXPECT_EQ(MayRunOn(core_), AllowedCores().size() == 1);
  ASSERT_TRUE(engine_->AddWorker(1, AllowedCores().back(), "").ok());
  ASSERT_TRUE(engine_->DestroyWorker(0).ok());
  EXPECT_TRUE(MayRunOn(core_));
  ASSERT_TRUE(engine_->DestroyWorker(1).ok());
  EXPECT_TRUE(MayRunOn(AllowedCores().back()));
}

ptrdiff_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

TEST_F(EngineWorkersTest, LeaveNoOpenFilesBehind) {
  const ptrdiff_t before = OpenFiles();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(engine_->AddWorker(i % 3, core_, "").ok());
    ASSERT_TRUE(engine_->DestroyWorker(i % 3).ok());
  }
  // A bell that another worker may be about to ring is given back by the housekeeper.
  for (int i = 0; i < 500 && OpenFiles() != before; ++i) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(EngineWorkersTest, StartsOneByItselfWhenThereIsWork) {
  Create("source", "TestSource");
  EXPECT_TRUE(engine_->ListWorkers().empty()) << "nothing is connected yet";
  Create("sink", "TestSink");
  Connect("source", "sink");
  ASSERT_EQ(engine_->ListWorkers().size(), 1u);
  EXPECT_EQ(engine_->ListWorkers()[0].core, AllowedCores().back());
  EXPECT_EQ(engine_->ListWorkers()[0].tasks, 1u);
}

TEST_F(EngineWorkersTest, TheDefaultWorkerYieldsToAWantedOne) {
  StartChain();
  ASSERT_TRUE(engine_->AddWorker(0, core_, "").ok());
  ASSERT_EQ(engine_->ListWorkers().size(), 1u);
  EXPECT_EQ(engine_->ListWorkers()[0].core, core_);
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
  ExpectError(engine_->AddWorker(0, core_, ""), EEXIST, "worker 0");
}

TEST_F(EngineWorkersTest, TasksGoRoundTheWorkers) {
  ASSERT_TRUE(engine_->AddWorker(1, core_, "").ok());
  ASSERT_TRUE(engine_->AddWorker(2, core_, "").ok());
  Create("sink", "TestSink");
  for (const std::string name : {"a", "b", "c", "d"}) {
    Create(name, "TestSource");
    ASSERT_TRUE(engine_->Connect(name, 0, "sink", 0, true).ok());
  }
  for (const WorkerStatus& worker : engine_->ListWorkers()) EXPECT_EQ(worker.tasks, 2u);
  ExpectError(engine_->DestroyWorker(1), EBUSY, "2 task(s)");
  for (const std::string name : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(engine_->DestroyModule(name).ok());
  }
  EXPECT_TRUE(engine_->DestroyWorker(1).ok());
}

TEST_F(EngineWorkersTest, BooksBalanceAsSoonAsAllArePaused) {
  StartChain();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
    Connect("pass", "pass");
    absl::SleepFor(absl::Milliseconds(1));
    // Takes the cycle's buffer out of the graph, with what waits in it.
    ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
    ASSERT_TRUE(engine_->PauseAll().ok());
    ExpectBalancedBooks();
    ASSERT_TRUE(engine_->ResumeAll().ok());
  }
}

TEST_F(EngineWorkersTest, ModulesForOneWorkerGetOne) {
  ASSERT_TRUE(engine_->AddWorker(0, core_, "").ok());
  ASSERT_TRUE(engine_->AddWorker(1, core_, "").ok());
  Create("single", "TestSingle");
  Create("sink", "TestSink");
  Connect("single", "sink");
  Create("a", "TestSource");
  Create("b", "TestSource");
  ASSERT_TRUE(engine_->Connect("a", 0, "single", 0, true).ok());
  ExpectError(engine_->Connect("b", 0, "single", 0, true), EINVAL, "'single'");
}

TEST_F(EngineWorkersTest, PausedMeansNothingMoves) {
  StartChain();
  ASSERT_TRUE(engine_->PauseAll().ok());
  EXPECT_FALSE(engine_->ListWorkers()[0].running);
  const uint64_t before = Consumed();
  Create("other", "TestSource");
  ASSERT_TRUE(engine_->Connect("other", 0, "sink", 1, true).ok());
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(Consumed(), before);
  EXPECT_EQ(engine_->ListWorkers()[0].tasks, 1u) << "new tasks wait for ResumeAll";
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_EQ(engine_->ListWorkers()[0].tasks, 2u);
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

TEST_F(EngineWorkersTest, NoWorkerIsStartedWhilePaused) {
  ASSERT_TRUE(engine_->PauseAll().ok());
  Create("source", "TestSource");
  Create("sink", "TestSink");
  Connect("source", "sink");
  EXPECT_TRUE(engine_->ListWorkers().empty());
  ASSERT_TRUE(engine_->AddWorker(5, core_, "").ok());
  EXPECT_FALSE(engine_->ListWorkers()[0].running);
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
  ASSERT_EQ(engine_->ListWorkers().size(), 1u);
  EXPECT_EQ(engine_->ListWorkers()[0].id, 5u);
}

TEST_F(EngineWorkersTest, OneWorkerPausesAlone) {
  StartChain();
  ASSERT_TRUE(engine_->PauseWorker(0).ok());
  EXPECT_FALSE(engine_->ListWorkers()[0].running);
  ASSERT_TRUE(engine_->ResumeWorker(0).ok());
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

TEST_F(EngineWorkersTest, ResetLeavesTasksWaiting) {
  StartChain();
  ASSERT_TRUE(engine_->ResetWorkers().ok());
  const uint64_t before = Consumed();
  ASSERT_TRUE(engine_->AddWorker(3, core_, "").ok());
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

TEST_F(EngineWorkersTest, OneResumedAloneRunsThePresentPlan) {
  StartChain();
  ASSERT_TRUE(engine_->PauseWorker(0).ok());
  const uint64_t before = Consumed();
  Create("other", "TestSink");
  ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
  Connect("pass", "other");
  ASSERT_TRUE(engine_->ResumeWorker(0).ok());
  EXPECT_TRUE(Eventually([&] { return Consumed("other") > 0; }));
  EXPECT_EQ(Consumed(), before);
}

}  // namespace
}  // namespace bess
