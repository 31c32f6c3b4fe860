// SPDX-License-Identifier: Apache-2.0
#include "core/control/watcher.h"

#include "core/control/nf_ports_testing.h"
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

class NfWatcherTest : public NfPortsTest {
 protected:
  // The events of network functions since the last call, waited for.
  static std::vector<std::string> Told(Watcher& watcher) {
    std::vector<std::string> told;
    const auto look = [&] {
      const auto events = watcher.Next(absl::ZeroDuration());
      for (const native::Event& event : *events) {
        if (!event.has_nf()) continue;
        told.push_back(
            absl::StrCat(event.nf().port(), " ", event.nf().what(), " ", event.nf().times()));
      }
      return !told.empty();
    };
    testing_nf::Eventually(look);
    return told;
  }
};

TEST_F(NfWatcherTest, SeesTheirLives) {
  CreatePort("p", /*trusted=*/false);
  Watcher watcher(*engine_, 0);
  testing_nf::RawConnection nf(Path("p"));
  nf.Attach();
  EXPECT_EQ(Told(watcher), std::vector<std::string>{"p attached 1"});
  nf.Close();
  EXPECT_EQ(Told(watcher), std::vector<std::string>{"p died 1"});
  EXPECT_TRUE(watcher.Next(absl::ZeroDuration())->empty());
}

TEST_F(NfWatcherTest, SeesTheBeginningOfOverload) {
  CreatePort("p", /*trusted=*/true);
  Watcher watcher(*engine_, 0);
  testing_nf::RawConnection nf(Path("p"));
  nf.Attach();
  ASSERT_EQ(Told(watcher), std::vector<std::string>{"p attached 1"});
  const auto lease = engine_->LeasePort("p", Direction::kSend, "test", 0);
  for (int round = 0; round < 3; ++round) {
    testing_ports::SendAll((*lease)->port(), std::vector<std::string>(64, std::string(60, 'x')));
  }
  EXPECT_EQ(Told(watcher), std::vector<std::string>{"p overloaded 1"});
}

}  // namespace
}  // namespace bess
