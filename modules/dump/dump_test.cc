// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "core/base/clock.h"
#include "core/graph/module_tester.h"
#include "modules/dump.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

pb::DumpArg Every(double seconds) {
  pb::DumpArg arg;
  arg.set_interval(seconds);
  return arg;
}

uint64_t At(double seconds) { return NanosecondsToCycles(seconds * 1e9); }

size_t CountDumps(const std::string& text) {
  size_t n = 0;
  for (size_t at = text.find("packet of"); at != text.npos; at = text.find("packet of", at + 1))
    ++n;
  return n;
}

// What a Dump has printed by the time it is gone.
template <typename Use>
std::string Printed(const pb::DumpArg& arg, Use use) {
  testing::internal::CaptureStdout();
  {
    ModuleTester tester("Dump", arg);
    use(tester);
  }
  return testing::internal::GetCapturedStdout();
}

TEST(DumpTest, PassesEverythingOnUntouched) {
  Printed(Every(0), [](ModuleTester& tester) {
    tester.Send(0, {"a", "", std::string(3000, 'x')});
    EXPECT_THAT(tester.Received(0), ElementsAre("a", "", std::string(3000, 'x')));
  });
}

TEST(DumpTest, PrintsTheFirstPacketOfABatch) {
  const std::string text = Printed(Every(0), [](ModuleTester& tester) {
    tester.Send(0, {std::string("0123456789abcdef\n\xff", 18), "second"});
  });
  EXPECT_THAT(text,
              testing::ContainsRegex(
                  "^20[0-9-]+T[0-9:.]+Z test: packet of 18 bytes\n"
                  "  0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
                  "  0010  0a ff                                            ..\n"
                  "  metadata\n"
                  "  0000  00 "));
  EXPECT_THAT(text, Not(HasSubstr("second")));
}

TEST(DumpTest, PrintsMetadata) {
  const std::string text = Printed(Every(0), [](ModuleTester& tester) {
    Packet* packet = tester.host().pool().Make("x");
    std::memcpy(packet->metadata() + 112, "at the very end.", 16);
    tester.SendPackets(0, {packet});
  });
  EXPECT_THAT(text,
              HasSubstr("  0070  61 74 20 74 68 65 20 76 65 72 79 20 65 6e 64 2e  at the ve"));
}

TEST(DumpTest, KeepsTheInterval) {
  const std::string text = Printed(Every(10), [](ModuleTester& tester) {
    for (const double now : {5.0, 6.0, 14.9, 15.1, 25.0, 25.2}) {
      tester.SetNow(At(now));
      tester.Send(0, {absl::StrCat("at ", now)});
    }
  });
  EXPECT_EQ(CountDumps(text), 3u);
  EXPECT_THAT(text, HasSubstr("at 5"));
  EXPECT_THAT(text, HasSubstr("at 15.1"));
  EXPECT_THAT(text, HasSubstr("at 25.2"));
}

TEST(DumpTest, TakesANewIntervalAtOnce) {
  const std::string text = Printed(Every(1e9), [](ModuleTester& tester) {
    tester.SetNow(At(1));
    tester.Send(0, {"first"});
    tester.SetNow(At(3));
    tester.Send(0, {"too early"});
    EXPECT_TRUE(tester.Command("set_interval", Every(1)).ok());
    tester.Send(0, {"second"});
  });
  EXPECT_THAT(text, HasSubstr("first"));
  EXPECT_THAT(text, HasSubstr("second"));
  EXPECT_THAT(text, Not(HasSubstr("too early")));
}

TEST(DumpTest, PrintsNoMoreThan2048Bytes) {
  const std::string text =
      Printed(Every(0), [](ModuleTester& tester) { tester.Send(0, {std::string(3000, 'x')}); });
  EXPECT_THAT(text, HasSubstr("packet of 3000 bytes, the first 2048\n"));
  EXPECT_THAT(text, HasSubstr("\n  07f0  78"));
  EXPECT_THAT(text, Not(HasSubstr("\n  0800")));
}

TEST(DumpTest, PrintsAllSegments) {
  const std::string text = Printed(Every(0), [](ModuleTester& tester) {
    tester.SendPackets(0, {tester.host().pool().MakeChain({"be", "hind"})});
  });
  EXPECT_THAT(text, HasSubstr("packet of 6 bytes\n"));
  EXPECT_THAT(text, HasSubstr("behind"));
}

TEST(DumpTest, SkipsPacketsRatherThanWait) {
  const std::string text = Printed(Every(0), [](ModuleTester& tester) {
    for (int i = 0; i < 5000; ++i) tester.Send(0, {"x"});
    EXPECT_EQ(tester.count(0), 5000u);
  });
  EXPECT_GE(CountDumps(text), 8u);
  EXPECT_LT(CountDumps(text), 5000u);
}

TEST(DumpTest, RefusesWhatIsNoInterval) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  ModuleTester tester("Dump", Every(1));
  for (const double bad : {-1.0, -1e-9, nan, infinity, 1.1e9}) {
    const absl::Status made = ModuleTester("Dump", Every(bad)).status();
    EXPECT_EQ(StatusErrno(made), EINVAL) << bad;
    EXPECT_THAT(std::string(made.message()), HasSubstr("'interval' must be 0..1e+09 seconds"));
    EXPECT_EQ(StatusErrno(tester.Command("set_interval", Every(bad))), EINVAL) << bad;
  }
}

}  // namespace
}  // namespace bess
