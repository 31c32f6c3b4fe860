// SPDX-License-Identifier: Apache-2.0
#include "core/sched/worker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/graph/packet_fifo.h"
#include "core/sched/worker_testing.h"

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

// Holds what comes in until its task runs, and brakes who feeds it.
class TestStop final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestStop", .help = "a queue with a brake", .holds_packets = true};
  static constexpr uint32_t kSize = 1024;

  absl::Status Init(const pb::EmptyArg&) {
    brake_.Arm(kSize);
    return AddTask(0);
  }
  void Process(Context& context, Batch& batch) {
    fifo_.Put(context, batch);
    brake_.Filled(fifo_.fill());
  }
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    batch.set_size(closed ? 0 : fifo_.Take(batch.begin(), kBatchSize));
    brake_.Emptied(fifo_.fill());
    if (batch.empty()) return {.blocked = true};
    const TaskResult result = {.packets = batch.size()};
    context.Emit(0, batch);
    return result;
  }
  Brake* brake() override { return &brake_; }
  uint64_t held() const override { return fifo_.held(); }
  uint64_t Discard() override { return fifo_.Discard(); }

  std::atomic<bool> closed{false};

 private:
  PacketFifo fifo_{kSize};
  Brake brake_;
};
REGISTER_MODULE(TestStop);

// Passes packets to somebody who takes them in his own time.
class TestOutlet final : public Module, private Gauge {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestOutlet", .help = "fills up", .ogates = 0};
  static constexpr uint32_t kSize = 2;  // full with one packet

  absl::Status Init(const pb::EmptyArg&) {
    brake_.Arm(kSize);
    return absl::OkStatus();
  }
  void Process(Context& context, Batch& batch) {
    waiting += batch.size();
    context.ledger().consumed.Add(batch.size());
    FreePackets(batch.begin(), batch.size());
    batch.clear();
    brake_.Filled(waiting);
  }
  Brake* brake() override { return &brake_; }

  std::atomic<uint64_t> waiting{0};

 private:
  uint64_t Read() override { return waiting; }

  Brake brake_{this};
};
REGISTER_MODULE(TestOutlet);

// Has a packet for each byte that a test writes to its pipe.
class TestPipe final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestPipe", .help = "reads a pipe", .igates = 0};

  ~TestPipe() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  absl::Status Init(const pb::EmptyArg&) {
    if (pipe2(ends_, O_NONBLOCK) != 0) return Error(errno, "no pipe");
    return AddTask(0);
  }
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    asked = asked + 1;
    char byte;
    if (read(ends_[0], &byte, 1) != 1 || !host().pool().Alloc(batch.begin(), 1, 60)) {
      return {.blocked = true};
    }
    batch.set_size(1);
    context.ledger().created.Add(1);
    context.Emit(0, batch);
    return {.packets = 1};
  }
  int wake_fd(uint64_t) const override { return ends_[0]; }
  const Brake* source_brake() const override { return source; }
  bool Await(uint64_t) override {
    awaited = awaited + 1;
    return !restless;
  }
  void Write() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }

  const Brake* source = nullptr;
  std::atomic<bool> restless{false};
  std::atomic<uint64_t> asked{0};
  std::atomic<uint64_t> awaited{0};

 private:
  int ends_[2] = {-1, -1};
};
REGISTER_MODULE(TestPipe);

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

TEST_F(WorkerTest, StoppedWhilePausedItRunsNoMore) {
  Publish(Chain(true));
  uint64_t created = 0;
  {
    Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
    EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
    ASSERT_TRUE(worker.Pause(absl::Seconds(10)).ok());
    created = Books().created;
  }
  EXPECT_EQ(Books().created, created);
}

