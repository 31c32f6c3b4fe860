// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

class SchedRpcsTest : public EngineTest {
 protected:
  SchedRpcsTest() {
    for (int64_t id = 0; id < 2; ++id) {
      EXPECT_TRUE(engine_->AddWorker(id, AllowedCores().front(), "").ok());
    }
    const TcParams fair = {TcPolicy::kWeightedFair, TcResource::kBit};
    EXPECT_TRUE(engine_->AddClass("fair", fair, {.worker = 0}).ok());
    const TcParams limit = {TcPolicy::kRateLimit, TcResource::kPacket, 1, 0};
    EXPECT_TRUE(engine_->AddClass("limit", limit, {.parent = "fair", .share = 1}).ok());
  }
  const TrafficClass& Class(const std::string& name) {
    return *engine_->plan()->graph->classes.Find(name);
  }
};

TEST_F(SchedRpcsTest, AnyClassMovesAtAnyTime) {
  native::MoveClassRequest request;
  native::MoveClassResponse response;
  request.set_name("limit");
  request.set_worker(1);
  ASSERT_TRUE(rpc::MoveClass(*engine_, request, &response).ok());
  EXPECT_EQ(Class("limit").place.worker, 1u);
  request.set_parent("fair");
  ExpectError(rpc::MoveClass(*engine_, request, &response), EINVAL, "'share'");
  request.set_share(5);
  ASSERT_TRUE(rpc::MoveClass(*engine_, request, &response).ok());
  EXPECT_EQ(Class("limit").place.share, 5);
  request.set_name("fair");
  request.set_worker(4000000000);
  ExpectError(rpc::MoveClass(*engine_, request, &response), EINVAL, "4000000000");
}

TEST_F(SchedRpcsTest, ParametersChangeAtAnyTime) {
  native::UpdateClassRequest request;
  native::UpdateClassResponse response;
  request.set_name("limit");
  request.set_resource("bit");
  request.set_limit(10);
  request.set_max_burst(20);
  ASSERT_TRUE(rpc::UpdateClass(*engine_, request, &response).ok());
  EXPECT_EQ(Class("limit").params.limit, 10);
  EXPECT_EQ(Class("limit").params.max_burst, 20);
  request.set_resource("byte");
  ExpectError(rpc::UpdateClass(*engine_, request, &response), EINVAL, "'byte'");
}

TEST_F(SchedRpcsTest, ClassesAreRemoved) {
  native::RemoveClassRequest request;
  native::RemoveClassResponse response;
  request.set_name("fair");
  ExpectError(rpc::RemoveClass(*engine_, request, &response), EBUSY, "'limit'");
  request.set_name("limit");
  EXPECT_TRUE(rpc::RemoveClass(*engine_, request, &response).ok());
}

TEST_F(SchedRpcsTest, BusyWorkersSaySo) {
  StartChain();
  native::GetWorkerUsageResponse before, after;
  ASSERT_TRUE(rpc::GetWorkerUsage(*engine_, {}, &before).ok());
  const auto busy = [&] {
    after.Clear();
    EXPECT_TRUE(rpc::GetWorkerUsage(*engine_, {}, &after).ok());
    uint64_t cycles = 0;
    for (int i = 0; i < after.workers_size(); ++i) {
      cycles += after.workers(i).busy_cycles() - before.workers(i).busy_cycles();
    }
    return cycles > 0;
  };
  EXPECT_TRUE(Eventually(busy));
  ASSERT_EQ(after.workers_size(), 2);
  for (const auto& worker : after.workers()) {
    EXPECT_LE(worker.busy_rounds(), worker.rounds());
  }
  EXPECT_GT(after.cycles_per_second(), 1e8);
}

TEST_F(SchedRpcsTest, StallsAreRemembered) {
  StartChain();
  native::GetWorkerUsageResponse usage;
  const auto stuck = [&] {
    usage.Clear();
    EXPECT_TRUE(rpc::GetWorkerUsage(*engine_, {}, &usage).ok());
    for (const auto& worker : usage.workers()) {
      if (worker.stalls() > 0) return &worker.last_stall();
    }
    return static_cast<const native::GetWorkerUsageResponse::Stall*>(nullptr);
  };
  EXPECT_EQ(stuck(), nullptr);
  auto& pass = static_cast<TestPass&>(module("pass"));
  pass.Catch();
  EXPECT_TRUE(Eventually([&] { return stuck() != nullptr; }));
  EXPECT_EQ(stuck()->module(), "pass");
  EXPECT_EQ(stuck()->class_(), "!leaf_source:0");
  EXPECT_GE(stuck()->cpu_seconds(), 0.025);
  EXPECT_GT(stuck()->timestamp(), 1e9);
  EXPECT_FALSE(stuck()->over());
  pass.stuck = false;
  EXPECT_TRUE(Eventually([&] { return stuck()->over(); }));
}

}  // namespace
}  // namespace bess
