// SPDX-License-Identifier: Apache-2.0
#include "core/graph/track.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"

namespace bess {
namespace {

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
  const auto track = MakeTrack("track");
  ExpectCounts(*track, 0, 0, 0);
  Build(track);
  Send(0, 100);
  Send(1, 5);
  ExpectCounts(*track, 3, 105, 0);
  EXPECT_FALSE(track->counts_bytes());
  EXPECT_EQ(test_.At("sink").packets, 105u);
}

TEST_F(TrackTest, CountsBytesWithTheirFramingOnRequest) {
  const auto track = MakeTrack("track", true);
  EXPECT_TRUE(track->counts_bytes());
  Build(track);
  Send(0, 10);
  ExpectCounts(*track, 1, 10, 10 * (sizeof(Tag) + 24));
}

TEST_F(TrackTest, ResetStartsAgainAtZero) {
  const auto track = MakeTrack("track", true);
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
  const auto track = MakeTrack("track");
  Build(track);
  Send(0, 10);
  runners_[0].Adopt(test_.MustCompile());
  Send(0, 10);
  ExpectCounts(*track, 2, 20, 0);
}

TEST_F(TrackTest, NeedsNodesOfItsOwnOnlyWhereGatesMeet) {
  const auto one = MakeTrack("one"), other = MakeTrack("other"), met = MakeTrack("met");
  test_.AddSource("source");
  test_.Add("m");
  test_.AddSink("sink");
  test_.Connect("source", 0, "m", 0, {one});
  test_.Connect("m", 0, "sink", 0, {met});
  EXPECT_EQ(NodesOf(test_.MustCompile(), 0).size(), 3u);
  test_.AddSource("twin");
  test_.Connect("twin", 0, "m", 1, {other});
  const Plan& plan = test_.MustCompile();
  EXPECT_EQ(NodesOf(plan, 0).size(), 6u);
  runners_[0].Adopt(plan);
  test_.Feed("source", 3);
  test_.Feed("twin", 5);
  runners_[0].Rounds(2);
  ExpectCounts(*one, 1, 3, 0);
  ExpectCounts(*other, 1, 5, 0);
  ExpectCounts(*met, 2, 8, 0);
}

TEST_F(TrackTest, SeveralAtOneGateCountAlike) {
  const auto first = MakeTrack("first"), second = MakeTrack("second");
  test_.AddSource("source");
  test_.AddSink("sink");
  test_.Connect("source", 0, "sink", 0, {first, second});
  runners_[0].Adopt(test_.MustCompile());
  test_.Feed("source", 3);
  runners_[0].Rounds(1);
  ExpectCounts(*first, 1, 3, 0);
  ExpectCounts(*second, 1, 3, 0);
}

TEST_F(TrackTest, HasOneCellAWorker) {
  const auto track = MakeTrack("track");
  EXPECT_NE(track->Cell(0), nullptr);
  EXPECT_EQ(track->Cell(0), track->Cell(0));
  EXPECT_NE(track->Cell(0), track->Cell(1));
}

}  // namespace
}  // namespace bess
