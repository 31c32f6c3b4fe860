// SPDX-License-Identifier: Apache-2.0
//
// Random trees, random work and random edits: the scheduler decides like the slow reference, step
// by step.
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "core/tc/reference_testing.h"
#include "core/tc/scheduler.h"

namespace bess {
namespace {

constexpr uint64_t kHz = 1'000'000'000;
constexpr uint32_t kWorkers = 2;
constexpr size_t kMaxClasses = 24;

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 8; ++i) AddLeaf();
    Publish();
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      if (Chance(150)) Edit();
      if (Chance(40)) Toggle();
      Step();
    }
    EXPECT_GT(ran_, static_cast<uint64_t>(steps) / 20) << "too idle to prove anything";
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Chance(uint64_t one_in) { return Below(one_in) == 0; }

  std::string AnyClass(bool leaf) {
    std::vector<std::string> names;
    for (const auto& [name, tc] : tree_.classes()) {
      if (tc->is_leaf() == leaf) names.push_back(name);
    }
    return names.empty() ? "" : names[Below(names.size())];
  }

  void AddLeaf() {
    if (tree_.classes().size() >= kMaxClasses) return;
    const std::string module = absl::StrCat("m", next_++);
    tree_.AddLeaf(module, 0);
    has_work_[LeafName(module, 0)] = true;
    tree_.Assign(LeafName(module, 0), static_cast<uint32_t>(Below(kWorkers)));
  }

  TcPlace AnyPlace() {
    TcPlace place;
    if (Chance(4)) {
      place.worker = static_cast<uint32_t>(Below(kWorkers));
      return place;
    }
    place.parent = AnyClass(/*leaf=*/false);
    if (place.parent.empty()) return place;
    const TcPolicy policy = tree_.Find(place.parent)->params.policy;
    if (policy == TcPolicy::kPriority) place.priority = static_cast<int64_t>(Below(10));
    if (policy == TcPolicy::kWeightedFair) place.share = static_cast<int64_t>(1 + Below(1000));
    return place;
  }

  TcParams AnyParams() {
    TcParams params;
    params.policy = static_cast<TcPolicy>(Below(4));
    params.resource = static_cast<TcResource>(Below(kNumTcResources));
    // From nothing through milliseconds a run to no limit in effect.
    constexpr int64_t kLimits[] = {0, 100, 20'000, 10'000'000, 10'000'000'000};
    params.limit = kLimits[Below(5)];
    params.max_burst = Chance(2) ? 0 : static_cast<int64_t>(Below(1'000'000));
    return params;
  }

  // One random edit; many are refused, which must change nothing.
  void Edit() {
    const uint64_t kind = Below(10);
    if (kind < 2 && tree_.classes().size() < kMaxClasses) {
      tree_.Add(absl::StrCat("c", next_++), AnyParams(), AnyPlace()).IgnoreError();
    } else if (kind == 2 || AnyClass(true).empty()) {
      AddLeaf();
    } else if (kind == 3) {
      tree_.Remove(AnyClass(false)).IgnoreError();
    } else if (kind == 4) {
      tree_.Update(AnyClass(false), AnyParams()).IgnoreError();
    } else if (kind == 5 && !AnyClass(true).empty()) {
      const TrafficClass leaf = *tree_.Find(AnyClass(true));
      tree_.RemoveLeaf(leaf.module, leaf.task);
    } else {
      tree_.Move(AnyClass(Chance(2)), AnyPlace()).IgnoreError();
    }
    Publish();
  }

  void Publish() {
    auto tree = std::make_unique<ClassTree>(tree_);
    for (uint32_t worker = 0; worker < kWorkers; ++worker) {
      auto scheduler = std::make_unique<TcScheduler>(*tree, worker, kHz);
      scheduler->Adopt(now_);
      references_[worker].Adopt(*tree, worker, now_);
      schedulers_[worker] = std::move(scheduler);
    }
    published_.swap(tree);
  }

  // A leaf gets work, and says so or not, or runs out of it.
  void Toggle() {
    const std::string name = AnyClass(true);
    has_work_[name] = !has_work_[name];
    if (!has_work_[name] || Chance(2)) return;
    const auto worker = tree_.WorkerOf(name);
    if (!worker) return;
    TcScheduler& scheduler = *schedulers_[*worker];
    const auto& leaves = scheduler.leaves();
    for (uint32_t i = 0; i < leaves.size(); ++i) {
      if (LeafName(leaves[i]->module, leaves[i]->task) != name) continue;
      if (!scheduler.door(i).resting()) return;
      scheduler.door(i).Knock();
      scheduler.Next(now_);  // reads its board
      references_[*worker].Knock(name);
    }
  }

  void Step() {
    const uint32_t worker = static_cast<uint32_t>(Below(kWorkers));
    TcScheduler& scheduler = *schedulers_[worker];
    ReferenceScheduler& reference = references_[worker];
    uint32_t leaf = scheduler.Next(now_);
    const std::string expected = reference.Next(now_);
    if (leaf == TcScheduler::kNone) {
      ASSERT_EQ(expected, "");
      leaf = scheduler.NextResting();
    } else {
      ASSERT_EQ(NameOf(scheduler, leaf), expected);
    }
    if (leaf == TcScheduler::kNone) {
      now_ += 1000;
      return;
    }
    const std::string name = NameOf(scheduler, leaf);
    ASSERT_TRUE(!expected.empty() || reference.MayBeAsked(name)) << name;
    const bool blocked = !has_work_[name];
    const uint64_t packets = blocked ? 0 : 1 + Below(64);
    const TcUsage usage = {1, 50 + packets * Below(100), packets, packets * 12000};
    now_ += usage[1];
    scheduler.Ran(leaf, usage, blocked, now_);
    reference.Ran(name, usage, blocked, now_);
    ++ran_;
  }

  static std::string NameOf(const TcScheduler& scheduler, uint32_t leaf) {
    const TrafficClass& tc = *scheduler.leaves()[leaf];
    return LeafName(tc.module, tc.task);
  }

  std::mt19937_64 random_;
  ClassTree tree_;
  std::unique_ptr<ClassTree> published_;
  std::unique_ptr<TcScheduler> schedulers_[kWorkers];
  ReferenceNotes notes_;
  ReferenceScheduler references_[kWorkers] = {{notes_, kHz}, {notes_, kHz}};
  std::map<std::string, bool> has_work_;
  uint64_t now_ = 1'000'000'000;
  uint64_t ran_ = 0;
  int next_ = 0;
};

TEST(SchedulerModelTest, DecidesLikeTheReferenceInAMillionSteps) {
  for (uint64_t seed = 1; seed <= 50 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Model(seed).Run(20000);
  }
}

}  // namespace
}  // namespace bess
