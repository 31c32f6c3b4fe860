// SPDX-License-Identifier: Apache-2.0
//
// Chosen cases. Random graphs are in metadata_random_test.cc.
#include "core/graph/metadata.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"
#include "core/graph/metadata_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr AttributeMode kRead = AttributeMode::kRead;
constexpr AttributeMode kWrite = AttributeMode::kWrite;
constexpr AttributeMode kUpdate = AttributeMode::kUpdate;

class MetadataTest : public testing::Test {
 protected:
  void Use(const std::string& module, const std::string& name, uint32_t size, AttributeMode mode) {
    ASSERT_TRUE(test_.At(module).AddAttribute(name, size, mode).ok());
  }
  void AddAll(const std::vector<std::string>& names) {
    for (const std::string& name : names) test_.Add(name);
  }
  absl::StatusOr<MetadataLayout> Place(const AttributePlaces& previous = {}) {
    const Topology topology = TopologyOf(test_.graph);
    return PlaceAttributes(topology, previous);
  }
  std::vector<int16_t> Offsets(const MetadataLayout& layout, const std::string& module) {
    return layout.offsets[Index(module)];
  }
  std::vector<std::pair<uint32_t, uint32_t>> Cleared(const MetadataLayout& layout,
                                                     const std::string& module) {
    std::vector<std::pair<uint32_t, uint32_t>> ranges;
    for (const ClearRange& range : layout.clear[Index(module)]) {
      ranges.emplace_back(range.offset, range.size);
    }
    return ranges;
  }
  size_t Index(const std::string& module) {
    return static_cast<size_t>(
        std::distance(test_.graph.modules.begin(), test_.graph.modules.find(module)));
  }

  TestGraph test_;
};

TEST_F(MetadataTest, AWriterAndAReaderAgree) {
  AddAll({"w", "between", "r"});
  Use("w", "x", 4, kWrite);
  Use("r", "x", 4, kRead);
  test_.Chain({"w", "between", "r"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Offsets(*layout, "w"), ElementsAre(0));
  EXPECT_THAT(Offsets(*layout, "r"), ElementsAre(0));
  EXPECT_THAT(Offsets(*layout, "between"), IsEmpty());
  EXPECT_THAT(layout->warnings, IsEmpty());
  EXPECT_EQ(layout->places, (AttributePlaces{{"x", 0}}));
}

TEST_F(MetadataTest, WhatNobodyReadsIsNotWritten) {
  AddAll({"r", "w"});
  Use("w", "x", 4, kWrite);
  Use("r", "x", 4, kRead);
  test_.Chain({"r", "w"});  // the wrong way round
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Offsets(*layout, "w"), ElementsAre(kNoReader));
  EXPECT_THAT(Offsets(*layout, "r"), ElementsAre(kNoWriter));
  EXPECT_THAT(layout->warnings,
              ElementsAre("module 'r' reads attribute 'x', which no module upstream writes: it "
                          "reads zeros"));
  EXPECT_THAT(layout->places, IsEmpty());
}

