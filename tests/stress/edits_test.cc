// SPDX-License-Identifier: Apache-2.0
//
// Everything at once: workers run real modules while the graph, the tables and the workers change
// and readers look on. Under TSan this finds races; in any build the books must balance at the
// end. Bounded in steps, not in time.
#include <random>

#include "modules/acl.pb.h"
#include "modules/l2_forward.pb.h"
#include "modules/queue.pb.h"
#include "modules/source.pb.h"
#include "modules/update.pb.h"
#include "tests/stress/stress_testing.h"

namespace bess {
namespace {

constexpr int kEdits = 1000;

class EditsTest : public HeapStressTest {
 protected:
  // source -> update -> queue, then on another worker queue -> switch -> acl -> sink, and what the
  // switch does not know -> sink.
  void Build() {
    const std::vector<int> cores = AllowedCores();
    ASSERT_TRUE(engine_.AddWorker(0, cores.back(), "").ok());
    ASSERT_TRUE(engine_.AddWorker(1, cores.front(), "").ok());
    Create("source", "Source", pb::SourceArg());
    Create("update", "Update", pb::UpdateArg());
    Create("queue", "Queue", pb::QueueArg());
    Create("switch", "L2Forward", pb::L2ForwardArg());
    pb::ACLArg rules;
    rules.add_rules();
    Create("acl", "ACL", rules);
    Create("sink", "Sink", pb::EmptyArg());
    Connect("acl", 0, "sink");
    Connect("switch", 0, "acl");
    Connect("switch", 1, "sink");
    Connect("queue", 0, "switch");
    Connect("update", 0, "queue");
    Connect("source", 0, "update");
    SetDefaultGate(1);
  }

  void SetDefaultGate(int gate) {
    pb::L2ForwardCommandSetDefaultGateArg argument;
    argument.set_gate(gate);
    Command("switch", "set_default_gate", argument);
  }

  // One random edit under traffic.
  void EditOnce(int step) {
    switch (random_() % 7) {
      case 0:
        return InsertAndRemove("switch", 1, "sink");
      case 1:
        return SetDefaultGate(static_cast<int>(random_() % 2));
      case 2: {
        pb::UpdateArg update;
        auto& field = *update.add_fields();
        field.set_offset(static_cast<int64_t>(random_() % 12));
        field.set_size(2);
        field.set_value(static_cast<uint64_t>(step) & 0xffff);
        Command("update", "clear", pb::EmptyArg());
        return Command("update", "add", update);
      }
      case 3: {
        pb::ACLArg rules;
        rules.add_rules()->set_src_ip("10.0.0.0/8");
        return Command("acl", "add", rules);
      }
      case 4: {
        pb::QueueCommandSetSizeArg size;
        size.set_size(uint64_t{64} << (random_() % 6));
        return Command("queue", "set_size", size);
      }
      case 5:
        return RemoveAndReplaceSink();
      default:
        return AddAndDropWorker();
    }
  }

  void RemoveAndReplaceSink() {
    ASSERT_TRUE(engine_.DestroyModule("sink").ok());
    Create("sink", "Sink");
    Connect("acl", 0, "sink");
    Connect("switch", 1, "sink");
  }

  std::mt19937 random_{1};
};

TEST_F(EditsTest, EditsUnderTrafficKeepTheBooks) {
  Build();
  int step = 0;
  EditUntil([&] { return step == kEdits; }, [&] { EditOnce(step++); });
  ExpectConservation(*pool_);
}

}  // namespace
}  // namespace bess
