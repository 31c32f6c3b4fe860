// SPDX-License-Identifier: Apache-2.0
#include "core/control/transact_testing.h"

namespace bess {
namespace {

using EngineCommandsTest = TransactTest;

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

}  // namespace
}  // namespace bess
