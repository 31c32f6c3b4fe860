// SPDX-License-Identifier: Apache-2.0
#include "bess/util.pb.h"
#include "core/control/transact_testing.h"

namespace bess {
namespace {

// Told by commands of each kind, and without a configuration. Remembers what it was told itself.
class TestMemory final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestMemory", .help = "is told things"};
  static Commands<TestMemory> commands() {
    return {{"add", &TestMemory::Add},
            {"set", &TestMemory::Add, CommandKind::kSets},
            {"other", &TestMemory::Add, CommandKind::kSets},
            {"put", &TestMemory::Put, &pb::Field::attr_name},
            {"merge", &TestMemory::Put, CommandKind::kMerges},
            {"clear", &TestMemory::Clear, CommandKind::kClears},
            {"look", &TestMemory::Look, CommandKind::kReads},
            {"reset_counters", &TestMemory::Add, CommandKind::kPasses}};
  }
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  absl::Status Add(const Number&) { return absl::OkStatus(); }
  absl::Status Put(const pb::Field&) { return absl::OkStatus(); }
  absl::Status Clear(const Number&) { return absl::OkStatus(); }
  absl::StatusOr<Number> Look(const Number& arg) { return arg; }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};
REGISTER_MODULE(TestMemory);

class EngineCommandsTest : public TransactTest {
 protected:
  // What module "memory" is remembered by: "set 5 put eth 3".
  static std::string Words(const native::Module& memory) {
    std::string words;
    for (const native::Command& command : memory.commands()) {
      Number number;
      pb::Field field;
      absl::StrAppend(&words, words.empty() ? "" : " ", command.cmd());
      if (command.arg().UnpackTo(&number)) absl::StrAppend(&words, " ", number.value());
      if (!command.arg().UnpackTo(&field)) continue;
      absl::StrAppend(&words, " ", field.attr_name(), " ", field.num_bytes());
    }
    return words;
  }
  std::string Remembered() { return Words(State().modules(0)); }
  void Put(const std::string& command, const std::string& name, uint32_t value) {
    pb::Field field;
    if (!name.empty()) field.set_attr_name(name);
    field.set_num_bytes(value);
    google::protobuf::Any argument, reply;
    argument.PackFrom(field);
    ASSERT_TRUE(engine_->RunCommand("memory", command, argument, &reply).ok());
  }
};

TEST_F(EngineCommandsTest, CommandsArePartOfTheConfiguration) {
  Create("knob", "TestKnob");
  Create("dial", "TestDial");
  const uint64_t version = engine_->version();
  Tell("knob", "set", 5);
  Tell("dial", "turn", 6);
  EXPECT_EQ(engine_->version(), version + 2);
  EXPECT_EQ(ValueOf("dial", "get_sum"), 6);
  EXPECT_EQ(engine_->version(), version + 2) << "reading is no commit";
  const native::State state = State();
  EXPECT_EQ(state.modules(0).commands_size(), 1);
  Number config;
  EXPECT_TRUE(state.modules(1).config().UnpackTo(&config));
  EXPECT_EQ(config.value(), 5);
  EXPECT_EQ(state.modules(1).commands_size(), 0) << "it says what they came to";
}

TEST_F(EngineCommandsTest, WhatIsRefusedIsNotRecorded) {
  Create("knob", "TestKnob");
  const uint64_t version = engine_->version();
  google::protobuf::Any reply;
  ExpectError(engine_->RunCommand("knob", "set", Packed(-1), &reply), EINVAL, "not -1");
  ExpectError(engine_->RunCommand("knob", "melt", {}, &reply), ENOTSUP, "melt");
  ExpectError(engine_->RunCommand("nobody", "set", {}, &reply), ENOENT, "nobody");
  ExpectError(engine_->RunCommand("", "set", {}, &reply), EINVAL, "'name'");
  EXPECT_EQ(engine_->version(), version);
}

// A table that changes for ever must not be remembered for ever.
TEST_F(EngineCommandsTest, WhatModulesWereToldIsFolded) {
  Create("knob", "TestKnob");
  native::BulkCommandRequest request;
  for (int i = 0; i < 20'000; ++i) {
    auto& command = *request.add_commands();
    command.set_name("knob");
    command.set_cmd("set");
    *command.mutable_arg() = Packed(i);
  }
  uint64_t version = 0;
  for (const BulkOutcome& outcome : engine_->RunCommands(std::move(request), &version)) {
    ASSERT_TRUE(outcome.status.ok());
  }
  Configuration recorded = engine_->ConfigurationAt(&version).value();
  EXPECT_EQ(recorded.at("modules/knob").module().commands_size(), 0);
  size_t bytes = 0;
  for (const native::Commit& commit : engine_->Commits()) bytes += commit.ByteSizeLong();
  EXPECT_LT(bytes, 10'000u);
  EXPECT_EQ(ValueOf("knob", "get_runtime_config"), 19'999);
}

TEST_F(EngineCommandsTest, WhatIsSetStandsForWhatWasSet) {
  Create("memory", "TestMemory");
  for (int i = 0; i < 1000; ++i) Tell("memory", "set", i);
  Tell("memory", "other", 7);
  Tell("memory", "add", 1);
  Tell("memory", "add", 1);
  EXPECT_EQ(Remembered(), "set 999 other 7 add 1 add 1");
  Tell("memory", "set", 5);
  EXPECT_EQ(Remembered(), "other 7 add 1 add 1 set 5");
  Tell("memory", "clear", 0);
  Tell("memory", "add", 2);
  EXPECT_EQ(Remembered(), "clear 0 add 2") << "it may have cleared what the constructor gave";
  Tell("memory", "clear", 1);
  EXPECT_EQ(Remembered(), "clear 1");
}

TEST_F(EngineCommandsTest, WhatIsSetMayHaveAKeyOrBeMerged) {
  Create("memory", "TestMemory");
  Put("put", "a", 1);
  Put("put", "b", 2);
  Put("put", "a", 3);
  EXPECT_EQ(Remembered(), "put b 2 put a 3");
  Put("merge", "", 1);
  Put("merge", "x", 0);
  Put("merge", "", 2);
  EXPECT_EQ(Remembered(), "put b 2 put a 3 merge x 2");
}

TEST_F(EngineCommandsTest, ManyKeysAreLookedAtNowAndThen) {
  Create("memory", "TestMemory");
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 500; ++i) Put("put", absl::StrCat("key", i), i);
  }
  EXPECT_GE(State().modules(0).commands_size(), 500);
  EXPECT_LT(State().modules(0).commands_size(), 1500);
}

TEST_F(EngineCommandsTest, WhatReadsOrPassesIsNoCommit) {
  Create("memory", "TestMemory");
  const uint64_t version = engine_->version();
  Tell("memory", "look", 1);
  Tell("memory", "reset_counters", 1);
  EXPECT_EQ(engine_->version(), version);
  EXPECT_EQ(Remembered(), "");
  const Module* before = &module("memory");
  ASSERT_TRUE(Apply(State()).ok());
  EXPECT_EQ(&module("memory"), before);
}

TEST_F(EngineCommandsTest, WhatIsToldInTheTransactionThatMakesItIsFoldedToo) {
  Operations operations;
  operations.Create("memory", "TestMemory").Command("memory", "set", 1);
  operations.Command("memory", "look", 1).Command("memory", "add", 2).Command("memory", "set", 3);
  ASSERT_TRUE(Run(operations).ok()) << problems_.front().status;
  EXPECT_EQ(Remembered(), "add 2 set 3");
}

// One change for each module, whatever the order; what it comes to can be put together from the
// commits alone.
TEST_F(EngineCommandsTest, CommitsSayWhatIsRemembered) {
  Create("memory", "TestMemory");
  Create("other", "TestMemory");
  uint64_t version = engine_->version();
  Configuration replayed = engine_->ConfigurationAt(&version).value();
  native::BulkCommandRequest request;
  for (int i = 0; i < 10; ++i) {
    auto& command = *request.add_commands();
    command.set_name(i % 2 == 0 ? "memory" : "other");
    command.set_cmd(i < 5 ? "add" : "set");
    *command.mutable_arg() = Packed(i);
  }
  uint64_t committed = 0;
  engine_->RunCommands(std::move(request), &committed);
  Tell("memory", "set", 10);
  EXPECT_EQ(Remembered(), "add 0 add 2 add 4 set 10");
  const auto commits = engine_->CommitsAfter(version, absl::ZeroDuration());
  ASSERT_TRUE(commits.ok()) << commits.status();
  for (const native::Commit& commit : *commits) {
    EXPECT_EQ(commit.changes_size(), commit.version() == committed ? 2 : 1);
    for (const native::Change& change : commit.changes()) ApplyChange(change, &replayed);
  }
  EXPECT_EQ(ToState(replayed).SerializeAsString(), StateBytes());
}

}  // namespace
}  // namespace bess
