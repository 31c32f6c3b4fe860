// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "bess/util.pb.h"
#include "core/base/bytes.h"
#include "core/base/nanosecond_clock.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "core/packet/time_stamp.h"
#include "modules/measure.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Summary = pb::MeasureCommandGetSummaryResponse;

constexpr uint64_t kSecond = 1000000000;

// Buckets of a second, ten of them: no machine is so slow that a test lands in the next one.
pb::MeasureArg Seconds(double jitter_share = 1) {
  pb::MeasureArg arg;
  arg.set_latency_ns_max(10 * kSecond);
  arg.set_latency_ns_resolution(kSecond);
  arg.set_jitter_sample_prob(jitter_share);
  return arg;
}

Summary Get(ModuleTester& tester, const pb::MeasureCommandGetSummaryArg& arg = {}) {
  Summary summary;
  EXPECT_TRUE(tester.Command("get_summary", arg, &summary).ok());
  return summary;
}

// Packets that were sent so many seconds ago, by the attribute.
void SendAged(ModuleTester& tester, const std::vector<double>& ages) {
  const NanosecondClock clock;
  tester.PlaceAttribute(0, 16);
  std::vector<Packet*> packets;
  for (const double age : ages) {
    packets.push_back(tester.host().pool().Make("abc"));
    StoreUnaligned(packets.back()->metadata() + 16,
                   clock.Now() - static_cast<uint64_t>(static_cast<int64_t>(age * kSecond)));
  }
  tester.SendPackets(0, packets);
}

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(MeasureTest, CountsPacketsAndTheirBits) {
  ModuleTester tester("Measure", Seconds());
  tester.Send(0, {"abc", ""});
  EXPECT_THAT(tester.Received(0), ElementsAre("abc", ""));
  const Summary summary = Get(tester);
  EXPECT_EQ(summary.packets(), 2u);
  EXPECT_EQ(summary.bits(), (3u + 2 * 24u) * 8u);
  EXPECT_NEAR(summary.timestamp(), WallSeconds(), 60);
}

TEST(MeasureTest, MeasuresLatency) {
  ModuleTester tester("Measure", Seconds());
  SendAged(tester, {1.2, 3.2, 3.3, 5.2, 50});
  pb::MeasureCommandGetSummaryArg arg;
  for (const double percentile : {0, 20, 21, 60, 80, 100}) {
    arg.add_latency_percentiles(percentile);
  }
  const auto latency = Get(tester, arg).latency();
  EXPECT_EQ(latency.count(), 5u);
  EXPECT_EQ(latency.above_range(), 1u);
  EXPECT_EQ(latency.resolution_ns(), kSecond);
  EXPECT_EQ(latency.min_ns(), 1 * kSecond);
  EXPECT_EQ(latency.max_ns(), 10 * kSecond);
  EXPECT_EQ(latency.total_ns() / kSecond, 62u);
  EXPECT_EQ(latency.avg_ns() / kSecond, 12u);
  EXPECT_THAT(latency.percentile_values_ns(),
              ElementsAre(kSecond, kSecond, 3 * kSecond, 3 * kSecond, 5 * kSecond, 10 * kSecond));
}

TEST(MeasureTest, MeasuresJitterOfPacketsThatFollowEachOther) {
  ModuleTester tester("Measure", Seconds());
  SendAged(tester, {1.1, 3.5, 3.6});
  SendAged(tester, {8.9});
  const auto jitter = Get(tester).jitter();
  EXPECT_EQ(jitter.count(), 3u);
  EXPECT_EQ(jitter.min_ns(), 0u);
  EXPECT_EQ(jitter.max_ns(), 5 * kSecond);
}

// The generator is seeded with the module's name: the sample is the same in each run.
TEST(MeasureTest, SamplesAShareOfTheJitter) {
  constexpr double kPackets = 20000;
  for (const double share : {0.0, 0.3}) {
    ModuleTester tester("Measure", Seconds(share));
    SendAged(tester, std::vector<double>(static_cast<size_t>(kPackets), 1.5));
    const double expected = share == 0 ? 0.05 : share;
    EXPECT_NEAR(static_cast<double>(Get(tester).jitter().count()), kPackets * expected,
                6 * std::sqrt(kPackets * expected));
  }
}

TEST(MeasureTest, TakesTimesFromThePacket) {
  pb::MeasureArg arg = Seconds();
  arg.set_offset(2);
  ModuleTester tester("Measure", arg);
  EXPECT_TRUE(tester.module().attributes().empty());
  const uint64_t sent = NanosecondClock().Now() - 3 * kSecond / 2;
  const std::string stamp = Be(kTimeStampMark, 4) + Be(sent, 8);
  tester.Send(0, {".." + stamp, ".." + stamp.substr(0, 11), "..." + stamp, ""});
  const Summary summary = Get(tester);
  EXPECT_EQ(summary.packets(), 4u);
  EXPECT_EQ(summary.latency().count(), 1u);
  EXPECT_EQ(summary.latency().min_ns(), kSecond);
}

TEST(MeasureTest, PacketsWithoutATimeOrFromTheFutureHaveNoLatency) {
  ModuleTester tester("Measure", Seconds());
  SendAged(tester, {-100});
  tester.PlaceAttribute(0, kNoWriter);
  tester.Send(0, {"a"});
  const Summary summary = Get(tester);
  EXPECT_EQ(summary.packets(), 2u);
  EXPECT_EQ(summary.latency().count(), 0u);
  EXPECT_EQ(summary.jitter().count(), 0u);
}

