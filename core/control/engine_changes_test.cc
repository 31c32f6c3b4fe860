// SPDX-License-Identifier: Apache-2.0
#include "core/control/transact_testing.h"
#include "gmock/gmock.h"

namespace bess {
namespace {

using testing::ElementsAre;

class EngineChangesTest : public TransactTest {
 protected:
  std::vector<std::string> LastChanges() {
    const native::Commit last = engine_->Commits().back();
    return Summary({last.changes().begin(), last.changes().end()});
  }
};

TEST_F(EngineChangesTest, EachCommitSaysWhatItChanged) {
  Create("sink", "TestSink");
  EXPECT_THAT(LastChanges(), ElementsAre("+modules/sink"));
  Create("source", "TestSource");
  EXPECT_THAT(LastChanges(), ElementsAre("+classes/!leaf_source:0", "+modules/source"));
  Connect("source", "sink");
  EXPECT_THAT(LastChanges(),
              ElementsAre("*classes/!leaf_source:0", "+connections/source:0", "+workers/0"));
  ASSERT_TRUE(
      engine_->AddHook("Track", "t", {.module = "sink", .output = false, .gate = 0}, {}).ok());
  EXPECT_THAT(LastChanges(), ElementsAre("+gate_hooks/sink:in0:t"));
  ASSERT_TRUE(engine_->AddWorker(0, AllowedCores().front(), "").ok());
  EXPECT_THAT(LastChanges(), ElementsAre("*workers/0"));
  ASSERT_TRUE(engine_->DestroyModule("source").ok());
  EXPECT_THAT(LastChanges(),
              ElementsAre("-classes/!leaf_source:0", "-connections/source:0", "-modules/source"));
}

TEST_F(EngineChangesTest, DefaultHooksBelongToTheirConnection) {
  StartChain();
  EXPECT_EQ(State().gate_hooks_size(), 0);
  EXPECT_FALSE(State().connections(0).skip_default_hooks());
  ASSERT_TRUE(engine_->RemoveHook("Track", "", {.module = "pass", .gate = 0}).ok());
  EXPECT_THAT(LastChanges(), ElementsAre("*connections/pass:0"));
  EXPECT_TRUE(State().connections(0).skip_default_hooks());
}

}  // namespace
}  // namespace bess
