// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/source.pb.h"

namespace bess {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

pb::SourceArg Sized(uint64_t size) {
  pb::SourceArg arg;
  arg.set_pkt_size(size);
  return arg;
}

absl::Status SetSize(ModuleTester& tester, uint64_t size) {
  pb::SourceCommandSetPktSizeArg arg;
  arg.set_pkt_size(size);
  return tester.Command("set_pkt_size", arg);
}

absl::Status SetBurst(ModuleTester& tester, uint64_t burst) {
  pb::SourceCommandSetBurstArg arg;
  arg.set_burst(burst);
  return tester.Command("set_burst", arg);
}

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(SourceTest, MakesABatchOf60BytesByDefault) {
  ModuleTester tester("Source", pb::SourceArg());
  ASSERT_EQ(tester.module().tasks().size(), 1u);
  const TaskResult result = tester.RunTask();
  EXPECT_EQ(result.packets, 64u);
  EXPECT_EQ(result.bits, 64u * 84 * 8);
  EXPECT_FALSE(result.blocked);
  EXPECT_THAT(tester.Received(0), testing::AllOf(SizeIs(64), Each(std::string(60, '\0'))));
  EXPECT_EQ(tester.module().totals().created, 64u);
}

TEST(SourceTest, MakesPacketsOfAnySizeABufferHolds) {
  for (const uint64_t size : {1u, 31u, 32u, 33u, 64u, 100u, 1514u, 2048u}) {
    ModuleTester tester("Source", Sized(size));
    tester.RunTask();
    EXPECT_THAT(tester.Received(0), testing::AllOf(SizeIs(64), Each(std::string(size, '\0'))))
        << size;
  }
}

TEST(SourceTest, ChangesTheSize) {
  ModuleTester tester("Source", Sized(100));
  EXPECT_TRUE(SetSize(tester, 1000).ok());
  tester.RunTask();
  EXPECT_THAT(tester.Received(0), Each(SizeIs(1000)));
}

TEST(SourceTest, RefusesOtherSizesAndKeepsItsOwn) {
  ExpectRefused(ModuleTester("Source", Sized(2049)).status(),
                "'pkt_size' must be 1..2048 bytes, not 2049");
  // 65596 is 60 in 16 bits.
  ExpectRefused(ModuleTester("Source", Sized(65596)).status(), "not 65596");
  ModuleTester tester("Source", Sized(100));
  ExpectRefused(SetSize(tester, 0), "not 0");
  ExpectRefused(SetSize(tester, 2049), "not 2049");
  tester.RunTask();
  EXPECT_THAT(tester.Received(0), Each(SizeIs(100)));
}

TEST(SourceTest, ChangesTheBurst) {
  ModuleTester tester("Source", pb::SourceArg());
  EXPECT_TRUE(SetBurst(tester, 3).ok());
  EXPECT_EQ(tester.RunTask().packets, 3u);
  ExpectRefused(SetBurst(tester, 65), "'burst' must be 0..64 packets, not 65");
  ExpectRefused(SetBurst(tester, uint64_t{1} << 32), "not 4294967296");
  EXPECT_EQ(tester.RunTask().packets, 3u);
  EXPECT_TRUE(SetBurst(tester, 0).ok());
  EXPECT_TRUE(tester.RunTask().blocked);
  EXPECT_EQ(tester.count(0), 6u);
}

TEST(SourceTest, RestsWhenThePoolIsEmpty) {
  ModuleTester tester("Source", pb::SourceArg(), std::make_shared<FakeHost>(63));
  const TaskResult result = tester.RunTask();
  EXPECT_TRUE(result.blocked);
  EXPECT_EQ(result.packets, 0u);
  EXPECT_EQ(tester.module().totals().created, 0u);
}

TEST(SourceTest, JumboPacketsNeedBuffersForThem) {
  pb::SourceArg arg;
  arg.set_pkt_size(9018);
  EXPECT_EQ(StatusErrno(ModuleTester("Source", arg).status()), EINVAL);
  const uint16_t data_room = 9728;
  ModuleTester tester("Source", arg, std::make_shared<FakeHost>(1 << 10, data_room));
  ASSERT_TRUE(tester.ok()) << tester.status();
  tester.RunTask();
  EXPECT_THAT(tester.Received(0), testing::Each(std::string(9018, 0)));
}

TEST(SourceKindsTest, TheLastSettingsCount) {
  const auto source = ModuleRegistry::Get().Find("Source");
  for (const CommandClass& command : source->commands) {
    EXPECT_EQ(command.kind, CommandKind::kSets) << command.name;
  }
}

}  // namespace
}  // namespace bess
