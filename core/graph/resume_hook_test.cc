// SPDX-License-Identifier: Apache-2.0
#include "core/graph/resume_hook.h"

#include <gtest/gtest.h>

#include "bess/hook.pb.h"

namespace bess {
namespace {

class Ring final : public ResumeHook {
 public:
  static constexpr ResumeHookInfo kInfo = {.name = "ring", .help = "rings a bell", .priority = 3};
  absl::Status Init(const pb::TrackArg& arg) {
    if (arg.bits()) return Error(EPERM, "no bits");
    return absl::OkStatus();
  }
  void Run() override { ++rings; }

  int rings = 0;
};
REGISTER_RESUME_HOOK(Ring);

TEST(ResumeHookTest, IsMadeByItsClass) {
  const auto hclass = ResumeHookRegistry::Get().Find("ring");
  ASSERT_NE(hclass, nullptr);
  EXPECT_EQ(hclass->info.priority, 3);
  const auto hook = hclass->Create({});
  ASSERT_TRUE(hook.ok());
  EXPECT_EQ(&(*hook)->hclass(), hclass.get());
  (*hook)->Run();
  EXPECT_EQ(static_cast<Ring&>(**hook).rings, 1);
}

TEST(ResumeHookTest, ArgumentsAreTyped) {
  pb::TrackArg arg;
  arg.set_bits(true);
  google::protobuf::Any any;
  any.PackFrom(arg);
  const auto hclass = ResumeHookRegistry::Get().Find("ring");
  EXPECT_EQ(StatusErrno(hclass->Create(any).status()), EPERM);
  any.PackFrom(pb::PcapngArg());
  EXPECT_EQ(StatusErrno(hclass->Create(any).status()), EINVAL);
}

}  // namespace
}  // namespace bess
