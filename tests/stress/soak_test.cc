// SPDX-License-Identifier: Apache-2.0
//
// A graph of twenty modules with splits, merges, copies, queues and a cycle, edited without pause
// while packets run through it by the million. Not one may be unaccounted for, and the pool must
// be full again at the end. SOAK_PACKETS=1000000000 in the environment makes it the long run.
#include <iostream>
#include <random>

#include "core/base/soak_testing.h"
#include "core/packet/frames_testing.h"
#include "core/port/eal.h"
#include "modules/hash_lb.pb.h"
#include "modules/queue.pb.h"
#include "modules/random_split.pb.h"
#include "modules/random_update.pb.h"
#include "modules/replicate.pb.h"
#include "modules/rewrite.pb.h"
#include "modules/source.pb.h"
#include "modules/update.pb.h"
#include "tests/stress/stress_testing.h"

namespace bess {
namespace {

// Enough for every edit to happen many times, and quick under a sanitizer.
constexpr uint64_t kDefaultPackets = 2'000'000;
constexpr uint64_t kLeastEdits = 300;
constexpr uint32_t kPoolSize = 65535;

struct RealPool {
  RealPool() {
    auto eal = Eal::Start({.hugepages = EalOptions::Use::kNever, .pci = EalOptions::Use::kNever});
    EXPECT_TRUE(eal.ok()) << eal.status();
    eal_ = *std::move(eal);
    auto pool = PacketPool::Create("soak", PacketPool::Kind::kShareable, kPoolSize);
    EXPECT_TRUE(pool.ok()) << pool.status();
    pool_ = *std::move(pool);
  }

  std::unique_ptr<Eal> eal_;
  std::unique_ptr<PacketPool> pool_;
};

EngineOptions Options() {
  EngineOptions options;
  options.enter_worker = [] { EXPECT_TRUE(RegisterThread().ok()); };
  options.leave_worker = [] { UnregisterThread(); };
  return options;
}

class SoakTest : protected RealPool, public StressTest {
 protected:
  SoakTest() : StressTest(*pool_, Options()) {}

  void Build() {
    const std::vector<int> cores = AllowedCores();
    ASSERT_TRUE(engine_.AddWorker(0, cores.back(), "").ok());
    ASSERT_TRUE(engine_.AddWorker(1, cores.front(), "").ok());
    CreateEnds();
    CreateBranches();
    Wire();
  }

  // Two sources make UDP packets from random addresses.
  void CreateEnds() {
    Create("source_a", "Source", pb::SourceArg());
    Create("source_b", "Source", pb::SourceArg());
    Create("begin", "Merge");
    pb::RewriteArg frames;
    frames.add_templates(
        EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(1000, 2000, "soak"))));
    Create("frame", "Rewrite", frames);
    pb::RandomUpdateArg addresses;
    auto& field = *addresses.add_fields();
    field.set_offset(26);
    field.set_size(4);
    field.set_max(0xffffffff);
    Create("addresses", "RandomUpdate", addresses);
    Create("end", "Merge");
    Create("sink", "Sink", pb::EmptyArg());
  }

  void CreateBranches() {
    SpreadOver(4);
    Copy({0, 1});
    Create("queue_a", "Queue", pb::QueueArg());
    Create("queue_b", "Queue", pb::QueueArg());
    Create("ttl", "UpdateTTL");
    pb::RandomSplitArg lossy;
    lossy.set_drop_rate(0.1);
    lossy.add_gates(0);
    lossy.add_gates(1);
    Create("lossy", "RandomSplit", lossy);
    pb::RandomSplitArg again;
    again.add_gates(0);
    again.add_gates(1);
    Create("again", "RandomSplit", again);
    Create("round", "Merge");
    Create("pass_a", "Bypass", pb::BypassArg());
    Create("pass_b", "Bypass", pb::BypassArg());
    Create("swap", "MACSwap");
    Create("mark", "Update", pb::UpdateArg());
    Create("join", "Merge");
  }

