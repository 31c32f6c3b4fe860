// SPDX-License-Identifier: Apache-2.0
//
// What the scheduler promises, on simulated time: shares, limits, priorities, no waste, no
// starvation, and that an edit leaves alone what it does not touch.
#include "core/tc/scheduler.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace bess {
namespace {

constexpr uint64_t kHz = 2'000'000'000;

// One worker, simulated: leaves use what `usage` says while `has_work` does.
class SchedulerTest : public testing::Test {
 protected:
  struct Leaf {
    std::function<TcUsage()> usage = [] { return TcUsage{1, 1000, 32, 32 * 512}; };
    std::function<bool()> has_work = [] { return true; };
    TcUsage used{};
    uint64_t asked_in_vain = 0;
  };

  void AddClass(const std::string& name, TcParams params, TcPlace place) {
    const absl::Status added = tree_.Add(name, params, std::move(place));
    ASSERT_TRUE(added.ok()) << added;
  }
  Leaf& AddLeaf(const std::string& module, TcPlace place) {
    tree_.AddLeaf(module, 0);
    const absl::Status moved = tree_.Move(LeafName(module, 0), std::move(place));
    EXPECT_TRUE(moved.ok()) << moved;
    return leaves_[module];
  }
  void Adopt() {
    plans_.push_back(std::make_unique<ClassTree>(tree_));
    scheduler_ = std::make_unique<TcScheduler>(*plans_.back(), 0, kHz);
    scheduler_->Adopt(now_);
  }
  uint32_t NumberOf(const std::string& module) {
    for (uint32_t i = 0; i < scheduler_->leaves().size(); ++i) {
      if (scheduler_->leaves()[i]->module == module) return i;
    }
    return TcScheduler::kNone;
  }

  // Runs for this long; a worker with nothing to do asks who rests, then lets some time pass.
  void Run(double seconds) {
    const uint64_t end = now_ + static_cast<uint64_t>(seconds * kHz);
    while (now_ < end) {
      uint32_t leaf = scheduler_->Next(now_);
      if (leaf == TcScheduler::kNone) leaf = scheduler_->NextResting();
      if (leaf == TcScheduler::kNone) {
        now_ += 100;
        idle_ += 100;
      } else {
        RunLeaf(leaf);
      }
    }
  }
  void RunLeaf(uint32_t number) {
    Leaf& leaf = leaves_[scheduler_->leaves()[number]->module];
    const bool blocked = !leaf.has_work();
    const TcUsage usage = blocked ? TcUsage{1, 50, 0, 0} : leaf.usage();
    now_ += usage[1];
    for (size_t i = 0; i < usage.size(); ++i) leaf.used[i] += usage[i];
    leaf.asked_in_vain += blocked ? 1 : 0;
    scheduler_->Ran(number, usage, blocked, now_);
  }