TEST_F(WorkerTest, AStuckModuleDelaysMemoryButNotTheControlPlane) {
  Publish(Chain(true));
  auto& pass = static_cast<TestPass&>(*modules_.at("pass"));
  Worker worker({.id = 7, .core = AllowedCores().back()}, plan_, rcu_);
  first_.classes.Assign(LeafName("source", 0), 7);
  Publish(Chain(true));
  EXPECT_TRUE(Eventually([&] { return Consumed() > 0; }));
  pass.Catch();
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

// source -> first -> second -> sink. When the second queue is closed the first one fills up, then
// the source rests; nothing is dropped on the way.
TEST_F(WorkerTest, BackpressureGoesFromHopToHop) {
  Graph graph;
  Add(graph, "source", "TestSource");
  Add(graph, "first", "TestStop");
  Add(graph, "second", "TestStop");
  Add(graph, "sink", "TestSink");
  ASSERT_TRUE(graph.Connect("source", 0, "first", 0, {}).ok());
  ASSERT_TRUE(graph.Connect("first", 0, "second", 0, {}).ok());
  ASSERT_TRUE(graph.Connect("second", 0, "sink", 0, {}).ok());
  auto& second = static_cast<TestStop&>(*modules_.at("second"));
  second.closed = true;
  Publish(graph);
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  const auto both_brake = [&] {
    return modules_.at("first")->brake()->on() && second.brake()->on();
  };
  EXPECT_TRUE(Eventually(both_brake));
  ASSERT_TRUE(worker.Pause(absl::Seconds(10)).ok());
  const uint64_t created = Books().created;
  worker.Resume();
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(Books().created, created) << "the source made packets though it was braked";
  second.closed = false;
  EXPECT_TRUE(Eventually([&] { return Consumed() > 100 * TestStop::kSize; }));
  EXPECT_EQ(Books().all_dropped(), 0u);
  ASSERT_TRUE(worker.Pause(absl::Seconds(10)).ok());
  for (const char* name : {"first", "second"}) modules_.at(name)->Discard();
}

// pipe -> stop -> outlet. Nobody tells the worker that there is room in the outlet again.
TEST_F(WorkerTest, LooksForRoomAndDoesNotSleepMeanwhile) {
  Graph graph;
  Add(graph, "pipe", "TestPipe");
  Add(graph, "stop", "TestStop");
  Add(graph, "sink", "TestOutlet");
  ASSERT_TRUE(graph.Connect("pipe", 0, "stop", 0, {}).ok());
  ASSERT_TRUE(graph.Connect("stop", 0, "sink", 0, {}).ok());
  auto& outlet = static_cast<TestOutlet&>(*modules_.at("sink"));
  outlet.waiting = 5;
  outlet.brake()->Filled(5);
  static_cast<TestPipe&>(*modules_.at("pipe")).Write();
  Publish(graph);
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return modules_.at("stop")->held() == 1; }));
  for (int i = 0; i < 50; ++i) {
    absl::SleepFor(absl::Milliseconds(1));
    EXPECT_FALSE(worker.asleep());
  }
  EXPECT_EQ(Consumed(), 0u);
  outlet.waiting = 0;
  EXPECT_TRUE(Eventually([&] { return Consumed() == 1; }));
  EXPECT_EQ(outlet.waiting, 1u);
}

// What sends to the outlet also takes from it: if it rested, nobody would ever make room.
TEST_F(WorkerTest, WhoMakesTheRoomIsNotStopped) {
  Graph graph;
  Add(graph, "pipe", "TestPipe");
  Add(graph, "sink", "TestOutlet");
  ASSERT_TRUE(graph.Connect("pipe", 0, "sink", 0, {}).ok());
  auto& pipe = static_cast<TestPipe&>(*modules_.at("pipe"));
  pipe.source = modules_.at("sink")->brake();
  Publish(graph);
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  for (int i = 0; i < 10; ++i) pipe.Write();
  EXPECT_TRUE(Eventually([&] { return Consumed() == 10; }));
  EXPECT_TRUE(modules_.at("sink")->brake()->on());
}

TEST_F(WorkerTest, SleepsUntilADescriptorWakesIt) {
  Graph graph;
  Add(graph, "pipe", "TestPipe");
  Add(graph, "sink", "TestSink");
  ASSERT_TRUE(graph.Connect("pipe", 0, "sink", 0, {}).ok());
  Publish(graph);
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return worker.asleep(); }));
  static_cast<TestPipe&>(*modules_.at("pipe")).Write();
  EXPECT_TRUE(Eventually([&] { return Consumed() == 1; }));
}

// A pipe, and a source that keeps the worker busy.
class BusyWorkerTest : public WorkerTest {
 protected:
  void SetUp() override {
    Graph graph;
    Add(graph, "source", "TestSource");
    Add(graph, "pipe", "TestPipe");
    Add(graph, "sink", "TestSink");
    Add(graph, "pipe_sink", "TestSink");
    ASSERT_TRUE(graph.Connect("source", 0, "sink", 0, {}).ok());
    ASSERT_TRUE(graph.Connect("pipe", 0, "pipe_sink", 0, {}).ok());
    Publish(graph);
  }
  TestPipe& pipe() { return static_cast<TestPipe&>(*modules_.at("pipe")); }
  uint64_t Read() { return modules_.at("pipe_sink")->totals().consumed; }
  // Whether the pipe is asked no more than every hundred milliseconds, with one question to spare.
  bool IsLeftAlone() {
    const absl::Time start = absl::Now();
    const uint64_t asked = pipe().asked;
    absl::SleepFor(absl::Milliseconds(30));
    const uint64_t more = pipe().asked - asked;
    return more <= 1 + static_cast<uint64_t>((absl::Now() - start) / absl::Milliseconds(100));
  }
};

