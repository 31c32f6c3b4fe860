// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/hook.pb.h"
#include "core/control/engine_testing.h"
#include "core/graph/resume_hook.h"

namespace bess {
namespace {

std::vector<std::string>& Runs() {
  static std::vector<std::string> runs;
  return runs;
}

class Late final : public ResumeHook {
 public:
  static constexpr ResumeHookInfo kInfo = {.name = "a_late", .help = "", .priority = 2};
  absl::Status Init(const pb::TrackArg& arg) {
    if (arg.bits()) return Error(EDOM, "no bits");
    return absl::OkStatus();
  }
  void Run() override { Runs().push_back("late"); }
};
REGISTER_RESUME_HOOK(Late);

class Early final : public ResumeHook {
 public:
  static constexpr ResumeHookInfo kInfo = {.name = "z_early", .help = "", .priority = 1};
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Run() override { Runs().push_back("early"); }
};
REGISTER_RESUME_HOOK(Early);

class ResumeHooksTest : public EngineTest {
 protected:
  ResumeHooksTest() { Runs().clear(); }
};

TEST_F(ResumeHooksTest, RunByPriorityWhenStoppedWorkersResume) {
  StartChain();
  ASSERT_TRUE(engine_->AddResumeHook("a_late", {}).ok());
  ASSERT_TRUE(engine_->AddResumeHook("z_early", {}).ok());
  EXPECT_TRUE(Runs().empty());
  ASSERT_TRUE(engine_->PauseAll().ok());
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_THAT(Runs(), testing::ElementsAre("early", "late"));
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_EQ(Runs().size(), 2u) << "nothing was paused";
  ASSERT_TRUE(engine_->RemoveResumeHook("a_late").ok());
  ASSERT_TRUE(engine_->PauseAll().ok());
  ASSERT_TRUE(engine_->ResumeAll().ok());
  EXPECT_THAT(Runs(), testing::ElementsAre("early", "late", "early"));
}

TEST_F(ResumeHooksTest, EachIsInstalledOnce) {
  ASSERT_TRUE(engine_->AddResumeHook("z_early", {}).ok());
  ExpectError(engine_->AddResumeHook("z_early", {}), EEXIST, "'z_early'");
  ASSERT_TRUE(engine_->RemoveResumeHook("z_early").ok());
  ExpectError(engine_->RemoveResumeHook("z_early"), ENOENT, "'z_early'");
}

TEST_F(ResumeHooksTest, RefusesWhatIsNotThereAndWhatInitRefuses) {
  ExpectError(engine_->AddResumeHook("nothing", {}), ENOENT, "'nothing'");
  pb::TrackArg arg;
  arg.set_bits(true);
  google::protobuf::Any any;
  any.PackFrom(arg);
  ExpectError(engine_->AddResumeHook("a_late", any), EDOM, "no bits");
  any.PackFrom(pb::PcapngArg());
  ExpectError(engine_->AddResumeHook("a_late", any), EINVAL, "TrackArg");
  ExpectError(engine_->RemoveResumeHook("a_late"), ENOENT, "'a_late'");
}

TEST_F(ResumeHooksTest, TheTwoThatBessHasAreAlwaysThere) {
  for (const char* name : {"setup_metadata", "setup_taskgraph"}) {
    ExpectError(engine_->AddResumeHook(name, {}), EEXIST, name);
    ExpectError(engine_->RemoveResumeHook(name), EPERM, "cannot be disabled");
  }
}

}  // namespace
}  // namespace bess
