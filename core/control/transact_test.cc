// SPDX-License-Identifier: Apache-2.0
#include "core/control/transact.h"

#include <random>
#include <thread>

#include "core/control/transact_testing.h"
#include "gmock/gmock.h"

namespace bess {
namespace {

using testing::ElementsAre;

REGISTER_MODULE(TestKnob);
REGISTER_MODULE(TestDial);
REGISTER_MODULE(TestReceiver);

TEST_F(TransactTest, AllOperationsAreOneCommit) {
  StartChain();
  const uint64_t version = engine_->version();
  const uint64_t sequence = engine_->plan()->sequence;
  Operations operations;
  operations.Create("", "TestPass").Create("other", "TestSink");
  operations.Disconnect("pass", 0).Connect("pass", 0, "other");
  ASSERT_TRUE(Run(operations).ok());
  EXPECT_EQ(engine_->version(), version + 1);
  EXPECT_EQ(response_.version(), version + 1);
  EXPECT_EQ(engine_->plan()->sequence, sequence + 1) << "packets see one switch";
  EXPECT_EQ(response_.results(0).name(), "test_pass0");
  EXPECT_EQ(response_.changes_size(), 3);
  EXPECT_TRUE(Eventually([&] { return Consumed("other") > 0; }));
}

TEST_F(TransactTest, AFailureTakesAllBackAndNamesEveryProblem) {
  StartChain();
  const std::string before = StateBytes();
  const auto plan = engine_->plan();
  Operations operations;
  operations.Create("a", "TestSource").Create("b", "Nonsense").Connect("a", 0, "sink");
  operations.Connect("pass", 0, "nobody").Destroy("pass");
  ExpectError(Run(operations), ENOENT, "'Nonsense'");
  ASSERT_EQ(problems_.size(), 2u);
  EXPECT_EQ(problems_[0].path, "operations[1]");
  EXPECT_EQ(problems_[1].path, "operations[3]");
  EXPECT_EQ(StateBytes(), before);
  EXPECT_EQ(engine_->plan(), plan);
  ExpectError(Run(Operations()), EINVAL, "'operations'");
}

TEST_F(TransactTest, WhatFailsWhenCompiledIsTakenBackToo) {
  ASSERT_TRUE(engine_->AddWorker(0, AllowedCores().front(), "").ok());
  ASSERT_TRUE(engine_->AddWorker(1, AllowedCores().front(), "").ok());
  StartChain();
  const std::string before = StateBytes();
  Operations operations;
  operations.Create("one", "TestSingle").Create("more", "TestSource");
  operations.Disconnect("source", 0).Connect("source", 0, "one").Connect("more", 0, "one");
  for (const uint32_t worker : {0, 1}) {
    auto& move = *operations->add_operations()->mutable_move_class();
    move.set_name(LeafName(worker == 0 ? "source" : "more", 0));
    move.set_worker(worker);
  }
  ExpectError(Run(operations), EINVAL, "at most 1 worker");
  EXPECT_EQ(StateBytes(), before);
}

TEST_F(TransactTest, ADryRunChangesNothing) {
  StartChain();
  const std::string before = StateBytes();
  Operations operations;
  operations.Create("knob", "TestKnob");
  operations->set_dry_run(true);
  ASSERT_TRUE(Run(operations).ok());
  EXPECT_EQ(response_.version(), engine_->version());
  EXPECT_EQ(response_.changes_size(), 1);
  EXPECT_EQ(StateBytes(), before);
}

TEST_F(TransactTest, TheExpectedVersionMustBeThePresentOne) {
  Create("sink", "TestSink");
  Operations operations;
  operations.Create("knob", "TestKnob");
  operations->set_expected_version(engine_->version() - 1);
  EXPECT_EQ(Run(operations).code(), absl::StatusCode::kAborted);
  operations->set_expected_version(engine_->version());
  EXPECT_TRUE(Run(operations).ok());
  EXPECT_EQ(Run(operations).code(), absl::StatusCode::kAborted) << "not that 'knob' exists";
}

TEST_F(TransactTest, ModulesAreToldWhenAllElseIsDone) {
  Create("knob", "TestKnob");
  Tell("knob", "set", 1);
  const std::string before = StateBytes();
  Operations operations;
  operations.Command("knob", "set", 2).Command("knob", "set", 3).Destroy("nobody");
  EXPECT_FALSE(Run(operations).ok());
  EXPECT_EQ(StateBytes(), before);
  Operations fine;
  fine.Command("knob", "set", 2).Command("knob", "set", 3).Create("fresh", "TestDial");
  fine.Command("fresh", "turn", 5);
  ASSERT_TRUE(Run(fine).ok()) << problems_.front().status;
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 3);
  EXPECT_EQ(ValueOf("fresh", "get_sum"), 5);
}

TEST_F(TransactTest, WhatCouldNotBeTakenBackIsRefused) {
  Create("dial", "TestDial");
  Operations operations;
  operations.Command("dial", "turn", 1);
  ExpectError(Run(operations), EBUSY, "taken back");
  EXPECT_EQ(ValueOf("dial", "get_sum"), 0);
}

TEST_F(TransactTest, AModuleCanBeReplacedByOneOfItsName) {
  StartChain();
  Operations operations;
  operations.Destroy("pass").Create("pass", "TestPass").Connect("pass", 0, "sink");
  operations.Connect("source", 0, "pass");
  ASSERT_TRUE(Run(operations).ok());
  const auto changes =
      std::vector<native::Change>(response_.changes().begin(), response_.changes().end());
  EXPECT_THAT(Summary(changes), ElementsAre("!modules/pass"));
  const uint64_t before = Consumed();
  EXPECT_TRUE(Eventually([&] { return Consumed() > before; }));
}

// A plan of edits at random, and what they ought to come to: modules by name, edges by sender.
class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed) {}

  Operations Edit() {
    Operations operations;
    wanted_ = edges_;
    const int edits = 1 + Pick(6);
    for (int i = 0; i < edits; ++i) EditOnce(&operations);
    return operations;
  }
  void Accept() { edges_ = wanted_; }
  // Whether the operations are to be accepted.
  bool good() const { return good_; }
  const std::map<std::string, std::string>& edges() const { return edges_; }
  int Pick(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }

 private:
  std::string Name() { return std::string(1, static_cast<char>('a' + Pick(6))); }

  void EditOnce(Operations* operations) {
    const std::string name = Name(), other = Name();
    const bool there = wanted_.contains(name);
    switch (Pick(4)) {
      case 0:
        operations->Create(name, "TestPass");
        Expect(!there);
        wanted_.emplace(name, "");
        return;
      case 1:
        operations->Destroy(name);
        Expect(there);
        wanted_.erase(name);
        for (auto& [from, to] : wanted_) to = to == name ? "" : to;
        return;
      case 2:
        operations->Connect(name, 0, other);
        Expect(there && wanted_.contains(other) && wanted_[name].empty());
        if (there) wanted_[name] = other;
        return;
      default:
        operations->Disconnect(name, 0);
        Expect(there);
        if (there) wanted_[name] = "";
    }
  }
  // What follows a bad edit is of no account.
  void Expect(bool ok) { good_ = good_ && ok; }

  std::mt19937 random_;
  std::map<std::string, std::string> edges_, wanted_;
  bool good_ = true;

 public:
  void Begin() { good_ = true; }
};