TEST_F(MetadataTest, AnUpdateReadsAndWrites) {
  AddAll({"first", "second", "alone"});
  Use("first", "x", 4, kUpdate);
  Use("second", "x", 4, kUpdate);
  Use("alone", "y", 4, kUpdate);
  test_.Chain({"first", "second", "alone"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Offsets(*layout, "first"), ElementsAre(0)) << "the second reads it";
  EXPECT_THAT(Offsets(*layout, "second"), ElementsAre(0)) << "the first wrote it";
  EXPECT_THAT(Offsets(*layout, "alone"), ElementsAre(kNoReader));
}

TEST_F(MetadataTest, ACycleFeedsItself) {
  AddAll({"m", "back"});
  Use("m", "x", 4, kUpdate);
  test_.Chain({"m", "back", "m"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Offsets(*layout, "m"), ElementsAre(0));
}

TEST_F(MetadataTest, PlacesAreAligned) {
  AddAll({"w", "r"});
  for (const uint32_t size : {1, 2, 3, 6, 8, 12, 32}) {
    Use("w", absl::StrCat("x", size), size, kWrite);
    Use("r", absl::StrCat("x", size), size, kRead);
  }
  test_.Chain({"w", "r"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  const std::vector<int16_t> offsets = Offsets(*layout, "w");
  EXPECT_EQ(offsets, Offsets(*layout, "r"));
  const std::vector<int> alignments = {1, 2, 4, 8, 8, 8, 8};
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(offsets[i] % alignments[i], 0);
}

TEST_F(MetadataTest, AModuleMayUseTheWholeArea) {
  AddAll({"w", "r"});
  for (int i = 0; i < 4; ++i) {
    Use("w", absl::StrCat("x", i), 32, kWrite);
    Use("r", absl::StrCat("x", i), 32, kRead);
  }
  test_.Chain({"w", "r"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Offsets(*layout, "r"), testing::UnorderedElementsAre(0, 32, 64, 96));
  Use("w", "last", 1, kWrite);
  Use("r", "last", 1, kRead);
  const auto full = Place(layout->places);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(StatusErrno(full.status()), ENOSPC);
  EXPECT_EQ(full.status().message(),
            "no room for attribute 'last' (1 bytes) of module 'r': 128 of 128 bytes are taken by "
            "attributes it meets");
}

TEST_F(MetadataTest, SizesMustAgree) {
  AddAll({"a", "b", "c"});
  Use("a", "x", 4, kWrite);
  Use("b", "x", 8, kRead);
  Use("c", "y", 1, kRead);
  const auto layout = Place();
  ASSERT_FALSE(layout.ok());
  EXPECT_EQ(StatusErrno(layout.status()), EINVAL);
  EXPECT_EQ(layout.status().message(),
            "attribute 'x' has 4 bytes in module 'a' but 8 bytes in module 'b'");
}

// --- sharing and moving -------------------------------------------------------------------------

TEST_F(MetadataTest, SeparatePipelinesShareOnlyWhenBytesRunOut) {
  AddAll({"w0", "r0", "w1", "r1"});
  for (int pipeline = 0; pipeline < 2; ++pipeline) {
    const std::string w = absl::StrCat("w", pipeline), r = absl::StrCat("r", pipeline);
    for (int i = 0; i < 3; ++i) {
      const std::string name = absl::StrCat("x", pipeline, i);
      Use(w, name, 32, kWrite);
      Use(r, name, 32, kRead);
    }
    test_.Connect(w, 0, r);
  }
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Offsets(*layout, "w0"), ElementsAre(0, 32, 64));
  EXPECT_THAT(Offsets(*layout, "w1"), ElementsAre(96, 0, 32));
}

TEST_F(MetadataTest, APlaceIsKeptWhileItIsUsed) {
  AddAll({"w", "r"});
  Use("w", "x", 4, kWrite);
  Use("r", "x", 4, kRead);
  Use("w", "y", 4, kWrite);
  test_.Chain({"w", "r"});
  const auto layout = Place({{"x", 40}, {"y", 0}, {"gone", 4}});
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->places, (AttributePlaces{{"x", 40}}));
}

TEST_F(MetadataTest, AnAttributeThatGrewMovesToWhereItFits) {
  for (const int16_t before : {124, 104, 4}) {
    TestGraph fresh;
    fresh.Add("w").AddAttribute("x", 32, kWrite).IgnoreError();
    fresh.Add("r").AddAttribute("x", 32, kRead).IgnoreError();
    fresh.Chain({"w", "r"});
    const Topology topology = TopologyOf(fresh.graph);
    const auto layout = PlaceAttributes(topology, {{"x", before}});
    ASSERT_TRUE(layout.ok());
    EXPECT_EQ(layout->offsets[0][0], 0) << "not beyond the area, and aligned";
  }
}

// a: wa -> qa -> ra, b: wb -> qb -> rb; `cross` makes both live at qa.
class MeetingTest : public MetadataTest {
 protected:
  void Build(bool holds_a, bool holds_b) {
    AddAll({"wa", "wb", "ra", "rb"});
    holds_a ? test_.AddQueue("qa") : test_.Add("qa");
    holds_b ? test_.AddQueue("qb") : test_.Add("qb");
    for (const std::string name : {"a", "b"}) {
      Use("w" + name, name, 8, kWrite);
      Use("r" + name, name, 8, kRead);
      test_.Chain({"w" + name, "q" + name, "r" + name});
    }
  }
  void Cross() {
    test_.Connect("wb", 1, "qa");
    test_.Connect("qa", 1, "rb");
  }
  const AttributePlaces shared_ = {{"a", 16}, {"b", 16}};
};

TEST_F(MeetingTest, ApartTheyMayShare) {
  Build(true, true);
  const auto layout = Place(shared_);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->places, shared_);
}

TEST_F(MeetingTest, TheOneWhosePacketsCannotBeWaitingMoves) {
  Build(true, false);
  // Only `a` has been through a queue.
  test_.Connect("wb", 1, "wa");
  Use("wa", "b", 8, kRead);
  const auto layout = Place(shared_);
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->places.at("a"), 16);
  EXPECT_NE(layout->places.at("b"), 16);
}

TEST_F(MeetingTest, WithoutQueuesEitherMoves) {
  Build(false, false);
  Cross();
  const auto layout = Place(shared_);
  ASSERT_TRUE(layout.ok());
  EXPECT_NE(layout->places.at("a"), layout->places.at("b"));
}

TEST_F(MeetingTest, WhenBothMayBeWaitingItIsAnError) {
  Build(true, true);
  Cross();
  const auto layout = Place(shared_);
  ASSERT_FALSE(layout.ok());
  EXPECT_EQ(StatusErrno(layout.status()), EBUSY);
  EXPECT_THAT(std::string(layout.status().message()),
              HasSubstr("attributes 'b' and 'a' share bytes and would meet"));
  EXPECT_TRUE(Place().ok()) << "from scratch there is room";
}

TEST_F(MeetingTest, PacketsMayAlsoWaitInACycle) {
  Build(false, false);
  test_.AddSource("source");
  test_.Connect("source", 0, "qa");
  test_.Connect("qa", 2, "qa");
  test_.Connect("source", 1, "qb");
  test_.Connect("qb", 2, "qb");
  test_.MustCompile();
  Cross();
  const auto layout = Place(shared_);
  ASSERT_FALSE(layout.ok());
  EXPECT_EQ(StatusErrno(layout.status()), EBUSY);
}

TEST_F(MetadataTest, ANameThatStaysMovesAllItMeets) {
  AddAll({"a_writer", "r_small", "z_big"});
  test_.AddQueue("q");
  Use("a_writer", "y", 16, kWrite);
  Use("a_writer", "z", 16, kWrite);
  Use("a_writer", "x", 32, kWrite);
  Use("r_small", "y", 16, kRead);
  Use("r_small", "z", 16, kRead);
  Use("z_big", "x", 32, kRead);
  test_.Connect("a_writer", 0, "r_small");
  test_.Connect("a_writer", 1, "q");
  test_.Connect("q", 0, "z_big");
  const auto layout = Place({{"x", 0}, {"y", 0}, {"z", 16}});
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->places.at("x"), 0);
  EXPECT_GE(layout->places.at("y"), 32);
  EXPECT_GE(layout->places.at("z"), 32);
  EXPECT_NE(layout->places.at("y"), layout->places.at("z"));
}

