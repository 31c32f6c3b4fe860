// SPDX-License-Identifier: Apache-2.0
#include "core/graph/topology.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(TopologyTest, NumbersFollowTheGraphsOrder) {
  TestGraph test;
  for (const char* name : {"c", "a", "b"}) test.Add(name);
  test.Connect("c", 2, "a", 5);
  test.Connect("c", 0, "b");
  test.Connect("a", 1, "a");
  test.Connect("b", 0, "a");
  const Topology topology = TopologyOf(test.graph);
  ASSERT_EQ(topology.size(), 3u);
  EXPECT_EQ(&topology.module(0), &test.At("a"));
  EXPECT_EQ(&topology.module(2), &test.At("c"));
  EXPECT_EQ(topology.sites[1].entry, test.graph.Find("b"));
  const auto& down = topology.down[2];
  ASSERT_EQ(down.size(), 2u);
  EXPECT_EQ(down[0].to, 1u);
  EXPECT_EQ(down[0].ogate, 0u);
  EXPECT_EQ(down[1].to, 0u);
  EXPECT_EQ(down[1].ogate, 2u);
  EXPECT_EQ(down[1].igate, 5u);
  EXPECT_THAT(topology.up[0], UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(topology.up[1], ElementsAre(2));
  EXPECT_THAT(topology.up[2], IsEmpty());
}

TEST(TopologyTest, ASurveyTakesOverWhatAnotherKnows) {
  TestGraph test;
  for (const char* name : {"a", "b", "c", "d"}) test.Add(name);
  test.Chain({"a", "b", "c", "d"});
  test.Connect("c", 1, "a", 3);
  const Topology known = TopologyOf(test.graph);
  Survey survey;
  survey.Add(*test.graph.Find("d"));
  survey.Add(known, 1, 3);
  survey.Add(known, 0, 1);
  std::vector<uint32_t> places(test.graph.numbers);
  const Topology topology(survey, places);
  ASSERT_EQ(topology.size(), 4u);
  EXPECT_EQ(topology.sites[1].entry, test.graph.Find("b"));
  EXPECT_EQ(topology.sites[3].module, &test.At("a"));
  EXPECT_THAT(topology.down[0], IsEmpty());
  ASSERT_EQ(topology.down[2].size(), 2u);
  EXPECT_EQ(topology.down[2][0].to, 0u);
  EXPECT_EQ(topology.down[2][1].to, 3u);
  EXPECT_EQ(topology.down[2][1].igate, 3u);
  ASSERT_EQ(topology.down[3].size(), 1u);
  EXPECT_EQ(topology.down[3][0].to, 1u);
}

TEST(TopologyTest, TheEmptyGraph) {
  const Graph graph;
  EXPECT_EQ(TopologyOf(graph).size(), 0u);
  EXPECT_FALSE(TopologyOf(graph).HasCycle());
}

TEST(TopologyTest, FindsCycles) {
  TestGraph test;
  for (const char* name : {"a", "b", "c", "d"}) test.Add(name);
  test.Chain({"a", "b", "c", "d"});
  test.Connect("a", 1, "c");
  EXPECT_FALSE(TopologyOf(test.graph).HasCycle());
  test.Connect("c", 1, "b");
  EXPECT_TRUE(TopologyOf(test.graph).HasCycle());
  ASSERT_TRUE(test.graph.Disconnect("c", 1).ok());
  test.Connect("d", 0, "d");
  EXPECT_TRUE(TopologyOf(test.graph).HasCycle());
}

std::vector<std::vector<std::string>> Groups(const TestGraph& test) {
  std::vector<const ModuleEntry*> modules;
  for (const auto& [name, entry] : test.graph.modules) modules.push_back(entry.get());
  std::sort(modules.begin(), modules.end(),
            [](const auto* a, const auto* b) { return a->number < b->number; });
  Survey survey;
  for (const ModuleEntry* entry : modules) survey.Add(*entry);
  std::vector<uint32_t> places(test.graph.numbers);
  std::vector<std::vector<std::string>> names;
  for (const Topology& part : ConnectedParts(survey, places)) {
    auto& named = names.emplace_back();
    for (uint32_t i = 0; i < part.size(); ++i) named.push_back(part.module(i).name());
  }
  return names;
}

TEST(TopologyTest, GroupsAreWhatIsConnectedInEitherDirection) {
  TestGraph test;
  for (const char* name : {"e", "d", "c", "b", "a"}) test.Add(name);
  EXPECT_EQ(Groups(test).size(), 5u);
  test.Connect("a", 0, "d");
  test.Connect("c", 0, "d");
  test.Connect("b", 0, "b");
  EXPECT_THAT(Groups(test),
              ElementsAre(ElementsAre("e"), ElementsAre("d", "c", "a"), ElementsAre("b")));
  test.Connect("a", 1, "e");
  EXPECT_THAT(Groups(test), ElementsAre(ElementsAre("e", "d", "c", "a"), ElementsAre("b")));
}

// A number that was given back is taken again, by one module.
TEST(TopologyTest, NumbersOfModulesThatGoAreTakenAgain) {
  TestGraph test;
  for (const char* name : {"a", "b", "c"}) test.Add(name);
  ASSERT_TRUE(test.graph.Remove({"b"}).ok());
  test.Add("d");
  EXPECT_EQ(test.graph.Find("d")->number, 1u);
  test.Add("e");
  EXPECT_EQ(test.graph.Find("e")->number, 3u);
  test.Connect("a", 0, "d");
  EXPECT_EQ(test.graph.Find("a")->out.at(0).to_number, 1u);
}

}  // namespace
}  // namespace bess