TEST(MeasureTest, StartsAgainFromNothing) {
  ModuleTester tester("Measure", Seconds());
  SendAged(tester, {1.5, 1.5});
  pb::MeasureCommandGetSummaryArg clear;
  clear.set_clear(true);
  EXPECT_EQ(Get(tester, clear).latency().count(), 2u);
  SendAged(tester, {4.5});
  const auto after = Get(tester);
  EXPECT_EQ(after.packets(), 1u);
  EXPECT_EQ(after.bits(), (3u + 24u) * 8u);
  EXPECT_EQ(after.latency().count(), 1u);
  EXPECT_EQ(after.latency().min_ns(), 4 * kSecond);
  EXPECT_EQ(after.latency().total_ns() / kSecond, 4u);
  EXPECT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  EXPECT_EQ(Get(tester).packets(), 0u);
  EXPECT_EQ(Get(tester).latency().max_ns(), 0u);
}

TEST(MeasureTest, ClearingLosesNoPacketThatArrivesMeanwhile) {
  ModuleTester tester("Measure", Seconds());
  constexpr uint64_t kBatches = 1000;
  std::atomic<bool> done{false};
  uint64_t packets = 0, timed = 0;
  std::thread control([&] {
    pb::MeasureCommandGetSummaryArg clear;
    clear.set_clear(true);
    for (bool last = false; !last;) {
      last = done;
      const Summary summary = Get(tester, clear);
      packets += summary.packets();
      timed += summary.latency().count();
    }
  });
  for (uint64_t i = 0; i < kBatches; ++i) SendAged(tester, {1.5, 2.5, 3.5});
  done = true;
  control.join();
  EXPECT_EQ(packets, 3 * kBatches);
  EXPECT_EQ(timed, 3 * kBatches);
}

TEST(MeasureTest, HasTheRangeOfBess) {
  ModuleTester tester("Measure", pb::MeasureArg());
  EXPECT_EQ(tester.module().attributes().at(0).name, "timestamp");
  EXPECT_EQ(tester.module().attributes().at(0).size, 8u);
  SendAged(tester, {2});
  const auto latency = Get(tester).latency();
  EXPECT_EQ(latency.resolution_ns(), 100u);
  EXPECT_EQ(latency.above_range(), 1u);
  EXPECT_EQ(latency.max_ns(), 100000000u);
}

TEST(MeasureTest, RefusesHistogramsThatTakeTooMuchMemory) {
  const auto scale = [](uint64_t max, uint32_t resolution) {
    pb::MeasureArg arg;
    arg.set_latency_ns_max(max);
    arg.set_latency_ns_resolution(resolution);
    return ModuleTester("Measure", arg).status();
  };
  EXPECT_TRUE(scale(4194304, 1).ok());
  ExpectRefused(scale(4194305, 1), "would take 4194305 buckets; at most 4194304 are possible");
  ExpectRefused(scale(1000000000000, 0), "would take 10000000000 buckets");
  ExpectRefused(scale(1000000000001, UINT32_MAX),
                "'latency_ns_max' must be 0..1000000000000 ns, not 1000000000001");
  ExpectRefused(scale(~uint64_t{0}, UINT32_MAX), "'latency_ns_max' must be");
  EXPECT_TRUE(scale(1000000000000, UINT32_MAX).ok());
  EXPECT_TRUE(scale(1, UINT32_MAX).ok());
}

TEST(MeasureTest, RefusesWhatIsNoShareAndNoPlace) {
  for (const double share : {-0.1, 1.1, std::nan("")}) {
    ExpectRefused(ModuleTester("Measure", Seconds(share)).status(),
                  absl::StrCat("'jitter_sample_prob' must be 0..1, not ", share));
  }
  pb::MeasureArg arg = Seconds();
  arg.set_offset(2037);
  ExpectRefused(ModuleTester("Measure", arg).status(), "'offset' must be 0..2036 bytes, not 2037");
}

TEST(MeasureTest, RefusesPercentilesThatAreNone) {
  ModuleTester tester("Measure", Seconds());
  SendAged(tester, {1.5});
  for (const std::vector<double>& refused :
       {std::vector<double>{-1}, {100.1}, {50, 49}, {std::nan("")}, {1, std::nan("")}}) {
    pb::MeasureCommandGetSummaryArg latency, jitter;
    latency.set_clear(true);
    for (const double percentile : refused) {
      latency.add_latency_percentiles(percentile);
      jitter.add_jitter_percentiles(percentile);
    }
    ExpectRefused(tester.Command("get_summary", latency), "'latency_percentiles' must be 0..100");
    ExpectRefused(tester.Command("get_summary", jitter), "'jitter_percentiles' must be 0..100");
  }
  EXPECT_EQ(Get(tester).packets(), 1u) << "a refused command clears nothing";
}

TEST(MeasureKindsTest, ClearingIsNoConfiguration) {
  const auto measure = ModuleRegistry::Get().Find("Measure");
  EXPECT_EQ(measure->FindCommand("clear")->kind, CommandKind::kPasses);
  EXPECT_EQ(measure->FindCommand("get_summary")->kind, CommandKind::kReads);
}

}  // namespace
}  // namespace bess
