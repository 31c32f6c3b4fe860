// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

using LedgerRpcsTest = EngineTest;

TEST_F(LedgerRpcsTest, TheBooksAddUp) {
  StartChain();
  Create("box", "TestBox");
  ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
  ASSERT_TRUE(engine_->Connect("pass", 0, "box", 0, true).ok());
  ASSERT_TRUE(Eventually([&] {
    return module("box").totals().dropped[static_cast<size_t>(DropReason::kQueueFull)] > 0;
  }));
  ASSERT_TRUE(engine_->PauseAll().ok());
  ASSERT_TRUE(engine_->DestroyModule("sink").ok());
  native::GetLedgerResponse ledger;
  ASSERT_TRUE(rpc::GetLedger(*engine_, {}, &ledger).ok());
  const auto& totals = ledger.totals();
  EXPECT_EQ(totals.unaccounted(), 0);
  EXPECT_EQ(totals.created(), totals.consumed() + totals.dropped() + totals.held());
  EXPECT_EQ(totals.held(), TestBox::kCapacity);
  EXPECT_GT(totals.consumed(), 0u) << "the sink is gone, its books are not";
  EXPECT_GT(totals.dropped_by_reason().at("queue_full"), 0u);
  ASSERT_EQ(ledger.modules_size(), 3);
  EXPECT_EQ(ledger.modules(0).name(), "box");
  EXPECT_EQ(ledger.modules(0).held(), TestBox::kCapacity);
}

TEST_F(LedgerRpcsTest, ModulesCanBeChosen) {
  StartChain();
  native::GetLedgerRequest request;
  native::GetLedgerResponse ledger;
  request.add_modules("pass");
  ASSERT_TRUE(rpc::GetLedger(*engine_, request, &ledger).ok());
  ASSERT_EQ(ledger.modules_size(), 1);
  request.add_modules("nobody");
  ExpectError(rpc::GetLedger(*engine_, request, &ledger), ENOENT, "'nobody'");
}

}  // namespace
}  // namespace bess
