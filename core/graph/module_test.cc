// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"

#include <gmock/gmock.h>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

void ExpectError(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code);
  EXPECT_EQ(status.message(), text);
}

TEST(ModuleTest, AttributesAreNumberedAndChecked) {
  TestGraph test;
  TestModule& m = test.Add("m");
  const auto add = [&](std::string_view name, uint64_t size) {
    return m.AddAttribute(name, size, AttributeMode::kUpdate);
  };
  EXPECT_EQ(*add("first", 1), 0u);
  EXPECT_EQ(*add("second", 32), 1u);
  ExpectError(add("", 4).status(), EINVAL, "an attribute needs a name");
  ExpectError(add("x", 0).status(), EINVAL, "attribute 'x' must have 1..32 bytes, not 0");
  ExpectError(add("x", 33).status(), EINVAL, "attribute 'x' must have 1..32 bytes, not 33");
  ExpectError(add("x", uint64_t{1} << 32).status(), EINVAL,
              "attribute 'x' must have 1..32 bytes, not 4294967296");
  ExpectError(add("first", 1).status(), EEXIST, "attribute 'first' is declared twice");
  for (size_t i = 2; i < kMaxAttributesPerModule; ++i) {
    EXPECT_EQ(*add(absl::StrCat("x", i), 4), i);
  }
  ExpectError(add("last", 4).status(), ENOSPC,
              "a module has at most 16 attributes; 'last' is one too many");
  ASSERT_EQ(m.attributes().size(), kMaxAttributesPerModule);
  EXPECT_EQ(m.attributes()[1].name, "second");
  EXPECT_EQ(m.attributes()[1].size, 32u);
  EXPECT_EQ(m.attributes()[1].mode, AttributeMode::kUpdate);
}

TEST(ModuleTest, TasksAreBounded) {
  TestGraph test;
  TestModule& m = test.Add("m");
  for (uint32_t i = 0; i < kMaxTasksPerModule; ++i) EXPECT_TRUE(m.AddTask(i * 10).ok());
  ExpectError(m.AddTask(0), ENOSPC, "a module has at most 32 tasks");
  ASSERT_EQ(m.tasks().size(), kMaxTasksPerModule);
  EXPECT_EQ(m.tasks()[3].argument, 30u);
}

TEST(ModuleTest, TotalsSumOverWorkersAndTheControlPlane) {
  TestGraph test;
  TestModule& m = test.Add("m");
  EXPECT_EQ(m.totals().created, 0u);
  m.ledger(0).created.Add(1);
  m.ledger(kMaxWorkers - 1).created.Add(2);
  m.ledger(kControlCell).consumed.Add(4);
  m.ledger(3).dropped[static_cast<size_t>(DropReason::kDenied)].Add(8);
  m.ledger(4).dropped[static_cast<size_t>(DropReason::kDenied)].Add(16);
  m.ledger(4).dropped[static_cast<size_t>(DropReason::kNoRoom)].Add(32);
  const LedgerTotals totals = m.totals();
  EXPECT_EQ(totals.created, 3u);
  EXPECT_EQ(totals.consumed, 4u);
  EXPECT_EQ(totals.dropped[static_cast<size_t>(DropReason::kDenied)], 24u);
  EXPECT_EQ(totals.all_dropped(), 56u);
}

TEST(ModuleTest, KnowsItsNameAndClass) {
  TestGraph test;
  TestModule& m = test.Add("m");
  EXPECT_EQ(m.name(), "m");
  EXPECT_EQ(m.info().name, "Test");
  EXPECT_EQ(m.mclass().info.igates, 64u);
}

TEST(CheckGateTest, NamesTheFieldAndTheRange) {
  EXPECT_TRUE(CheckGate("gate", kMaxGates - 1).ok());
  ExpectError(CheckGate("gate", kMaxGates), EINVAL, "'gate' must be a gate, 0..8191, not 8192");
  EXPECT_TRUE(CheckGate("gate", 1, 2).ok());
  ExpectError(CheckGate("default", 2, 2), EINVAL, "'default' must be a gate, 0..1, not 2");
}

}  // namespace
}  // namespace bess