  ClassTree tree_;
  std::vector<std::unique_ptr<ClassTree>> plans_;
  std::unique_ptr<TcScheduler> scheduler_;
  std::map<std::string, Leaf> leaves_;
  uint64_t now_ = kHz;
  uint64_t idle_ = 0;
};

TcPlace AtWorker() { return {.worker = 0}; }
TcPlace Under(const std::string& parent) { return {.parent = parent}; }
TcPlace Ranked(const std::string& parent, int64_t priority) {
  return {.parent = parent, .priority = priority};
}
TcPlace Shared(const std::string& parent, int64_t share) {
  return {.parent = parent, .share = share};
}
TcParams Limit(TcResource resource, int64_t limit, int64_t max_burst = 0) {
  return {TcPolicy::kRateLimit, resource, limit, max_burst};
}

TEST_F(SchedulerTest, NothingToRun) {
  Adopt();
  EXPECT_EQ(scheduler_->Next(now_), TcScheduler::kNone);
  EXPECT_EQ(scheduler_->NextResting(), TcScheduler::kNone);
  AddClass("empty", {TcPolicy::kRoundRobin}, AtWorker());
  Adopt();
  EXPECT_EQ(scheduler_->Next(now_), TcScheduler::kNone);
}

TEST_F(SchedulerTest, RootsTakeTurns) {
  Leaf& a = AddLeaf("a", AtWorker());
  Leaf& b = AddLeaf("b", AtWorker());
  Leaf& c = AddLeaf("c", AtWorker());
  Adopt();
  Run(0.001);
  EXPECT_NEAR(static_cast<double>(a.used[0]), static_cast<double>(b.used[0]), 1);
  EXPECT_NEAR(static_cast<double>(b.used[0]), static_cast<double>(c.used[0]), 1);
}

// Shares in proportion to weights 1..1000 whatever a class's runs look like, for each resource.
class SharesTest : public SchedulerTest,
                   public testing::WithParamInterface<std::tuple<TcResource, int>> {};

TEST_P(SharesTest, AreWithinOnePerCentOverASecond) {
  const auto [resource, classes] = GetParam();
  const auto counted = static_cast<size_t>(resource);
  std::mt19937_64 random(7);
  AddClass("fair", {TcPolicy::kWeightedFair, resource}, AtWorker());
  std::vector<std::pair<Leaf*, double>> expected;
  double sum = 0;
  for (int i = 0; i < classes; ++i) {
    const int64_t share = 1 + static_cast<int64_t>(i == 0 ? 999 : random() % 1000);
    Leaf& leaf = AddLeaf(absl::StrCat("m", i), Shared("fair", share));
    const uint64_t cost = 20 + random() % 80;  // cycles a packet
    leaf.usage = [&random, cost] {
      const uint64_t packets = 1 + random() % 8;
      return TcUsage{1, packets * cost, packets, packets * 8 * (60 + random() % 1440)};
    };
    expected.emplace_back(&leaf, static_cast<double>(share));
    sum += static_cast<double>(share);
  }
  Adopt();
  Run(1);
  double used = 0;
  for (const auto& [leaf, share] : expected) used += static_cast<double>(leaf->used[counted]);
  for (const auto& [leaf, share] : expected) {
    // One run more or less is what any scheduler of whole runs may be off.
    const double run = counted == 0 ? 1 : counted == 1 ? 800 : counted == 2 ? 8 : 8 * 8 * 1500;
    EXPECT_NEAR(static_cast<double>(leaf->used[counted]), share / sum * used,
                0.01 * share / sum * used + run);
  }
  EXPECT_EQ(idle_, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, SharesTest,
                         testing::Combine(testing::Values(TcResource::kCount, TcResource::kCycle,
                                                          TcResource::kPacket, TcResource::kBit),
                                          testing::Values(2, 5, 64)));

TEST_F(SchedulerTest, ThreeLevelsDivideWhatTheyGet) {
  AddClass("top", {TcPolicy::kWeightedFair, TcResource::kCycle}, AtWorker());
  AddClass("left", {TcPolicy::kWeightedFair, TcResource::kPacket}, Shared("top", 3));
  Leaf& right = AddLeaf("right", Shared("top", 1));
  Leaf& a = AddLeaf("a", Shared("left", 2));
  Leaf& b = AddLeaf("b", Shared("left", 5));
  a.usage = [] { return TcUsage{1, 4000, 32, 0}; };
  Adopt();
  Run(0.1);
  const auto used = [](const Leaf& leaf, TcResource resource) {
    return static_cast<double>(leaf.used[static_cast<size_t>(resource)]);
  };
  const double left = used(a, TcResource::kCycle) + used(b, TcResource::kCycle);
  EXPECT_NEAR(left / used(right, TcResource::kCycle), 3, 0.03);
  EXPECT_NEAR(used(b, TcResource::kPacket) / used(a, TcResource::kPacket), 2.5, 0.025);
}

TEST_F(SchedulerTest, TheLowerGetsNothingWhileTheHigherHasWorkAndAllWhenItHasNone) {
  AddClass("prio", {TcPolicy::kPriority}, AtWorker());
  Leaf& high = AddLeaf("high", Ranked("prio", 0));
  Leaf& low = AddLeaf("low", Ranked("prio", 7));
  bool work = true;
  high.has_work = [&] { return work; };
  Adopt();
  Run(0.01);
  EXPECT_EQ(low.used[0], 0u);
  work = false;
  const uint64_t before = now_;
  Run(0.01);
  EXPECT_GT(static_cast<double>(low.used[1]), 0.99 * static_cast<double>(now_ - before));
  work = true;
  const uint64_t ran = low.used[1];
  Run(0.01);
  EXPECT_LT(low.used[1] - ran, 20e-6 * kHz) << "it is asked again within microseconds";
}

TEST_F(SchedulerTest, AKnockIsAnsweredAtOnce) {
  AddClass("prio", {TcPolicy::kPriority}, AtWorker());
  Leaf& high = AddLeaf("high", Ranked("prio", 0));
  AddLeaf("low", Ranked("prio", 7));
  bool work = false;
  high.has_work = [&] { return work; };
  Adopt();
  const uint32_t number = NumberOf("high");
  for (int i = 0; i < 100; ++i) {
    Run(0.0001);
    // Only now does it have something; what was asked in vain meanwhile may be due just now.
    work = true;
    scheduler_->door(number).Knock();
    EXPECT_EQ(scheduler_->Next(now_), number);
    RunLeaf(number);
    work = false;
    RunLeaf(number);
  }
}

TEST_F(SchedulerTest, WhoRestsCostsNextToNothing) {
  Leaf& busy = AddLeaf("busy", AtWorker());
  for (int i = 0; i < 200; ++i) {
    AddLeaf(absl::StrCat("idle", i), AtWorker()).has_work = [] { return false; };
  }
  Adopt();
  Run(0.1);
  EXPECT_GT(static_cast<double>(busy.used[1]), 0.90 * 0.1 * kHz);
  for (const auto& [name, leaf] : leaves_) EXPECT_GT(leaf.used[0], 100u) << name << " starves";
}

TEST_F(SchedulerTest, WhenAllRestEachIsAskedInTurn) {
  for (int i = 0; i < 5; ++i) {
    AddLeaf(absl::StrCat("idle", i), AtWorker()).has_work = [] { return false; };
  }
  Adopt();
  Run(0.0001);
  for (const auto& [name, leaf] : leaves_) EXPECT_GT(leaf.asked_in_vain, 500u) << name;
}

// Above a busy leaf, one that may wait to be told once it was without work for a millisecond.
class AwaitingTest : public SchedulerTest {
 protected:
  void SetUp() override {
    AddClass("prio", {TcPolicy::kPriority}, AtWorker());
    AddLeaf("busy", Ranked("prio", 7));
    AddLeaf("high", Ranked("prio", 0)).has_work = [this] { return work_; };
    Adopt();
    number_ = NumberOf("high");
  }
  uint64_t AskedWhileRunning(double seconds) {
    const uint64_t before = high_.asked_in_vain;
    Run(seconds);
    return high_.asked_in_vain - before;
  }
  void LetItWait() {
    while (!scheduler_->Tired(number_, now_)) Run(0.00001);
    scheduler_->Await(number_, now_);
    ASSERT_EQ(scheduler_->awaiting(), 1u);
  }
  // Within a few runs of others.
  bool RunsAtOnce() {
    const uint64_t before = high_.used[2];
    Run(0.000002);
    return high_.used[2] > before;
  }

  bool work_ = false;
  uint32_t number_ = TcScheduler::kNone;
  Leaf& high_ = leaves_["high"];
};

TEST_F(AwaitingTest, OnlyWhoHadNoWorkForLongIsTired) {
  work_ = true;
  Run(0.01);
  EXPECT_FALSE(scheduler_->Tired(number_, now_)) << "it has work";
  work_ = false;
  EXPECT_GT(AskedWhileRunning(0.0009), 50u);
  EXPECT_FALSE(scheduler_->Tired(number_, now_));
  Run(0.0002);
  EXPECT_TRUE(scheduler_->Tired(number_, now_));
}

TEST_F(AwaitingTest, WhoAwaitsIsAskedRarely) {
  LetItWait();
  EXPECT_FALSE(scheduler_->Tired(number_, now_)) << "it waits already";
  EXPECT_LE(AskedWhileRunning(0.5), 5u);
  EXPECT_EQ(scheduler_->awaiting(), 1u);
  scheduler_->NextResting();
  EXPECT_EQ(scheduler_->NextResting(), TcScheduler::kNone) << "not even when there is time";
}

TEST_F(AwaitingTest, WhoIsToldIsAskedAtOnceAndForAWhile) {
  for (int i = 0; i < 10; ++i) {
    LetItWait();
    Run(0.001);
    scheduler_->Tell(number_, now_);
    EXPECT_EQ(scheduler_->Next(now_), number_);
    EXPECT_EQ(scheduler_->awaiting(), 0u);
    EXPECT_GT(AskedWhileRunning(0.0009), 50u) << "told in vain it is asked like others";
    EXPECT_FALSE(scheduler_->Tired(number_, now_)) << "and does not wait again at once";
  }
}

// A new plan may have the same scheduler, but nobody watches for it any more.
TEST_F(AwaitingTest, WhoIsAdoptedAgainIsAskedLikeOthers) {
  LetItWait();
  scheduler_->Adopt(now_);
  EXPECT_EQ(scheduler_->awaiting(), 0u);
  EXPECT_GT(AskedWhileRunning(0.0009), 50u);
}

TEST_F(AwaitingTest, NobodyNeedsToTell) {
  LetItWait();
  work_ = true;
  Run(0.101);
  EXPECT_GT(high_.used[2], 0u);
  EXPECT_EQ(scheduler_->awaiting(), 0u) << "who has work waits no more";
  scheduler_->Tell(number_, now_);
  work_ = false;
  LetItWait();
}

TEST_F(AwaitingTest, AKnockIsAnsweredToo) {
  LetItWait();
  work_ = true;
  scheduler_->door(number_).Knock();
  EXPECT_TRUE(RunsAtOnce());
  EXPECT_EQ(scheduler_->awaiting(), 0u);
}

// Limits in bits a second, from a trickle to nearly all the worker can do.
TEST_F(SchedulerTest, LimitsHoldWithinOnePerCent) {
  constexpr int64_t kBatch = 32 * 512;  // bits in 1000 cycles: at most 32 Gbit/s
  for (const int64_t limit :
       {int64_t{10'000'000}, int64_t{1'000'000'000}, int64_t{30'000'000'000}}) {
    tree_ = ClassTree();
    leaves_.clear();
    AddClass("limit", Limit(TcResource::kBit, limit), AtWorker());
    Leaf& leaf = AddLeaf("m", Under("limit"));
    Adopt();
    Run(1);
    EXPECT_NEAR(static_cast<double>(leaf.used[3]), static_cast<double>(limit),
                0.01 * static_cast<double>(limit) + kBatch);
  }
}

TEST_F(SchedulerTest, ASlowTrickleIsNotStarved) {
  AddClass("limit", Limit(TcResource::kBit, 10'000), AtWorker());
  Leaf& slow = AddLeaf("slow", Under("limit"));
  Leaf& fast = AddLeaf("fast", AtWorker());
  fast.usage = [] { return TcUsage{1, 100'000, 64, 1}; };
  Adopt();
  Run(40);
  EXPECT_NEAR(static_cast<double>(slow.used[3]), 400'000, 4'000 + 32 * 512);
}

TEST_F(SchedulerTest, ZeroMeansNoLimit) {
  AddClass("limit", Limit(TcResource::kPacket, 0), AtWorker());
  AddLeaf("m", Under("limit"));
  Adopt();
  Run(0.01);
  EXPECT_EQ(idle_, 0u);
}

TEST_F(SchedulerTest, RaisingALimitWakesTheWaitingClassAtOnce) {
  for (const int64_t raised : {int64_t{1'000'000'000}, int64_t{0}}) {
    tree_ = ClassTree();
    AddClass("limit", Limit(TcResource::kBit, 1), AtWorker());
    AddLeaf("m", Under("limit"));
    Adopt();
    Run(0.01);
    ASSERT_EQ(scheduler_->Next(now_), TcScheduler::kNone);
    EXPECT_TRUE(scheduler_->limited());
    EXPECT_GT(tree_.Find("limit")->state->ready.load(), now_);
    ASSERT_TRUE(tree_.Update("limit", Limit(TcResource::kBit, raised)).ok());
    Adopt();
    EXPECT_FALSE(scheduler_->limited());
    EXPECT_LE(tree_.Find("limit")->state->ready.load(), now_);
    EXPECT_NE(scheduler_->Next(now_), TcScheduler::kNone);
  }
}

TEST_F(SchedulerTest, AWaitingClassKeepsWaitingThroughEditsOfOthers) {
  AddClass("limit", Limit(TcResource::kBit, 100'000'000), AtWorker());
  Leaf& leaf = AddLeaf("m", Under("limit"));
  Adopt();
  for (int i = 0; i < 1000; ++i) {
    Run(0.001);
    tree_.AddLeaf(absl::StrCat("other", i), 0);
    Adopt();
  }
  EXPECT_NEAR(static_cast<double>(leaf.used[3]), 1e8, 1e6);
}

TEST_F(SchedulerTest, AResterUnderAUsedUpLimitIsNotAsked) {
  AddClass("limit", Limit(TcResource::kPacket, 1), AtWorker());
  AddClass("both", {TcPolicy::kRoundRobin}, Under("limit"));
  AddLeaf("busy", Under("both"));
  Leaf& idle = AddLeaf("idle", Under("both"));
  idle.has_work = [] { return false; };
  Adopt();
  Run(0.01);
  EXPECT_LE(idle.asked_in_vain, 1u);
}

TEST_F(SchedulerTest, SharesHoldAcrossThousandsOfEdits) {
  AddClass("fair", {TcPolicy::kWeightedFair, TcResource::kPacket}, AtWorker());
  Leaf& a = AddLeaf("a", Shared("fair", 3));
  Leaf& b = AddLeaf("b", Shared("fair", 1));
  Adopt();
  for (int i = 0; i < 5000; ++i) {
    Run(2e-6);  // some four runs a plan
    if (i % 2 == 0) {
      AddClass(absl::StrCat("c", i), {TcPolicy::kRoundRobin}, Shared("fair", 1 + i));
    } else {
      ASSERT_TRUE(tree_.Remove(absl::StrCat("c", i - 1)).ok());
    }
    Adopt();
  }
  EXPECT_NEAR(static_cast<double>(a.used[2]) / static_cast<double>(b.used[2]), 3, 0.03);
}

// Whoever was away gets its share from now on, not what it missed.
TEST_F(SchedulerTest, NobodySavesUpForLater) {
  AddClass("fair", {TcPolicy::kWeightedFair, TcResource::kPacket}, AtWorker());
  Leaf& steady = AddLeaf("steady", Shared("fair", 1));
  Leaf& comes = AddLeaf("comes", Shared("fair", 1));
  bool work = false;
  comes.has_work = [&] { return work; };
  Adopt();
  Run(0.1);
  work = true;
  const TcUsage before_steady = steady.used, before_comes = comes.used;
  Run(0.01);
  EXPECT_NEAR(static_cast<double>(steady.used[2] - before_steady[2]),
              static_cast<double>(comes.used[2] - before_comes[2]), 0.01 * 0.01 * kHz / 1000 * 32);
}

// The clock of a class is set back every few hours of full load.
TEST_F(SchedulerTest, PassesNeverOverflow) {
  AddClass("fair", {TcPolicy::kWeightedFair, TcResource::kBit}, AtWorker());
  Leaf& a = AddLeaf("a", Shared("fair", kMaxTcShare));
  Leaf& b = AddLeaf("b", Shared("fair", kMaxTcShare / 2));
  for (Leaf* leaf : {&a, &b}) {
    leaf->usage = [] { return TcUsage{1, 1000, 1, uint64_t{1} << 40}; };
  }
  Adopt();
  Run(0.5);
  EXPECT_NEAR(static_cast<double>(a.used[3]) / static_cast<double>(b.used[3]), 2, 0.001);
}

TEST_F(SchedulerTest, StatisticsCountAtEveryLevel) {
  AddClass("top", {TcPolicy::kRoundRobin}, AtWorker());
  AddLeaf("a", Under("top"));
  AddLeaf("b", Under("top"));
  Adopt();
  Run(0.001);
  const ClassState& top = *tree_.Find("top")->state;
  const ClassState& a = *tree_.Find(LeafName("a", 0))->state;
  EXPECT_EQ(a.count.Get(), leaves_["a"].used[0]);
  EXPECT_EQ(top.count.Get(), leaves_["a"].used[0] + leaves_["b"].used[0]);
  EXPECT_EQ(top.cycles.Get(), leaves_["a"].used[1] + leaves_["b"].used[1]);
  EXPECT_EQ(top.packets.Get(), leaves_["a"].used[2] + leaves_["b"].used[2]);
  EXPECT_EQ(top.bits.Get(), leaves_["a"].used[3] + leaves_["b"].used[3]);
}

}  // namespace
}  // namespace bess
