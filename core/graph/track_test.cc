// SPDX-License-Identifier: Apache-2.0
#include "core/graph/track.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"

namespace bess {
namespace {

std::shared_ptr<Track> MakeTrack(bool bits) {
  pb::TrackArg arg;
  arg.set_bits(bits);
  google::protobuf::Any any;
  any.PackFrom(arg);
  return std::static_pointer_cast<Track>(*HookRegistry::Get().Find("Track")->Create("track0", any));
}

void ExpectCounts(const Track& track, uint64_t batches, uint64_t packets, uint64_t bytes) {
  const Track::Counts counts = track.counts();
  EXPECT_EQ(counts.batches, batches);
  EXPECT_EQ(counts.packets, packets);
  EXPECT_EQ(counts.bytes, bytes);
}

class TrackTest : public testing::Test {
 protected:
  // Sources on two workers that send through the same gate.
  void Build(std::shared_ptr<Track> track) {
    test_.AddSource("source", 0);
    test_.AddSource("other", 1);
    test_.Add("m");
    test_.AddSink("sink");
    test_.Connect("source", 0, "m");
    test_.Connect("other", 0, "m");
    test_.Connect("m", 0, "sink", 0, {std::move(track)});
    const Plan& plan = test_.MustCompile();
    for (PlanRunner& runner : runners_) runner.Adopt(plan);
  }
  void Send(int worker, uint64_t n) {
    test_.Feed(worker == 0 ? "source" : "other", n);
    runners_[worker].Rounds(static_cast<int>((n + kBatchSize - 1) / kBatchSize));
  }

  TestGraph test_;
  PlanRunner runners_[2] = {PlanRunner(0), PlanRunner(1)};
};

TEST_F(TrackTest, CountsOverAllWorkers) {
  const auto track = MakeTrack(false);
  ExpectCounts(*track, 0, 0, 0);
  Build(track);
  Send(0, 100);
  Send(1, 5);
  ExpectCounts(*track, 3, 105, 0);
  EXPECT_FALSE(track->counts_bytes());
  EXPECT_EQ(test_.At("sink").packets, 105u);
}

TEST_F(TrackTest, CountsBytesWithTheirFramingOnRequest) {
  const auto track = MakeTrack(true);
  EXPECT_TRUE(track->counts_bytes());
  Build(track);
  Send(0, 10);
  ExpectCounts(*track, 1, 10, 10 * (sizeof(Tag) + 24));
}

TEST_F(TrackTest, ResetStartsAgainAtZero) {
  const auto track = MakeTrack(true);
  Build(track);
  Send(0, 70);
  Send(1, 3);
  EXPECT_TRUE(track->hclass().Run(*track, "reset", {}, nullptr).ok());
  ExpectCounts(*track, 0, 0, 0);
  Send(1, 4);
  ExpectCounts(*track, 1, 4, 4 * (sizeof(Tag) + 24));
  EXPECT_TRUE(track->Reset().ok());
  ExpectCounts(*track, 0, 0, 0);
}

TEST_F(TrackTest, CountsOnAcrossPlans) {
  const auto track = MakeTrack(false);
  Build(track);
  Send(0, 10);
  runners_[0].Adopt(test_.MustCompile());
  Send(0, 10);
  ExpectCounts(*track, 2, 20, 0);
}

TEST_F(TrackTest, HasOneCellAWorker) {
  const auto track = MakeTrack(false);
  EXPECT_NE(track->Cell(0), nullptr);
  EXPECT_EQ(track->Cell(0), track->Cell(0));
  EXPECT_NE(track->Cell(0), track->Cell(1));
}

}  // namespace
}  // namespace bess
