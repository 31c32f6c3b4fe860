// SPDX-License-Identifier: Apache-2.0
#include "core/graph/feeders.h"

#include <gmock/gmock.h>

#include <iterator>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> Feeders(const TestGraph& test, const std::string& holder) {
  const Topology topology = TopologyOf(test.graph);
  std::vector<std::string> names;
  const auto place = std::distance(test.graph.modules.begin(), test.graph.modules.find(holder));
  for (const uint32_t m : FeedersOf(topology, static_cast<uint32_t>(place))) {
    names.push_back(topology.module(m).name());
  }
  return names;
}

TEST(FeedersTest, AreAllTasksWhosePacketsArriveThere) {
  TestGraph test;
  test.AddSource("a");
  test.AddSource("b", 1);
  test.AddSource("elsewhere");
  test.Add("pass");
  test.AddQueue("queue");
  test.AddSink("sink");
  test.Chain({"a", "pass", "queue", "sink"});
  test.Connect("b", 0, "pass", 1);
  test.Connect("elsewhere", 0, "sink", 1);
  EXPECT_THAT(Feeders(test, "queue"), UnorderedElementsAre("a", "b"));
}

TEST(FeedersTest, BehindAnotherQueueItIsThatOne) {
  TestGraph test;
  test.AddSource("source");
  test.AddQueue("first");
  test.Add("pass");
  test.AddQueue("second");
  test.Chain({"source", "first", "pass", "second"});
  EXPECT_THAT(Feeders(test, "second"), UnorderedElementsAre("first"));
  EXPECT_THAT(Feeders(test, "first"), UnorderedElementsAre("source"));
}

// Else all would wait for each other once the cycle is full.
TEST(FeedersTest, WhoGetsPacketsBackIsLeftOut) {
  TestGraph test;
  test.AddSource("source");
  test.AddQueue("here");
  test.AddQueue("there");
  test.Chain({"source", "here", "there", "here"});
  EXPECT_THAT(Feeders(test, "here"), UnorderedElementsAre("source"));
  EXPECT_THAT(Feeders(test, "there"), IsEmpty());
  test.AddQueue("self");
  test.Connect("self", 0, "self");
  EXPECT_THAT(Feeders(test, "self"), IsEmpty());
}

}  // namespace
}  // namespace bess