// --- clearing -----------------------------------------------------------------------------------

TEST_F(MetadataTest, PacketsAreClearedWhereAPathLeadsPastTheWriter) {
  test_.AddSource("always");
  test_.AddSource("sometimes");
  AddAll({"w", "r"});
  Use("w", "x", 4, kWrite);
  Use("r", "x", 4, kRead);
  test_.Connect("always", 0, "w");
  test_.Connect("sometimes", 0, "w");
  test_.Connect("sometimes", 1, "r");
  test_.Connect("w", 0, "r");
  const auto layout = Place({{"x", 8}});
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Cleared(*layout, "always"), IsEmpty());
  EXPECT_THAT(Cleared(*layout, "sometimes"), ElementsAre(std::pair(8u, 4u)));
}

TEST_F(MetadataTest, ASourceThatWritesClearsNothing) {
  test_.AddSource("source");
  AddAll({"u", "r"});
  Use("source", "x", 4, kWrite);
  Use("u", "x", 4, kUpdate);
  Use("r", "x", 4, kRead);
  test_.Chain({"source", "u", "r"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Cleared(*layout, "source"), IsEmpty());
}

TEST_F(MetadataTest, AnUpdateReadsWhatItsSourceCleared) {
  test_.AddSource("source");
  AddAll({"u", "r"});
  Use("u", "x", 4, kUpdate);
  Use("r", "x", 4, kRead);
  test_.Chain({"source", "u", "r"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Cleared(*layout, "source"), ElementsAre(std::pair(0u, 4u)));
}

TEST_F(MetadataTest, AModuleWithInputsMayBeASourceToo) {
  test_.AddSource("source");
  AddAll({"w", "generator", "r"});
  test_.AddTask("generator", 0);
  test_.AddQueue("queue");
  Use("w", "x", 4, kWrite);
  Use("r", "x", 4, kRead);
  test_.Chain({"source", "w", "generator", "queue", "r"});
  const auto layout = Place();
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(Cleared(*layout, "generator"), ElementsAre(std::pair(0u, 4u)));
  EXPECT_THAT(Cleared(*layout, "queue"), IsEmpty()) << "what it sends has started elsewhere";
  EXPECT_THAT(Cleared(*layout, "source"), IsEmpty());
}

// The zeros a source puts in must last until they are read.
TEST_F(MetadataTest, NobodyWritesOverWhatWasCleared) {
  test_.AddSource("source");
  AddAll({"wa", "wb", "rb", "ra"});
  Use("wa", "a", 4, kWrite);
  Use("ra", "a", 4, kRead);
  Use("wb", "b", 4, kWrite);
  Use("rb", "b", 4, kRead);
  test_.Chain({"source", "wb", "rb", "ra"});
  test_.Connect("wa", 0, "ra");
  const auto layout = Place({{"a", 0}, {"b", 0}});
  ASSERT_TRUE(layout.ok());
  EXPECT_NE(layout->places.at("a"), layout->places.at("b"));
}

}  // namespace
}  // namespace bess
