// SPDX-License-Identifier: Apache-2.0
#include "core/graph/gate_list.h"

#include <gmock/gmock.h>

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string ErrorOf(const absl::StatusOr<std::vector<uint32_t>>& result) {
  EXPECT_EQ(StatusErrno(result.status()), EINVAL);
  return std::string(result.status().message());
}

TEST(GateListTest, KeepsTheOrderAndRepetitions) {
  EXPECT_THAT(*ReadGates("gates", {}, 4), IsEmpty());
  EXPECT_THAT(*ReadGates("gates", {7, 0, 8191, 7}, 4), ElementsAre(7, 0, 8191, 7));
}

TEST(GateListTest, NamesTheEntryTheValueAndTheBound) {
  EXPECT_THAT(ErrorOf(ReadGates("gates", {0, 8192}, 4)),
              HasSubstr("'gates[1]' must be a gate, 0..8191, not 8192"));
  EXPECT_THAT(ErrorOf(ReadGates("gates", {-1}, 4, 32)),
              HasSubstr("'gates[0]' must be a gate, 0..31, not -1"));
  EXPECT_THAT(ErrorOf(ReadGates("gates", {int64_t{1} << 32}, 4)), HasSubstr("not 4294967296"));
}

TEST(GateListTest, BoundsTheLength) {
  EXPECT_TRUE(ReadGates("gates", {0, 0}, 2).ok());
  EXPECT_THAT(ErrorOf(ReadGates("gates", {0, 0, 0}, 2)), HasSubstr("at most 2 gates, not 3"));
}

}  // namespace
}  // namespace bess