TEST_F(TransactTest, RandomTransactionsDoAsTheModelSays) {
  Model model(1);
  int accepted = 0;
  for (int i = 0; i < 400; ++i) {
    model.Begin();
    const Operations operations = model.Edit();
    const std::string before = StateBytes();
    const absl::Status status = Run(operations);
    ASSERT_EQ(status.ok(), model.good()) << status;
    if (!status.ok()) {
      ASSERT_EQ(StateBytes(), before);
      continue;
    }
    ++accepted;
    model.Accept();
    std::map<std::string, std::string> edges;
    const native::State state = State();
    for (const auto& module : state.modules()) edges[module.name()] = "";
    for (const auto& link : state.connections()) edges[link.from()] = link.to();
    ASSERT_EQ(edges, model.edges());
  }
  EXPECT_GT(accepted, 20);
}

TEST_F(TransactTest, ManyWritersTakeTurns) {
  StartChain();
  constexpr int kWriters = 16, kEach = 10;
  std::atomic<int> aborted{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        Operations operations;
        operations.Create(absl::StrCat("w", w, "_", i), "TestPass");
        operations.Connect(absl::StrCat("w", w, "_", i), 0, "sink");
        // Some insist on what they have seen.
        if (w % 4 == 0) operations->set_expected_version(engine_->version());
        native::TransactResponse response;
        Problems problems;
        const absl::Status status = Transact(*engine_, *operations, &response, &problems);
        if (status.code() == absl::StatusCode::kAborted) ++aborted;
        EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kAborted) << status;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const native::State state = State();
  EXPECT_EQ(state.modules_size(), 3 + kWriters * kEach - aborted);
  EXPECT_EQ(state.connections_size(), 2 + kWriters * kEach - aborted);
}

}  // namespace
}  // namespace bess
