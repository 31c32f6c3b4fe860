// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"
#include "core/graph/track.h"

namespace bess {
namespace {

using WorkerRpcsTest = EngineTest;

TEST_F(WorkerRpcsTest, LifeOfAWorker) {
  pb::AddWorkerRequest add;
  pb::EmptyResponse done;
  add.set_wid(7);
  add.set_core(AllowedCores().front());
  ASSERT_TRUE(rpc::AddWorker(*engine_, add, &done).ok());
  pb::PauseWorkerRequest pause;
  pause.set_wid(7);
  ASSERT_TRUE(rpc::PauseWorker(*engine_, pause, &done).ok());
  pb::ListWorkersResponse list;
  ASSERT_TRUE(rpc::ListWorkers(*engine_, {}, &list).ok());
  ASSERT_EQ(list.workers_status_size(), 1);
  EXPECT_EQ(list.workers_status(0).wid(), 7);
  EXPECT_EQ(list.workers_status(0).core(), AllowedCores().front());
  EXPECT_FALSE(list.workers_status(0).running());
  pb::ResumeWorkerRequest resume;
  resume.set_wid(7);
  ASSERT_TRUE(rpc::ResumeWorker(*engine_, resume, &done).ok());
  pb::DestroyWorkerRequest destroy;
  destroy.set_wid(7);
  ASSERT_TRUE(rpc::DestroyWorker(*engine_, destroy, &done).ok());
  ExpectError(rpc::DestroyWorker(*engine_, destroy, &done), ENOENT, "worker 7");
}

TEST_F(WorkerRpcsTest, DeadEndsAreSilentDrops) {
  StartChain();
  ASSERT_TRUE(engine_->Disconnect("pass", 0).ok());
  EXPECT_TRUE(Eventually([&] {
    pb::ListWorkersResponse list;
    EXPECT_TRUE(rpc::ListWorkers(*engine_, {}, &list).ok());
    return list.workers_status(0).silent_drops() > 0;
  }));
}

TEST_F(WorkerRpcsTest, ResetAndConstraints) {
  StartChain();
  pb::CheckSchedulingConstraintsResponse constraints;
  ASSERT_TRUE(rpc::CheckSchedulingConstraints(*engine_, {}, &constraints).ok());
  EXPECT_FALSE(constraints.fatal());
  pb::EmptyResponse done;
  ASSERT_TRUE(rpc::ResetWorkers(*engine_, {}, &done).ok());
  EXPECT_TRUE(engine_->ListWorkers().empty());
}

TEST_F(WorkerRpcsTest, WorkersFarFromWhatTheyRunAreNamed) {
  Create("far", "TestFarAway");
  Create("sink", "TestSink");
  Connect("far", "sink");
  pb::CheckSchedulingConstraintsResponse found;
  EXPECT_TRUE(Eventually([&] {  // the worker's thread says on which node it is
    found.Clear();
    EXPECT_TRUE(rpc::CheckSchedulingConstraints(*engine_, {}, &found).ok());
    return found.violations_size() > 0;
  }));
  ASSERT_EQ(found.violations_size(), 1);
  EXPECT_EQ(found.violations(0).name(), "!leaf_far:0");
  EXPECT_EQ(found.violations(0).constraint(), 8);
  EXPECT_EQ(found.violations(0).assigned_node(), engine_->ListWorkers()[0].node);
  EXPECT_EQ(found.violations(0).assigned_core(), engine_->ListWorkers()[0].core);
  ASSERT_EQ(found.modules_size(), 1);
  EXPECT_EQ(found.modules(0).name(), "far");
  EXPECT_FALSE(found.fatal()) << "it works, if slowly";
}

TEST_F(WorkerRpcsTest, CheckingConstraintsChangesNoCounter) {
  StartChain();
  ASSERT_TRUE(engine_->PauseAll().ok());
  const auto plan = engine_->plan();
  const auto& track = static_cast<const Track&>(*plan->graph->Find("pass")->out.at(0).hooks[0]);
  const uint64_t packets = track.counts().packets, consumed = Consumed();
  pb::CheckSchedulingConstraintsResponse constraints;
  ASSERT_TRUE(rpc::CheckSchedulingConstraints(*engine_, {}, &constraints).ok());
  EXPECT_GT(packets, 0u);
  EXPECT_EQ(track.counts().packets, packets);
  EXPECT_EQ(Consumed(), consumed);
  EXPECT_EQ(engine_->plan(), plan);
}

}  // namespace
}  // namespace bess
