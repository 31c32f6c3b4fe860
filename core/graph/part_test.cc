// SPDX-License-Identifier: Apache-2.0
//
// What a part asks before it goes on in the next plan. What parts run is in compile_*_test.cc.
#include "core/graph/part.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class PartTest : public testing::Test {
 protected:
  std::shared_ptr<Part> LayOut(const AttributePlaces& places = {}) {
    schedules_ = std::make_unique<Schedules>(test_.graph);
    auto part = std::make_shared<Part>(TopologyOf(test_.graph));
    part->LayOut(places, *schedules_);
    return part;
  }

  TestGraph test_;
  std::unique_ptr<Schedules> schedules_;
};

TEST_F(PartTest, SchedulesSayWhoRunsWhat) {
  test_.AddSource("a", 1);
  test_.AddTask("a", 0);
  test_.AddTask("a", std::nullopt);
  test_.AddSource("b", 1);
  const Schedules schedules(test_.graph);
  EXPECT_THAT(schedules.by_worker, SizeIs(2));
  EXPECT_THAT(schedules.of(test_.graph.Find("a")->number), SizeIs(2));
  const auto b = schedules.of(test_.graph.Find("b")->number);
  ASSERT_THAT(b, SizeIs(1));
  EXPECT_EQ(b[0].worker, 1u);
  EXPECT_EQ(schedules.by_worker.at(1)->leaves()[b[0].leaf]->module, "b");
  EXPECT_THAT(schedules.of(1000), IsEmpty());
}

TEST_F(PartTest, TellsModulesWhichWorkersRunThem) {
  test_.AddSource("a", 1);
  test_.AddTask("a", 3);
  test_.AddSink("sink");
  test_.Add("stray");
  test_.Chain({"a", "sink"});
  test_.At("stray").placed = {7};
  LayOut()->TellModules();
  EXPECT_THAT(test_.At("a").placed, ElementsAre(1, 3));
  EXPECT_THAT(test_.At("sink").placed, ElementsAre(1, 3));
  EXPECT_THAT(test_.At("stray").placed, ElementsAre(7)) << "nobody runs it";
}

TEST_F(PartTest, HoldsWhileItsTasksStay) {
  test_.AddSource("a", 1);
  test_.AddSink("sink");
  test_.Chain({"a", "sink"});
  const auto part = LayOut();
  EXPECT_THAT(part->placement, ElementsAre(2, 2));
  EXPECT_TRUE(part->Holds(*schedules_, *schedules_));
  test_.AddSource("elsewhere", 1);
  EXPECT_TRUE(part->Holds(*schedules_, Schedules(test_.graph)));
  test_.MoveTask("a", 2);
  EXPECT_FALSE(part->Holds(*schedules_, Schedules(test_.graph)));
  test_.MoveTask("a", std::nullopt);
  EXPECT_FALSE(part->Holds(*schedules_, Schedules(test_.graph)));
}

TEST_F(PartTest, WhoKnocksOnDoorsHoldsWithTheirSchedulerOnly) {
  test_.AddSource("a");
  test_.AddQueue("queue");
  test_.Chain({"a", "queue"});
  const auto part = LayOut();
  EXPECT_TRUE(part->Holds(*schedules_, *schedules_));
  EXPECT_FALSE(part->Holds(*schedules_, Schedules(test_.graph)));
}

TEST_F(PartTest, HoldsWhileItsAttributesStay) {
  test_.AddSource("a");
  test_.AddSink("sink");
  test_.Chain({"a", "sink"});
  ASSERT_TRUE(test_.At("a").AddAttribute("x", 4, AttributeMode::kWrite).ok());
  ASSERT_TRUE(test_.At("sink").AddAttribute("x", 4, AttributeMode::kRead).ok());
  const auto part = LayOut({{"x", 8}});
  EXPECT_TRUE(part->Holds({{"x", 8}, {"y", 0}}));
  EXPECT_FALSE(part->Holds({{"x", 12}}));
  EXPECT_FALSE(part->Holds({{"y", 8}}));
  EXPECT_FALSE(part->plain()) << "where its attributes lie concerns all";
}

TEST_F(PartTest, ACycleNeverHolds) {
  test_.AddSource("a");
  test_.Add("b");
  test_.Chain({"a", "b", "b"});
  const auto part = LayOut();
  EXPECT_TRUE(part->cyclic);
  EXPECT_FALSE(part->Holds(*schedules_, *schedules_));
  EXPECT_FALSE(part->plain());
}

}  // namespace
}  // namespace bess
