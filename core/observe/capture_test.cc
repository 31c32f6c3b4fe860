// SPDX-License-Identifier: Apache-2.0
#include "core/observe/capture.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"
#include "core/observe/capture_testing.h"

namespace bess {
namespace {

constexpr size_t kFileHeader = 24;
constexpr size_t kRecordHeader = 16;

bool Eventually(absl::FunctionRef<bool()> reached) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!reached()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class CaptureTest : public CaptureFixture {
 protected:
  absl::StatusOr<std::shared_ptr<GateHook>> Create(const std::string& fifo, bool defer = false,
                                                   bool reconnect = false) {
    pb::TcpdumpArg arg;
    arg.set_fifo(fifo);
    arg.set_defer(defer);
    arg.set_reconnect(reconnect);
    google::protobuf::Any any;
    any.PackFrom(arg);
    return HookRegistry::Get().Find(TcpDump::kInfo.name)->Create("mine", any);
  }
  // source -> sink with the hook between them.
  void Build(std::shared_ptr<GateHook> hook) {
    hook_ = std::static_pointer_cast<TcpDump>(std::move(hook));
    test_.AddSource("source", 0);
    test_.AddSink("sink");
    test_.Connect("source", 0, "sink", 0, {hook_});
    runner_.Adopt(test_.MustCompile());
  }
  void Send(uint64_t n) {
    sent_ += n;
    test_.Feed("source", n);
    runner_.Rounds(static_cast<int>((n + kBatchSize - 1) / kBatchSize));
  }
  native::CaptureCounters Counters() { return *hook_->GetCounters(); }
  // Nothing is left between the worker and the pipe.
  bool AllAccounted() {
    const auto counters = Counters();
    return counters.passed() == sent_ &&
           counters.captured() + counters.not_captured() == counters.passed();
  }

  TestGraph test_;
  PlanRunner runner_{0};
  std::shared_ptr<TcpDump> hook_;
  uint64_t sent_ = 0;
};

TEST_F(CaptureTest, EveryPacketComesOutOfThePipe) {
  FifoReader reader(path());
  Build(*Create(path()));
  Send(100);
  EXPECT_TRUE(Eventually([&] { return Counters().captured() == 100; }));
  const std::string file = reader.Read(kFileHeader + 100 * kRecordHeader);
  EXPECT_EQ(file.substr(0, kFileHeader), PcapFormat().Header());
  EXPECT_EQ(test_.At("sink").packets, 100u);
  EXPECT_EQ(Counters().not_captured(), 0u);
}

TEST_F(CaptureTest, ASleepingReaderCostsNoTraffic) {
  FifoReader reader(path());
  Build(*Create(path()));
  for (int i = 0; i < 1000; ++i) Send(kBatchSize);
  EXPECT_EQ(test_.At("sink").packets, sent_);
  EXPECT_EQ(Counters().passed(), sent_);
  EXPECT_GT(Counters().not_captured(), 0u);
  reader.Read(1 << 30);
  EXPECT_TRUE(AllAccounted());
}

TEST_F(CaptureTest, GoesWithItsReader) {
  auto reader = std::make_unique<FifoReader>(path());
  Build(*Create(path()));
  Send(10);
  EXPECT_TRUE(Eventually([&] { return Counters().captured() == 10; }));
  EXPECT_FALSE(hook_->finished());
  reader.reset();
  EXPECT_TRUE(Eventually([&] { return hook_->finished(); })) << "without any packet";
  Send(10);
  EXPECT_EQ(Counters().not_captured(), 10u);
  EXPECT_EQ(test_.At("sink").packets, 20u);
}

TEST_F(CaptureTest, WithoutAReaderItIsRefusedUnlessToldToWait) {
  EXPECT_EQ(StatusErrno(Create(path()).status()), ENXIO);
  Build(*Create(path(), /*defer=*/true));
  Send(10);
  EXPECT_EQ(Counters().not_captured(), 10u);
  FifoReader reader(path());
  EXPECT_EQ(reader.Read(kFileHeader), PcapFormat().Header());
  EXPECT_TRUE(Eventually([&] {
    Send(1);
    return Counters().captured() > 0;
  }));
}

TEST_F(CaptureTest, WaitsForAnotherReaderWhenToldTo) {
  auto reader = std::make_unique<FifoReader>(path());
  Build(*Create(path(), /*defer=*/false, /*reconnect=*/true));
  EXPECT_EQ(reader->Read(kFileHeader), PcapFormat().Header());
  reader.reset();
  absl::SleepFor(absl::Milliseconds(20));
  FifoReader other(path());
  EXPECT_EQ(other.Read(kFileHeader), PcapFormat().Header()) << "a file of its own";
  EXPECT_FALSE(hook_->finished());
  EXPECT_TRUE(Eventually([&] {
    Send(1);
    return Counters().captured() > 0;
  }));
  EXPECT_TRUE(Eventually([&] { return AllAccounted(); }));
}

TEST_F(CaptureTest, WhatWaitsIsWrittenWhenItIsTakenAway) {
  FifoReader reader(path());
  auto hook = *Create(path());
  Build(hook);
  Send(50);
  hook.reset();
  hook_.reset();
  test_.graph = {};
  test_.plans.clear();
  EXPECT_GE(reader.Read(kFileHeader + 50 * kRecordHeader).size(), kFileHeader + 50 * kRecordHeader);
}

TEST_F(CaptureTest, ASleepingReaderDoesNotKeepItFromBeingTakenAway) {
  const FifoReader reader(path());
  Build(*Create(path()));
  for (int i = 0; i < 2000; ++i) {
    Send(kBatchSize);
    absl::SleepFor(absl::Microseconds(50));
  }
  const absl::Time before = absl::Now();
  hook_.reset();
  test_.graph = {};
  test_.plans.clear();
  EXPECT_LT(absl::Now() - before, absl::Seconds(2));
}

TEST_F(CaptureTest, RefusesWhatIsNoFifo) {
  EXPECT_EQ(StatusErrno(Create("/dev/null").status()), EINVAL);
  EXPECT_EQ(StatusErrno(Create(directory() + "/absent", true).status()), ENOENT);
  EXPECT_EQ(StatusErrno(Create("", true).status()), EINVAL);
}

TEST_F(CaptureTest, PcapNgWritesItsOwnFormat) {
  FifoReader reader(path());
  pb::PcapngArg arg;
  arg.set_fifo(path());
  google::protobuf::Any any;
  any.PackFrom(arg);
  const auto hook = HookRegistry::Get().Find(PcapNg::kInfo.name)->Create("tap", any);
  ASSERT_TRUE(hook.ok()) << hook.status();
  const std::string header = PcapngFormat("tap").Header();
  EXPECT_EQ(reader.Read(header.size()), header);
}

}  // namespace
}  // namespace bess
