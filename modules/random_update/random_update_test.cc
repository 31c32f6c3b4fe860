// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "modules/random_update.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Wanted {
  int64_t offset = 0;
  uint64_t size = 1;
  uint64_t min = 0;
  uint64_t max = 0;
};

pb::RandomUpdateArg Fields(const std::vector<Wanted>& fields) {
  pb::RandomUpdateArg arg;
  for (const Wanted& wanted : fields) {
    auto* field = arg.add_fields();
    field->set_offset(wanted.offset);
    field->set_size(wanted.size);
    field->set_min(wanted.min);
    field->set_max(wanted.max);
  }
  return arg;
}

uint64_t Number(const std::string& packet, size_t offset, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    number = number << 8 | static_cast<uint8_t>(packet.at(offset + i));
  }
  return number;
}

void ExpectRefused(const pb::RandomUpdateArg& arg, const std::string& text) {
  ModuleTester fresh("RandomUpdate", arg);
  EXPECT_EQ(StatusErrno(fresh.status()), EINVAL) << text;
  EXPECT_THAT(std::string(fresh.status().message()), HasSubstr(text));

  ModuleTester running("RandomUpdate", Fields({{0, 1, 'x', 'x'}}));
  EXPECT_EQ(StatusErrno(running.Command("add", arg)), EINVAL) << text;
  running.Send(0, {"...."});
  EXPECT_THAT(running.Received(0), ElementsAre("x...")) << "a refused command changes nothing";
}

// The generator is seeded with the module's name: what is drawn is the same in each run.
TEST(RandomUpdateTest, DrawsEachNumberAsOftenBothEndsIncluded) {
  constexpr int kPackets = 64000;
  for (const uint64_t size : {1u, 2u, 4u}) {
    ModuleTester tester("RandomUpdate", Fields({{2, size, 100, 109}}));
    tester.Send(0, std::vector<std::string>(kPackets, std::string(10, '.')));
    std::map<uint64_t, int> counts;
    for (const std::string& packet : tester.Received(0)) {
      ++counts[Number(packet, 2, size)];
      EXPECT_EQ(packet.substr(0, 2), "..");
      EXPECT_EQ(packet.substr(2 + size), std::string(8 - size, '.'));
    }
    EXPECT_EQ(counts.begin()->first, 100u);
    EXPECT_EQ(counts.rbegin()->first, 109u);
    EXPECT_EQ(counts.size(), 10u);
    for (const auto& [number, count] : counts) {
      EXPECT_NEAR(count, kPackets / 10, 6 * std::sqrt(kPackets / 10.0)) << number;
    }
  }
}

TEST(RandomUpdateTest, CoversTheWholeRangeOfAField) {
  for (const uint64_t size : {1u, 2u, 4u}) {
    const uint64_t largest = (uint64_t{1} << (8 * size)) - 1;
    ModuleTester tester("RandomUpdate", Fields({{0, size, 0, largest}}));
    tester.Send(0, std::vector<std::string>(20000, std::string(4, '.')));
    uint64_t zeros = largest, ones = 0;
    for (const std::string& packet : tester.Received(0)) {
      zeros &= Number(packet, 0, size);
      ones |= Number(packet, 0, size);
    }
    EXPECT_EQ(zeros, 0u);
    EXPECT_EQ(ones, largest);
  }
}

TEST(RandomUpdateTest, AFieldOfOneNumberIsAConstant) {
  ModuleTester tester("RandomUpdate", Fields({{1, 4, UINT32_MAX, UINT32_MAX}, {0, 1, 'a', 'a'}}));
  tester.Send(0, {"......"});
  EXPECT_THAT(tester.Received(0), ElementsAre("a\xff\xff\xff\xff."));
}

TEST(RandomUpdateTest, FieldsAndPacketsAreDrawnApart) {
  ModuleTester tester("RandomUpdate", Fields({{0, 4, 0, UINT32_MAX}, {4, 4, 0, UINT32_MAX}}));
  tester.Send(0, std::vector<std::string>(1000, std::string(8, '.')));
  std::map<uint64_t, int> seen;
  for (const std::string& packet : tester.Received(0)) {
    ++seen[Number(packet, 0, 4)];
    ++seen[Number(packet, 4, 4)];
  }
  EXPECT_GT(seen.size(), 1998u);
}

