// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "modules/worker_split.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

pb::WorkerSplitArg Map(const std::map<uint32_t, uint32_t>& gates) {
  pb::WorkerSplitArg arg;
  for (const auto& [worker, gate] : gates) (*arg.mutable_worker_gates())[worker] = gate;
  return arg;
}

// Where packets go that this worker runs; kMaxGates when they are dropped for that reason.
uint32_t GateOf(uint32_t worker, const pb::WorkerSplitArg& arg) {
  FakeHost host;
  google::protobuf::Any any;
  any.PackFrom(arg);
  const auto module = ModuleRegistry::Get().Find("WorkerSplit")->Create("w", host, any).value();
  Context context(worker);
  BatchArena arena(8);
  Ledger ledger;
  uint32_t used = kMaxGates;
  struct End {
    uint32_t gate;
    uint32_t* used;
  };
  std::vector<End> ends(module->info().ogates);
  std::vector<Node> nodes(ends.size() + 1);
  std::vector<Node*> out;
  for (uint32_t i = 0; i < ends.size(); ++i) {
    ends[i] = {i, &used};
    nodes[i + 1].self = &ends[i];
    nodes[i + 1].ledger = &ledger;
    nodes[i + 1].rank = i + 1;
    nodes[i + 1].process = [](void* self, Context&, Batch& batch) {
      *static_cast<End*>(self)->used = static_cast<End*>(self)->gate;
      FreeBatch(batch);
    };
    out.push_back(&nodes[i + 1]);
  }
  nodes[0] = {.self = module.get(),
              .ledger = &ledger,
              .out = out.data(),
              .num_out = static_cast<uint32_t>(out.size())};
  context.Adopt(std::size(nodes), &arena);
  context.RunRoot(nodes[0], [&](Context& c, Batch& batch) {
    batch.Add(host.pool().Make("a"));
    module->mclass().process(module.get(), c, batch);
    return 0;
  });
  const bool dropped = ledger.dropped[static_cast<size_t>(DropReason::kNoMatch)].Get() == 1;
  EXPECT_EQ(dropped, used == kMaxGates);
  return used;
}

TEST(WorkerSplitTest, WithoutAMapEachWorkerHasTheGateOfItsNumber) {
  for (const uint32_t worker : {0u, 1u, 17u, 63u}) {
    EXPECT_EQ(GateOf(worker, pb::WorkerSplitArg()), worker);
  }
}

TEST(WorkerSplitTest, AMapGivesEachWorkerItsGate) {
  const auto map = Map({{0, 63}, {1, 5}, {63, 5}});
  EXPECT_EQ(GateOf(0, map), 63u);
  EXPECT_EQ(GateOf(1, map), 5u);
  EXPECT_EQ(GateOf(63, map), 5u);
}

TEST(WorkerSplitTest, WorkersThatAreNotInTheMapDropTheirPackets) {
  EXPECT_EQ(GateOf(2, Map({{0, 1}, {1, 0}})), kMaxGates);
}

TEST(WorkerSplitTest, ResetReplacesTheWholeMap) {
  ModuleTester tester("WorkerSplit", Map({{0, 3}}));
  tester.Send(0, {"a"});
  EXPECT_TRUE(tester.Command("reset", Map({{0, 4}})).ok());
  tester.Send(0, {"b"});
  EXPECT_TRUE(tester.Command("reset", Map({{1, 5}})).ok());
  tester.Send(0, {"c"});
  EXPECT_TRUE(tester.Command("reset", Map({})).ok());
  tester.Send(0, {"d"});
  EXPECT_THAT(tester.Received(3), ElementsAre("a"));
  EXPECT_THAT(tester.Received(4), ElementsAre("b"));
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 1u);
  EXPECT_THAT(tester.Received(0), ElementsAre("d"));
}

// BESS wrote to its array at whatever index the client sent.
TEST(WorkerSplitTest, RefusesWorkersAndGatesThereCannotBe) {
  ModuleTester tester("WorkerSplit", Map({{0, 3}}));
  const std::map<std::string, pb::WorkerSplitArg> refused = {
      {"a key of 'worker_gates' must be a worker, 0..63, not 64", Map({{64, 0}})},
      {"a key of 'worker_gates' must be a worker, 0..63, not 4294967295", Map({{UINT32_MAX, 0}})},
      {"'worker_gates[0]' must be a gate, 0..63, not 64", Map({{0, 64}})},
      {"'worker_gates[63]' must be a gate, 0..63, not 8192", Map({{0, 1}, {63, 8192}})},
  };
  for (const auto& [text, arg] : refused) {
    for (const auto& status :
         {ModuleTester("WorkerSplit", arg).status(), tester.Command("reset", arg)}) {
      EXPECT_EQ(StatusErrno(status), EINVAL);
      EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    }
  }
  tester.Send(0, {"a"});
  EXPECT_THAT(tester.Received(3), ElementsAre("a"));
}

}  // namespace
}  // namespace bess
