// SPDX-License-Identifier: Apache-2.0
#include "core/tc/class_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/status.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TcParams kPriority = {.policy = TcPolicy::kPriority};
constexpr TcParams kFair = {.policy = TcPolicy::kWeightedFair, .resource = TcResource::kBit};
constexpr TcParams kRound = {.policy = TcPolicy::kRoundRobin};
constexpr TcParams kLimit = {.policy = TcPolicy::kRateLimit, .limit = 1000};

TcPlace Under(const std::string& parent) { return {.parent = parent}; }
TcPlace Ranked(const std::string& parent, int64_t priority) {
  return {.parent = parent, .priority = priority};
}
TcPlace Shared(const std::string& parent, int64_t share) {
  return {.parent = parent, .share = share};
}
TcPlace At(uint32_t worker) { return {.worker = worker}; }

class ClassTreeTest : public testing::Test {
 protected:
  ClassTreeTest() {
    EXPECT_TRUE(tree_.Add("prio", kPriority, At(0)).ok());
    EXPECT_TRUE(tree_.Add("fair", kFair, Ranked("prio", 1)).ok());
    EXPECT_TRUE(tree_.Add("limit", kLimit, Shared("fair", 10)).ok());
    tree_.AddLeaf("m", 0);
  }

  // Refused with this errno and text, and nothing has changed.
  void ExpectRefused(const absl::Status& status, int code, const std::string& text) {
    EXPECT_EQ(StatusErrno(status), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    EXPECT_EQ(tree_.classes().size(), 4u);
    EXPECT_EQ(tree_.Find("limit")->place.parent, "fair");
  }

  ClassTree tree_;
};

TEST_F(ClassTreeTest, KnowsWhoHangsWhere) {
  EXPECT_THAT(tree_.Children("prio"), ElementsAre("fair"));
  EXPECT_THAT(tree_.Roots(0), ElementsAre("prio"));
  EXPECT_THAT(tree_.Roots(1), IsEmpty());
  EXPECT_THAT(tree_.Orphans(), ElementsAre("!leaf_m:0"));
  EXPECT_EQ(tree_.WorkerOf("limit"), 0u);
  EXPECT_EQ(tree_.WorkerOf("!leaf_m:0"), std::nullopt);
  EXPECT_EQ(tree_.WorkerOf("nobody"), std::nullopt);
  EXPECT_NE(tree_.DefaultRoot(0), nullptr);
  EXPECT_EQ(tree_.DefaultRoot(1), nullptr);
}

TEST_F(ClassTreeTest, BadNamesAreRefused) {
  ExpectRefused(tree_.Add("", kRound, At(0)), EINVAL, "'name' is missing");
  ExpectRefused(tree_.Add("!mine", kRound, At(0)), EINVAL, "'!mine'");
  const absl::Status twice = tree_.Add("fair", kRound, At(0));
  ExpectRefused(twice, EINVAL, "already exists");
  EXPECT_EQ(twice.message(), "Name 'fair' already exists") << "clients look for this very text";
}

TEST_F(ClassTreeTest, LeavesCannotBeMade) {
  ExpectRefused(tree_.Add("l", {.policy = TcPolicy::kLeaf}, At(0)), EINVAL, "'l'");
}

TEST_F(ClassTreeTest, ALeafIsNoParent) {
  ExpectRefused(tree_.Add("c", kRound, Under("!leaf_m:0")), EPERM, "'!leaf_m:0'");
}

TEST_F(ClassTreeTest, AnUnknownParentIsNamed) {
  ExpectRefused(tree_.Add("c", kRound, Under("nobody")), ENOENT, "'nobody'");
  ExpectRefused(tree_.Move("nobody", At(0)), ENOENT, "'nobody'");
}

TEST_F(ClassTreeTest, AParentOrAWorkerNotBoth) {
  TcPlace both = Ranked("prio", 3);
  both.worker = 1;
  ExpectRefused(tree_.Add("c", kRound, both), EINVAL, "not both");
}

TEST_F(ClassTreeTest, PrioritiesAreUniqueBoundedAndNotReserved) {
  ExpectRefused(tree_.Add("c", kRound, Under("prio")), EINVAL, "needs a 'priority'");
  ExpectRefused(tree_.Add("c", kRound, Shared("prio", 3)), EINVAL, "needs a 'priority'");
  ExpectRefused(tree_.Add("c", kRound, Ranked("prio", 1)), EINVAL, "belongs to 'fair'");
  ExpectRefused(tree_.Add("c", kRound, Ranked("prio", -1)), EINVAL, "not -1");
  ExpectRefused(tree_.Add("c", kRound, Ranked("prio", 0xFFFFFFFF)), EINVAL, "reserved");
  ExpectRefused(tree_.Add("c", kRound, Ranked("prio", int64_t{1} << 32)), EINVAL, "4294967296");
  EXPECT_TRUE(tree_.Add("c", kRound, Ranked("prio", 0)).ok());
  EXPECT_TRUE(tree_.Add("d", kRound, Ranked("prio", 0xFFFFFFFE)).ok());
}

TEST_F(ClassTreeTest, SharesAreBounded) {
  ExpectRefused(tree_.Add("c", kRound, Under("fair")), EINVAL, "needs a 'share'");
  ExpectRefused(tree_.Add("c", kRound, Shared("fair", 0)), EINVAL, "not 0");
  ExpectRefused(tree_.Add("c", kRound, Shared("fair", -7)), EINVAL, "not -7");
  ExpectRefused(tree_.Add("c", kRound, Shared("fair", int64_t{1} << 40)), EINVAL, "1099511627776");
  EXPECT_TRUE(tree_.Add("c", kRound, Shared("fair", kMaxTcShare)).ok());
}

TEST_F(ClassTreeTest, LimitsAreBounded) {
  const auto limit = [](int64_t most, int64_t burst) {
    return TcParams{.policy = TcPolicy::kRateLimit, .limit = most, .max_burst = burst};
  };
  ExpectRefused(tree_.Add("c", limit(-1, 0), At(0)), EINVAL, "'limit' must be 0..");
  ExpectRefused(tree_.Add("c", limit(0, -5), At(0)), EINVAL, "'max_burst'");
  ExpectRefused(tree_.Add("c", limit(INT64_MAX, 0), At(0)), EINVAL, "9223372036854775807");
  EXPECT_TRUE(tree_.Add("c", limit(kMaxTcAmount, kMaxTcAmount), At(0)).ok());
}

TEST_F(ClassTreeTest, ALimitHasOneChild) {
  ASSERT_TRUE(tree_.Move("!leaf_m:0", Under("limit")).ok());
  tree_.AddLeaf("n", 0);
  const absl::Status second = tree_.Move("!leaf_n:0", Under("limit"));
  EXPECT_EQ(StatusErrno(second), EINVAL);
  EXPECT_THAT(std::string(second.message()), HasSubstr("'!leaf_m:0'"));
  EXPECT_TRUE(tree_.Move("!leaf_m:0", Under("limit")).ok()) << "it may stay";
}

TEST_F(ClassTreeTest, NoCycles) {
  ExpectRefused(tree_.Move("fair", Under("limit")), EINVAL, "hangs under it");
  ASSERT_TRUE(tree_.Add("r", kRound, At(0)).ok());
  EXPECT_EQ(StatusErrno(tree_.Move("r", Under("r"))), EINVAL);
}

TEST_F(ClassTreeTest, DepthIsBounded) {
  ClassTree tree;
  std::string parent;
  size_t made = 0;
  for (; made < 100; ++made) {
    const std::string name = absl::StrCat("c", made);
    const absl::Status added = tree.Add(name, kRound, made == 0 ? At(0) : Under(parent));
    if (!added.ok()) {
      EXPECT_EQ(StatusErrno(added), EINVAL);
      break;
    }
    parent = name;
  }
  EXPECT_EQ(made, kMaxTcDepth);
  ASSERT_TRUE(tree.Add("top", kRound, At(1)).ok());
  EXPECT_EQ(StatusErrno(tree.Move("c0", Under("top"))), EINVAL) << "with all below it";
  EXPECT_TRUE(tree.Move("c1", Under("top")).ok());
}

TEST_F(ClassTreeTest, ASubtreeMovesWithAllBelow) {
  ASSERT_TRUE(tree_.Move("!leaf_m:0", Under("limit")).ok());
  ASSERT_TRUE(tree_.Move("fair", At(5)).ok());
  EXPECT_EQ(tree_.WorkerOf("!leaf_m:0"), 5u);
  EXPECT_THAT(tree_.Children("prio"), IsEmpty());
}

TEST_F(ClassTreeTest, ParametersChangeInPlace) {
  const auto state = tree_.Find("limit")->state;
  ASSERT_TRUE(
      tree_.Update("limit", {.resource = TcResource::kBit, .limit = 7, .max_burst = 8}).ok());
  const TrafficClass& limit = *tree_.Find("limit");
  EXPECT_EQ(limit.params.policy, TcPolicy::kRateLimit);
  EXPECT_EQ(limit.params.limit, 7);
  EXPECT_EQ(limit.params.max_burst, 8);
  EXPECT_EQ(limit.place.parent, "fair");
  EXPECT_EQ(limit.state, state) << "what it has used so far stays";
  EXPECT_TRUE(tree_.Update("fair", {.resource = TcResource::kCycle}).ok());
  ExpectRefused(tree_.Update("prio", {}), EINVAL, "'prio' is of policy 'priority'");
  ExpectRefused(tree_.Update("!leaf_m:0", {}), EINVAL, "'leaf'");
  ExpectRefused(tree_.Update("nobody", {}), ENOENT, "'nobody'");
  ExpectRefused(tree_.Update("limit", {.limit = -1}), EINVAL, "not -1");
}

TEST_F(ClassTreeTest, OnlyEmptyClassesAreRemoved) {
  ExpectRefused(tree_.Remove("fair"), EBUSY, "'limit'");
  ExpectRefused(tree_.Remove("!leaf_m:0"), EPERM, "'m'");
  ExpectRefused(tree_.Remove("nobody"), ENOENT, "'nobody'");
  EXPECT_TRUE(tree_.Remove("limit").ok());
  EXPECT_TRUE(tree_.Remove("fair").ok());
  EXPECT_TRUE(tree_.Add("fair", kRound, At(3)).ok()) << "the name is free again";
}

TEST_F(ClassTreeTest, ACopyIsAnotherTree) {
  ClassTree copy = tree_;
  ASSERT_TRUE(copy.Update("limit", {.limit = 7}).ok());
  ASSERT_TRUE(copy.Move("fair", At(3)).ok());
  copy.RemoveLeaf("m", 0);
  EXPECT_EQ(tree_.Find("limit")->params.limit, 1000);
  EXPECT_EQ(tree_.WorkerOf("fair"), 0u);
  EXPECT_NE(tree_.Find("!leaf_m:0"), nullptr);
  EXPECT_EQ(copy.Find("!leaf_m:0"), nullptr);
}

}  // namespace
}  // namespace bess