TEST(RandomUpdateTest, ShortFieldsAreDrawnApartInBatchesOfAnySize) {
  for (const int packets : {1, 2, 3, 63, 65, 1000}) {
    ModuleTester tester("RandomUpdate", Fields({{0, 2, 0, UINT16_MAX}, {2, 2, 0, UINT16_MAX}}));
    tester.Send(0, std::vector<std::string>(static_cast<size_t>(packets), "...."));
    std::map<uint64_t, int> seen;
    for (const std::string& packet : tester.Received(0)) {
      ++seen[Number(packet, 0, 2)];
      ++seen[Number(packet, 2, 2)];
    }
    // Of 2,000 numbers of 65,536, about 30 have been drawn before.
    EXPECT_GE(seen.size(), static_cast<size_t>(2 * packets - packets / 20));
  }
}

TEST(RandomUpdateTest, LaterFieldsWriteOverEarlierOnes) {
  ModuleTester tester("RandomUpdate", Fields({{0, 4, 0, UINT32_MAX}, {0, 4, 7, 7}}));
  tester.Send(0, {"....."});
  EXPECT_THAT(tester.Received(0), ElementsAre(std::string("\0\0\0\7.", 5)));
}

// BESS wrote beyond the end.
TEST(RandomUpdateTest, DropsPacketsThatEndBeforeAField) {
  ModuleTester tester("RandomUpdate", Fields({{0, 1, 'a', 'a'}, {4, 2, 0x6262, 0x6262}}));
  tester.Send(0, {"......", ".....", "", "......."});
  EXPECT_THAT(tester.Received(0), ElementsAre("a...bb", "a...bb."));
  EXPECT_EQ(tester.dropped(DropReason::kTruncated), 2u);
}

TEST(RandomUpdateTest, AddsFieldsAndClearsThem) {
  ModuleTester tester("RandomUpdate", pb::RandomUpdateArg());
  tester.Send(0, {"...", ""});
  ASSERT_TRUE(tester.Command("add", Fields({{0, 1, 'a', 'a'}})).ok());
  ASSERT_TRUE(tester.Command("add", Fields({{1, 1, 'b', 'b'}})).ok());
  tester.Send(0, {"..."});
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  tester.Send(0, {"...", "."});
  EXPECT_THAT(tester.Received(0), ElementsAre("...", "", "ab.", "...", "."));
}

TEST(RandomUpdateTest, RefusesBadFields) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{3}, uint64_t{8}, (uint64_t{1} << 32) + 1}) {
    ExpectRefused(Fields({{0, 1, 0, 0}, {0, size, 0, 0}}),
                  absl::StrCat("fields[1]: 'size' must be 1, 2 or 4, not ", size));
  }
  ExpectRefused(Fields({{-1, 1}}), "fields[0]: 'offset' must be 0..2047 for 1 bytes, not -1");
  ExpectRefused(Fields({{2045, 4}}), "'offset' must be 0..2044 for 4 bytes, not 2045");
  ExpectRefused(Fields({{INT64_MAX, 4}}), "'offset' must be 0..2044 for 4 bytes");
  ExpectRefused(Fields({{0, 1, 0, 256}}), "'max' must be 0..255 for 1 bytes, not 256");
  ExpectRefused(Fields({{0, 2, 0, 65536}}), "'max' must be 0..65535 for 2 bytes, not 65536");
  ExpectRefused(Fields({{0, 4, 0, UINT64_MAX}}), "'max' must be 0..4294967295 for 4 bytes");
  ExpectRefused(Fields({{0, 2, 10, 9}}), "'min' must be 0..9, no more than 'max', not 10");
}

TEST(RandomUpdateTest, HasAtMostSixteenFields) {
  ModuleTester tester("RandomUpdate", Fields(std::vector<Wanted>(16)));
  ASSERT_TRUE(tester.ok());
  const absl::Status status = tester.Command("add", Fields({{}}));
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'fields' would be 17; at most 16"));
}

}  // namespace
}  // namespace bess