  void Wire() {
    Connect("end", 0, "sink");
    Connect("spread", 0, "copy");
    Connect("copy", 0, "queue_a");
    Connect("copy", 1, "queue_b");
    Connect("queue_a", 0, "pass_a");
    Connect("queue_b", 0, "join");
    Connect("pass_a", 0, "join");
    Connect("join", 0, "end");
    Connect("spread", 1, "ttl");
    Connect("ttl", 0, "end");
    Connect("spread", 2, "lossy");
    Connect("lossy", 0, "swap");
    Connect("lossy", 1, "pass_b");
    Connect("swap", 0, "mark");
    Connect("mark", 0, "end");
    Connect("pass_b", 0, "end");
    Connect("spread", 3, "round");
    Connect("round", 0, "again");
    Connect("again", 0, "round");
    Connect("again", 1, "end");
    Connect("begin", 0, "frame");
    Connect("frame", 0, "addresses");
    Connect("addresses", 0, "spread");
    Connect("source_a", 0, "begin");
    Connect("source_b", 0, "begin");
  }

  // Makes the spreader, or changes how many branches it uses.
  void SpreadOver(int64_t branches) {
    pb::HashLBArg argument;
    argument.set_mode("l3");
    pb::HashLBCommandSetGatesArg gates;
    for (int64_t gate = 0; gate < branches; ++gate) {
      argument.add_gates(gate);
      gates.add_gates(gate);
    }
    if (made_spreader_) return Command("spread", "set_gates", gates);
    Create("spread", "HashLB", argument);
    made_spreader_ = true;
  }
  void Copy(const std::vector<int64_t>& to) {
    pb::ReplicateArg argument;
    pb::ReplicateCommandSetGatesArg gates;
    argument.mutable_gates()->Add(to.begin(), to.end());
    gates.mutable_gates()->Add(to.begin(), to.end());
    if (made_copier_) return Command("copy", "set_gates", gates);
    Create("copy", "Replicate", argument);
    made_copier_ = true;
  }

  void EditOnce() {
    switch (random_() % 9) {
      case 0:
        return InsertAndRemove("again", 0, "round");
      case 1:
        return InsertAndRemove("lossy", 1, "pass_b");
      case 2:
        return SpreadOver(1 + static_cast<int64_t>(random_() % 4));
      case 3:
        return Copy(random_() % 2 == 0 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, 1, 1});
      case 4:
        return ResizeQueue();
      case 5:
        return OpenAndCloseCycle();
      case 6:
        return ReplaceModule();
      case 7:
        return HookAndUnhook();
      default:
        return AddAndDropWorker();
    }
  }

  void ResizeQueue() {
    pb::QueueCommandSetSizeArg size;
    size.set_size(uint64_t{64} << (random_() % 6));
    Command(random_() % 2 == 0 ? "queue_a" : "queue_b", "set_size", size);
  }
  void OpenAndCloseCycle() {
    ASSERT_TRUE(engine_.Disconnect("again", 0).ok());
    Connect("again", 0, "round");
  }
  void ReplaceModule() {
    ASSERT_TRUE(engine_.DestroyModule("ttl").ok());
    Create("ttl", "UpdateTTL");
    Connect("spread", 1, "ttl");
    Connect("ttl", 0, "end");
  }
  void HookAndUnhook() {
    const HookTarget everywhere;
    ASSERT_TRUE(engine_.AddHook("Track", "soak", everywhere, {}).ok());
    ASSERT_TRUE(engine_.RemoveHook("Track", "soak", everywhere).ok());
  }

  uint64_t Consumed() { return Ledger().totals().consumed(); }

  bool made_spreader_ = false;
  bool made_copier_ = false;
  std::mt19937 random_{1};
};

TEST_F(SoakTest, EveryPacketHasAnEnd) {
  const uint64_t wanted = SoakPackets(kDefaultPackets);
  Build();
  uint64_t edits = 0;
  EditUntil([&] { return edits >= kLeastEdits && Consumed() >= wanted; },
            [&] {
              EditOnce();
              ++edits;
            });
  std::cout << Consumed() << " packets reached the sink during " << edits << " edits\n";
  ExpectConservation(*pool_);
}

}  // namespace
}  // namespace bess
