// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "modules/rewrite.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint16_t kRoom = 2048;

pb::RewriteArg Templates(std::initializer_list<std::string> templates) {
  pb::RewriteArg arg;
  for (const std::string& bytes : templates) arg.add_templates(bytes);
  return arg;
}

// `n` bytes that differ from their neighbours.
std::string Pattern(size_t n) {
  std::string bytes(n, '\0');
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>('A' + i % 47);
  return bytes;
}

TEST(RewriteTest, TakesTemplatesInTurn) {
  ModuleTester tester("Rewrite", Templates({"one", "second", "3"}));
  tester.Send(0, {"....", "....", "....", "...."}, kRoom);
  tester.Send(0, {"", std::string(1500, '.')}, kRoom);
  EXPECT_THAT(tester.Received(0), ElementsAre("one", "second", "3", "one", "second", "3"));
}

TEST(RewriteTest, AnyLengthBecomesAnyOther) {
  for (const size_t size : {1, 13, 60, 63, 64, 65, 127, 128, 129, 1500, 1535, 1536}) {
    ModuleTester tester("Rewrite", Templates({Pattern(size)}));
    tester.Send(0, {"", "x", std::string(64, '.'), std::string(2048, '.')}, kRoom);
    EXPECT_THAT(tester.Received(0), testing::Each(Pattern(size))) << size;
  }
}

TEST(RewriteTest, ALongPacketBecomesTheTemplateAndNothingElse) {
  ModuleTester tester("Rewrite", Templates({Pattern(60)}));
  const std::string first(100, '.');
  tester.SendPackets(0, {tester.host().pool().MakeChain({first, "....", "...."})});
  EXPECT_THAT(tester.Received(0), ElementsAre(Pattern(60)));
}

// Packets whose buffers end with the template, so that ASan sees a store too wide.
TEST(RewriteTest, FitsIntoTheLastByteOfABuffer) {
  for (const uint16_t size : {1, 60, 64, 65, 1535, 1536}) {
    ModuleTester tester("Rewrite", Templates({Pattern(size)}));
    tester.Send(0, {std::string(size, '.')});
    tester.Send(0, {""}, size);
    EXPECT_THAT(tester.Received(0), ElementsAre(Pattern(size), Pattern(size)));
  }
}

TEST(RewriteTest, DropsPacketsWithoutRoom) {
  ModuleTester tester("Rewrite", Templates({Pattern(100)}));
  tester.Send(0, {std::string(99, '.'), std::string(100, '.'), ""});
  EXPECT_THAT(tester.Received(0), ElementsAre(Pattern(100)));
  EXPECT_EQ(tester.dropped(DropReason::kNoRoom), 2u);
}

TEST(RewriteTest, AddsTemplatesAndClearsThem) {
  ModuleTester tester("Rewrite", pb::RewriteArg());
  tester.Send(0, {"same"});
  ASSERT_TRUE(tester.Command("add", Templates({"a"})).ok());
  tester.Send(0, {"..."}, kRoom);
  ASSERT_TRUE(tester.Command("add", Templates({"b", "c"})).ok());
  tester.Send(0, {"...", "...", "..."}, kRoom);
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  tester.Send(0, {"same", ""});
  ASSERT_TRUE(tester.Command("add", Templates({"d"})).ok());
  tester.Send(0, {"..."}, kRoom);
  EXPECT_THAT(tester.Received(0), ElementsAre("same", "a", "b", "c", "a", "same", "", "d"));
}

TEST(RewriteTest, EachWorkerTakesItsOwnTurns) {
  ModuleTester tester("Rewrite", Templates({"a", "b"}));
  const std::vector<uint32_t> workers = {0, 1, 63};
  tester.module().Placed(workers);
  tester.Send(0, {"."}, kRoom);
  tester.module().Placed(workers);
  tester.Send(0, {"."}, kRoom);
  EXPECT_THAT(tester.Received(0), ElementsAre("a", "b")) << "a new plan keeps the turn";
}

void ExpectRefused(const pb::RewriteArg& arg, const std::string& text) {
  ModuleTester tester("Rewrite", Templates({"same"}));
  const absl::Status status = tester.Command("add", arg);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  EXPECT_EQ(StatusErrno(ModuleTester("Rewrite", arg).status()), EINVAL);
  tester.Send(0, {".", "."}, kRoom);
  EXPECT_THAT(tester.Received(0), ElementsAre("same", "same")) << "nothing was added";
}

TEST(RewriteTest, RefusesBadTemplates) {
  ExpectRefused(Templates({"good", Pattern(1537)}),
                "templates[1] must have 1..1536 bytes, not 1537");
  ExpectRefused(Templates({""}), "templates[0] must have 1..1536 bytes, not 0");
  pb::RewriteArg many;
  for (int i = 0; i < 65; ++i) many.add_templates("x");
  ExpectRefused(many, "at most 64 are possible");
}

TEST(RewriteTest, TakesSixtyFourTemplates) {
  pb::RewriteArg many;
  for (int i = 0; i < 64; ++i) many.add_templates(Pattern(1536));
  ModuleTester tester("Rewrite", many);
  ASSERT_TRUE(tester.ok());
  EXPECT_THAT(std::string(tester.Command("add", Templates({"x"})).message()),
              HasSubstr("'templates' would be 65"));
}

}  // namespace
}  // namespace bess
