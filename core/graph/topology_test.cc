// SPDX-License-Identifier: Apache-2.0
#include "core/graph/topology.h"

#include <gmock/gmock.h>

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
  const Topology topology(test.graph);
  ASSERT_EQ(topology.size(), 3u);
  EXPECT_EQ(&topology.module(0), &test.At("a"));
  EXPECT_EQ(&topology.module(2), &test.At("c"));
  EXPECT_EQ(topology.modules[1], test.graph.Find("b"));
  const auto& down = topology.down[2];
  ASSERT_EQ(down.size(), 2u);
  EXPECT_EQ(down[0].to, 1u);
  EXPECT_EQ(down[0].ogate, 0u);
  EXPECT_EQ(down[1].to, 0u);
  EXPECT_EQ(down[1].ogate, 2u);
  EXPECT_EQ(down[1].gate->igate, 5u);
  EXPECT_THAT(topology.up[0], UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(topology.up[1], ElementsAre(2));
  EXPECT_THAT(topology.up[2], IsEmpty());
}

TEST(TopologyTest, TheEmptyGraph) {
  const Graph graph;
  EXPECT_EQ(Topology(graph).size(), 0u);
}

}  // namespace
}  // namespace bess
