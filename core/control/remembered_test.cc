// SPDX-License-Identifier: Apache-2.0
#include "core/control/remembered.h"

#include <sstream>

#include "core/control/transact_testing.h"

namespace bess {
namespace {

class TestNotes final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestNotes", .help = "is told things"};
  static Commands<TestNotes> commands() {
    return {{"add", &TestNotes::Tell},
            {"set", &TestNotes::Tell, CommandKind::kSets},
            {"clear", &TestNotes::Tell, CommandKind::kClears},
            {"wink", &TestNotes::Tell, CommandKind::kPasses}};
  }
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  absl::Status Tell(const Number&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};
REGISTER_MODULE(TestNotes);

// "add 1 set 2".
CommandList List(const std::string& words) {
  CommandList list;
  std::istringstream stream(words);
  std::string cmd;
  int64_t value = 0;
  while (stream >> cmd >> value) {
    native::Command& command = *list.Add();
    command.set_cmd(cmd);
    *command.mutable_arg() = Packed(value);
  }
  return list;
}

std::string Words(const CommandList& list) {
  std::string words;
  for (const native::Command& command : list) {
    Number number;
    EXPECT_TRUE(command.arg().UnpackTo(&number));
    absl::StrAppend(&words, words.empty() ? "" : " ", command.cmd(), " ", number.value());
  }
  return words;
}

class RememberedTest : public testing::Test {
 protected:
  std::string Kept(const std::string& told) { return Words(Remembered(*class_, List(told))); }
  // "other" when only another module can be.
  std::string Missing(const std::string& told, const std::string& wanted) {
    const auto missing = WhatIsMissing(*class_, List(told), List(wanted));
    return missing ? Words(*missing) : "other";
  }
  const std::shared_ptr<const ModuleClass> class_ = ModuleRegistry::Get().Find("TestNotes");
};

TEST_F(RememberedTest, LaterCommandsStandForEarlierOnes) {
  EXPECT_EQ(Kept("add 1 set 1 add 2 set 2 wink 1"), "add 1 add 2 set 2");
  EXPECT_EQ(Kept("add 1 set 1 clear 0 add 2"), "clear 0 add 2");
  EXPECT_EQ(Kept(""), "");
}

TEST_F(RememberedTest, WhatIsMissingIsTold) {
  EXPECT_EQ(Missing("add 1", "add 1 add 2"), "add 2");
  EXPECT_EQ(Missing("set 8", "set 16"), "set 16");
  EXPECT_EQ(Missing("add 1 set 8", "clear 0 set 8"), "clear 0 set 8");
}

TEST_F(RememberedTest, NothingIsMissingWhereItComesToTheSame) {
  EXPECT_EQ(Missing("set 16", "set 8 set 16"), "");
  EXPECT_EQ(Missing("set 8 wink 1 set 16", "set 16"), "");
}

TEST_F(RememberedTest, WhatCannotBeTakenBackNeedsAnotherModule) {
  EXPECT_EQ(Missing("add 1", "add 2"), "other");
  EXPECT_EQ(Missing("set 8", ""), "other");
  EXPECT_EQ(Missing("add 1 set 8", "add 2 set 16"), "other");
}

}  // namespace
}  // namespace bess
