// SPDX-License-Identifier: Apache-2.0
#include "core/graph/hook.h"

#include <gmock/gmock.h>

#include "bess/hook.pb.h"
#include "core/base/status.h"

namespace bess {
namespace {

class Counting final : public GateHook {
 public:
  static constexpr HookInfo kInfo = {.name = "Counting", .help = "counts resets", .priority = 7};
  static std::vector<std::pair<std::string, absl::Status (Counting::*)()>> commands() {
    return {{"reset", &Counting::Reset}, {"break", &Counting::Break}};
  }
  absl::Status Init(const pb::TrackArg& arg) {
    if (arg.bits()) return Error(EPERM, "no bits");
    return absl::OkStatus();
  }
  absl::Status Reset() {
    ++resets;
    return absl::OkStatus();
  }
  absl::Status Break() { return Error(EBUSY, "broken"); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }

  int resets = 0;
};
REGISTER_GATE_HOOK(Counting);

class Mute final : public GateHook {
 public:
  static constexpr HookInfo kInfo = {.name = "Mute", .help = "has no commands"};
  absl::Status Init(const pb::TrackArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) { context.Emit(0, batch); }
};
REGISTER_GATE_HOOK(Mute);

google::protobuf::Any Argument(bool bits) {
  pb::TrackArg arg;
  arg.set_bits(bits);
  google::protobuf::Any any;
  any.PackFrom(arg);
  return any;
}

TEST(HookTest, ClassesAreFoundByName) {
  const auto hclass = HookRegistry::Get().Find("Counting");
  ASSERT_NE(hclass, nullptr);
  EXPECT_EQ(hclass->info.priority, 7);
  EXPECT_EQ(hclass->argument->name(), "TrackArg");
  EXPECT_EQ(HookRegistry::Get().Find("counting"), nullptr);
  EXPECT_TRUE(HookRegistry::Get().classes().contains("Mute"));
}

TEST(HookTest, AHookKeepsNameClassAndArgument) {
  const HookClass& hclass = *HookRegistry::Get().Find("Counting");
  const auto hook = hclass.Create("mine", Argument(false));
  ASSERT_TRUE(hook.ok());
  EXPECT_EQ((*hook)->name(), "mine");
  EXPECT_EQ(&(*hook)->hclass(), &hclass);
  EXPECT_EQ((*hook)->argument().type_url(), Argument(false).type_url());
  EXPECT_EQ((*hook)->Cell(0), nullptr);
}

TEST(HookTest, CreateRefusesWhatInitRefuses) {
  const HookClass& hclass = *HookRegistry::Get().Find("Counting");
  EXPECT_EQ(StatusErrno(hclass.Create("mine", Argument(true)).status()), EPERM);
  google::protobuf::Any any;
  any.PackFrom(pb::PcapngArg());
  const auto wrong = hclass.Create("mine", any);
  EXPECT_EQ(StatusErrno(wrong.status()), EINVAL);
  EXPECT_EQ(wrong.status().message(),
            "'Counting' takes a bess.pb.TrackArg, not a 'bess.pb.PcapngArg'");
}

TEST(HookTest, CommandsRunByName) {
  const HookClass& hclass = *HookRegistry::Get().Find("Counting");
  const auto hook = *hclass.Create("mine", Argument(false));
  EXPECT_TRUE(hclass.Run(*hook, "reset", {}, nullptr).ok());
  EXPECT_EQ(static_cast<Counting&>(*hook).resets, 1);
  EXPECT_EQ(StatusErrno(hclass.Run(*hook, "break", {}, nullptr)), EBUSY);
  const absl::Status unknown = hclass.Run(*hook, "x", {}, nullptr);
  EXPECT_EQ(StatusErrno(unknown), ENOTSUP);
  EXPECT_EQ(unknown.message(), "gate hook Counting has no command 'x'; it has: break, reset");
  const HookClass& mute = *HookRegistry::Get().Find("Mute");
  const auto silent = *mute.Create("silent", {});
  EXPECT_EQ(mute.Run(*silent, "x", {}, nullptr).message(),
            "gate hook Mute has no command 'x'; it has: none");
}

}  // namespace
}  // namespace bess
