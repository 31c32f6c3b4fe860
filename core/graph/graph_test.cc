// SPDX-License-Identifier: Apache-2.0
#include "core/graph/graph.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class GraphTest : public testing::Test {
 protected:
  GraphTest() {
    ModuleInfo info = TestModule::kInfo;
    info.name = "Narrow";
    info.igates = 1;
    info.ogates = 2;
    test_.Add("narrow", info);
    info.name = "Closed";
    info.igates = info.ogates = 0;
    test_.Add("closed", info);
    test_.Add("a");
    test_.Add("b");
  }
  static void ExpectError(const absl::Status& status, int code, const std::string& text) {
    EXPECT_EQ(StatusErrno(status), code);
    EXPECT_EQ(status.message(), text);
  }

  TestGraph test_;
  Graph& graph_ = test_.graph;
};

TEST_F(GraphTest, ConnectNamesWhatIsWrong) {
  ExpectError(graph_.Connect("x", 0, "a", 0, {}), ENOENT, "there is no module 'x'");
  ExpectError(graph_.Connect("a", 0, "y", 0, {}), ENOENT, "there is no module 'y'");
  ExpectError(graph_.Connect("narrow", 2, "a", 0, {}), EINVAL,
              "module 'narrow' (Narrow) has output gates 0..1, not 2");
  ExpectError(graph_.Connect("a", 0, "narrow", 1, {}), EINVAL,
              "module 'narrow' (Narrow) has input gates 0..0, not 1");
  ExpectError(graph_.Connect("closed", 0, "a", 0, {}), EINVAL,
              "module 'closed' (Closed) has no output gates; there is no gate 0");
  ExpectError(graph_.Connect("a", 0, "closed", 3, {}), EINVAL,
              "module 'closed' (Closed) has no input gates; there is no gate 3");
  // A gate number is not cut to 32 bits before it is looked at.
  ExpectError(graph_.Connect("narrow", uint64_t{1} << 32, "a", 0, {}), EINVAL,
              "module 'narrow' (Narrow) has output gates 0..1, not 4294967296");
  for (const char* name : {"a", "b", "narrow", "closed"}) {
    EXPECT_THAT(graph_.Find(name)->out, IsEmpty());
  }
}

TEST_F(GraphTest, AnOutputGateTakesOneConnectionAndAnInputGateMany) {
  test_.Connect("a", 0, "narrow");
  test_.Connect("a", 1, "narrow");
  test_.Connect("b", 0, "narrow");
  ExpectError(graph_.Connect("a", 0, "b", 0, {}), EBUSY,
              "output gate 0 of 'a' is connected to 'narrow' already");
  EXPECT_EQ(graph_.Find("a")->out.at(0).to, "narrow");
}

TEST_F(GraphTest, AConnectionKeepsWhatItWasGiven) {
  auto hook = MakeLogHook("hook");
  test_.Connect("a", 63, "b", 7, {hook});
  const OutGate& gate = graph_.Find("a")->out.at(63);
  EXPECT_EQ(gate.to, "b");
  EXPECT_EQ(gate.igate, 7u);
  EXPECT_THAT(gate.hooks, ElementsAre(hook));
  EXPECT_NE(gate.edge, nullptr);
}

TEST_F(GraphTest, DisconnectReturnsTheEdge) {
  test_.Connect("a", 1, "b");
  const std::shared_ptr<Edge> edge = graph_.Find("a")->out.at(1).edge;
  auto other = graph_.Disconnect("a", 0);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(*other, nullptr) << "a gate that is not connected is fine";
  auto taken = graph_.Disconnect("a", 1);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(*taken, edge);
  EXPECT_THAT(graph_.Find("a")->out, IsEmpty());
  ExpectError(graph_.Disconnect("x", 0).status(), ENOENT, "there is no module 'x'");
  ExpectError(graph_.Disconnect("narrow", 9).status(), EINVAL,
              "module 'narrow' (Narrow) has output gates 0..1, not 9");
}

TEST_F(GraphTest, RemoveTakesAllConnectionsOut) {
  test_.Connect("a", 0, "b");
  test_.Connect("a", 5, "b", 1);
  test_.Connect("a", 6, "narrow");
  test_.Connect("b", 0, "narrow");
  test_.Connect("b", 1, "b", 2);
  const Module* a = &test_.At("a");
  const Module* b = &test_.At("b");
  auto removed = graph_.Remove({"b"});
  ASSERT_TRUE(removed.ok());
  std::map<const Module*, int> feeders;
  for (const auto& [feeder, edge] : *removed) {
    EXPECT_NE(edge, nullptr);
    ++feeders[feeder.get()];
  }
  EXPECT_EQ(feeders, (std::map<const Module*, int>{{a, 2}, {b, 2}}));
  EXPECT_EQ(graph_.Find("b"), nullptr);
  EXPECT_THAT(graph_.Find("a")->out, SizeIs(1));
  EXPECT_EQ(graph_.Find("a")->out.at(6).to, "narrow");
  ExpectError(graph_.Remove({"b"}).status(), ENOENT, "there is no module 'b'");
}

TEST_F(GraphTest, SeveralAreRemovedOrNone) {
  test_.Connect("a", 0, "b");
  test_.Connect("b", 0, "narrow");
  ExpectError(graph_.Remove({"b", "x"}).status(), ENOENT, "there is no module 'x'");
  EXPECT_NE(graph_.Find("b"), nullptr);
  const auto removed = graph_.Remove({"b", "narrow"});
  ASSERT_TRUE(removed.ok());
  EXPECT_THAT(*removed, SizeIs(2));
  EXPECT_THAT(graph_.Find("a")->out, IsEmpty());
  EXPECT_EQ(graph_.Find("narrow"), nullptr);
}

TEST_F(GraphTest, EntriesAreSharedUntilTheyAreEdited) {
  test_.Connect("a", 0, "b");
  const Graph before = graph_;
  EXPECT_EQ(before.Find("a"), graph_.Find("a"));
  test_.Connect("a", 1, "b");
  EXPECT_NE(before.Find("a"), graph_.Find("a"));
  EXPECT_EQ(before.Find("b"), graph_.Find("b")) << "nothing about b has changed";
  EXPECT_THAT(before.Find("a")->out, SizeIs(1));
  EXPECT_EQ(before.Find("a")->out.at(0).edge, graph_.Find("a")->out.at(0).edge);
  EXPECT_EQ(before.Find("a")->module, graph_.Find("a")->module);
}

TEST_F(GraphTest, NoEditOfACopyTouchesTheOriginal) {
  test_.Connect("a", 0, "b");
  const Graph original = graph_;
  const Edge* edge = original.Find("a")->out.at(0).edge.get();
  graph_.Edit("a").in_hooks[0] = {MakeLogHook("hook")};
  ASSERT_TRUE(graph_.Disconnect("a", 0).ok());
  ASSERT_TRUE(graph_.Remove({"b"}).ok());
  graph_.attributes["x"] = 4;
  EXPECT_THAT(original.Find("a")->in_hooks, IsEmpty());
  ASSERT_NE(original.Find("b"), nullptr);
  EXPECT_EQ(original.Find("a")->out.at(0).edge.get(), edge);
  EXPECT_THAT(original.attributes, IsEmpty());
}

}  // namespace
}  // namespace bess
