// SPDX-License-Identifier: Apache-2.0
#include "core/control/watcher.h"

#include "core/control/transact_testing.h"

namespace bess {
namespace {

using WatcherTest = TransactTest;

TEST_F(WatcherTest, SeesEachCommitOnce) {
  Create("before", "TestSink");
  Watcher watcher(*engine_, 0);
  Create("after", "TestSink");
  auto events = watcher.Next(absl::ZeroDuration());
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ((*events)[0].commit().changes(0).path(), "modules/after");
  EXPECT_TRUE(watcher.Next(absl::ZeroDuration())->empty());
  Watcher late(*engine_, engine_->version() - 2);
  EXPECT_EQ(late.Next(absl::ZeroDuration())->size(), 2u);
}

TEST_F(WatcherTest, SeesWorkersPause) {
  ASSERT_TRUE(engine_->AddWorker(1, AllowedCores().front(), "").ok());
  Watcher watcher(*engine_, 0);
  ASSERT_TRUE(engine_->PauseWorker(1).ok());
  const auto events = watcher.Next(absl::ZeroDuration());
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ((*events)[0].worker().wid(), 1u);
  EXPECT_FALSE((*events)[0].worker().running());
}

TEST_F(WatcherTest, SaysWhenItHasMissedSome) {
  Create("knob", "TestKnob");
  Watcher watcher(*engine_, engine_->version());
  for (size_t i = 0; i < 3 * History::kSingle; ++i) Tell("knob", "set", 1);
  EXPECT_EQ(watcher.Next(absl::ZeroDuration()).status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace bess
