// SPDX-License-Identifier: Apache-2.0
#include "core/packet/drop_reason.h"

#include <gtest/gtest.h>

#include <set>

namespace bess {
namespace {

TEST(DropReasonTest, NamesAreDistinctAndMatch) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    names.insert(DropReasonName(static_cast<DropReason>(i)));
  }
  EXPECT_EQ(names.size(), kNumDropReasons);
  EXPECT_EQ(DropReasonName(DropReason::kDeadEnd), "dead_end");
  EXPECT_EQ(DropReasonName(DropReason::kModuleRemoved), "module_removed");
  EXPECT_EQ(DropReasonName(DropReason::kNumReasons), "unknown");
}

}  // namespace
}  // namespace bess