TEST_F(BusyWorkerTest, LeavesQuietDescriptorsAloneUntilTheyCanBeRead) {
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  for (uint64_t i = 1; i <= 20; ++i) {
    EXPECT_TRUE(Eventually([&] { return pipe().awaited >= i; }));
    EXPECT_TRUE(Eventually([&] { return IsLeftAlone(); }));
    pipe().Write();
    EXPECT_TRUE(Eventually([&] { return Read() == i; }));
  }
  const uint64_t busy = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > busy; }));
}

TEST_F(BusyWorkerTest, APauseChangesNothingForWhoWaits) {
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  EXPECT_TRUE(Eventually([&] { return IsLeftAlone(); }));
  ASSERT_TRUE(worker.Pause(absl::Seconds(10)).ok());
  worker.Resume();
  EXPECT_TRUE(Eventually([&] { return IsLeftAlone(); }));
  ASSERT_TRUE(worker.Pause(absl::Seconds(10)).ok());
  pipe().Write();
  worker.Resume();
  EXPECT_TRUE(Eventually([&] { return Read() == 1; }));
}

TEST_F(BusyWorkerTest, WhoCannotBeReliedOnIsAskedAsEver) {
  pipe().restless = true;
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  const auto asked = [&] {
    const uint64_t before = pipe().asked;
    absl::SleepFor(absl::Milliseconds(20));
    return pipe().asked - before > 20;
  };
  EXPECT_TRUE(Eventually(asked));
  static_cast<TestSource&>(*modules_.at("source")).quiet = true;
  absl::SleepFor(absl::Milliseconds(60));  // it would sleep by now
  EXPECT_FALSE(worker.asleep());
}

// Who naps lies down, so that a ring wakes it; who must ask a source can do no more than nap.
TEST_F(BusyWorkerTest, NapsWhereARingIsHeard) {
  static_cast<TestSource&>(*modules_.at("source")).quiet = true;
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  const auto mostly_lies_down = [&] {
    int lay = 0;
    for (int i = 0; i < 100; ++i) {
      absl::SleepFor(absl::Microseconds(100));
      lay += worker.bell()->asleep() ? 1 : 0;
      EXPECT_FALSE(worker.asleep());
    }
    return lay > 50;
  };
  EXPECT_TRUE(Eventually(mostly_lies_down));
  pipe().Write();
  EXPECT_TRUE(Eventually([&] { return Read() == 1; }));
}

TEST_F(WorkerTest, ASleeperHoldsNothing) {
  Graph graph;
  Add(graph, "pipe", "TestPipe");
  Publish(graph);
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  const auto freed_while_asleep = [&] {
    if (!worker.asleep()) return false;
    const uint64_t rounds = worker.stats().rounds;
    rcu_.Retire([] {});
    return rcu_.Reap() == 0 && worker.stats().rounds == rounds;
  };
  EXPECT_TRUE(Eventually(freed_while_asleep));
}

TEST_F(WorkerTest, WhoMustBeAskedIsAskedAllTheTime) {
  Publish(Chain(/*with_pass=*/false));
  auto& source = static_cast<TestSource&>(*modules_.at("source"));
  source.quiet = true;
  Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
  absl::SleepFor(absl::Milliseconds(60));  // it would sleep by now
  const uint64_t rounds = worker.stats().rounds;
  EXPECT_TRUE(Eventually([&] { return worker.stats().rounds > rounds + 200; }))
      << "asleep it would take twice as long";
  EXPECT_FALSE(worker.asleep());
}

TEST_F(WorkerTest, ASleeperIsPausedAndStoppedAtOnce) {
  const absl::Time start = absl::Now();
  for (int i = 0; i < 20; ++i) {
    Worker worker({.id = 0, .core = AllowedCores().back()}, plan_, rcu_);
    absl::SleepFor(absl::Milliseconds(i));
    EXPECT_TRUE(worker.Pause(absl::Seconds(10)).ok());
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST_F(WorkerTest, KnowsItsNumaNode) {
  Worker worker({.id = 0, .core = AllowedCores().front()}, plan_, rcu_);
  EXPECT_GE(worker.node(), 0);
}

}  // namespace
}  // namespace bess
