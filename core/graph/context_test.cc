// SPDX-License-Identifier: Apache-2.0
#include "core/graph/context.h"

#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "core/graph/graph_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A root, and behind its gates 0..n-1 nodes that write down what they get. A gate may be empty.
class ContextTest : public testing::Test {
 protected:
  static constexpr uint32_t kGates = 4;

  struct Collector {
    std::vector<uint64_t> ids;
    std::vector<uint32_t> sizes;  // of the batches
  };

  ContextTest() { Wire(1000); }
  ~ContextTest() override { EXPECT_EQ(pool_->in_use(), 0u) << "packets were leaked"; }

  void Wire(size_t batches) {
    arena_ = std::make_unique<BatchArena>(batches);
    arena_size_ = batches;
    for (uint32_t gate = 0; gate < kGates; ++gate) {
      nodes_[gate] = {.process = &Collect, .self = &collectors_[gate], .ledger = &unused_};
      nodes_[gate].rank = gate;
      out_[gate] = &nodes_[gate];
    }
    root_ = {.ledger = &ledger_, .out = out_, .num_out = kGates, .rank = kGates};
    context_.Adopt(std::size(nodes_), arena_.get());
  }
  static void Collect(void* self, Context&, Batch& batch) {
    auto& collector = *static_cast<Collector*>(self);
    for (const Packet* packet : batch) collector.ids.push_back(ReadTag(*packet).id);
    collector.sizes.push_back(batch.size());
    FreeBatch(batch);
  }

  Packet* Make() { return MakeTagged(*pool_, next_id_++); }
  // Runs `act` as the root, given a batch of n packets.
  void Run(uint32_t n, const std::function<void(Context&, Batch&)>& act) {
    context_.RunRoot(root_, [&](Context& context, Batch& batch) {
      for (uint32_t i = 0; i < n; ++i) batch.Add(Make());
      act(context, batch);
      return 0;
    });
    CheckArena();
  }
  // Every batch is back where it came from.
  void CheckArena() {
    std::vector<Batch*> taken;
    while (Batch* batch = arena_->Take()) taken.push_back(batch);
    EXPECT_EQ(taken.size(), arena_size_);
    for (Batch* batch : taken) arena_->Put(batch);
  }
  uint64_t dropped(DropReason reason) const {
    return ledger_.dropped[static_cast<size_t>(reason)].Get();
  }
  const std::vector<uint64_t>& Got(uint32_t gate) const { return collectors_[gate].ids; }

  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap(1 << 20);
  std::unique_ptr<BatchArena> arena_;
  size_t arena_size_ = 0;
  Collector collectors_[kGates];
  Node nodes_[kGates + 1];  // by rank, the root last
  Node* out_[kGates];
  Node& root_ = nodes_[kGates];
  Ledger ledger_;
  Ledger unused_;
  Context context_{5};
  uint64_t next_id_ = 0;
};

TEST(VerdictTest, GatesReasonsAndNonsense) {
  EXPECT_FALSE(Verdict::Gate(0).is_drop());
  EXPECT_EQ(Verdict::Gate(kMaxGates - 1).gate(), kMaxGates - 1);
  EXPECT_EQ(Verdict::Drop(DropReason::kDenied).reason(), DropReason::kDenied);
  EXPECT_TRUE(Verdict::Drop(DropReason::kDeadEnd).is_drop());
  EXPECT_EQ(Verdict::Gate(0x8000).reason(), DropReason::kNoGate);
  EXPECT_EQ(Verdict::Gate(UINT32_MAX).reason(), DropReason::kNoGate);
  EXPECT_EQ(Verdict(), Verdict::Drop(DropReason::kNoGate));
}

TEST_F(ContextTest, EmitSendsAll) {
  Run(3, [](Context& context, Batch& batch) { context.Emit(2, batch); });
  EXPECT_THAT(Got(2), ElementsAre(0, 1, 2));
  EXPECT_EQ(context_.worker(), 5u);
}

TEST_F(ContextTest, AnEmptyBatchGoesNowhere) {
  Run(0, [](Context& context, Batch& batch) { context.Emit(2, batch); });
  Run(0, [](Context& context, Batch& batch) { context.Deliver(batch, nullptr); });
  EXPECT_THAT(collectors_[2].sizes, IsEmpty());
}

TEST_F(ContextTest, GatesThatLeadNowhereAreDeadEnds) {
  out_[1] = nullptr;
  Run(3, [](Context& context, Batch& batch) { context.Emit(1, batch); });
  Run(3, [](Context& context, Batch& batch) { context.Emit(kGates, batch); });
  Run(2, [](Context& context, Batch& batch) {
    context.EmitOne(1, batch[0]);
    context.EmitOne(999, batch[1]);
    batch.clear();
  });
  EXPECT_EQ(dropped(DropReason::kDeadEnd), 8u);
}

TEST_F(ContextTest, DeliverCarriesOutEachVerdict) {
  Run(10, [](Context& context, Batch& batch) {
    std::vector<Verdict> verdicts(10, Verdict::Gate(0));
    verdicts[1] = verdicts[4] = Verdict::Gate(3);
    verdicts[2] = Verdict::Drop(DropReason::kDenied);
    verdicts[3] = Verdict::Drop(DropReason::kTtlExpired);
    verdicts[5] = Verdict::Gate(kGates);
    verdicts[6] = Verdict::Gate(70000);
    verdicts[9] = Verdict::Drop(DropReason::kDenied);
    context.Deliver(batch, verdicts.data());
    EXPECT_TRUE(batch.empty());
  });
  EXPECT_THAT(Got(0), ElementsAre(0, 7, 8));
  EXPECT_THAT(Got(3), ElementsAre(1, 4));
  EXPECT_EQ(dropped(DropReason::kDenied), 2u);
  EXPECT_EQ(dropped(DropReason::kTtlExpired), 1u);
  EXPECT_EQ(dropped(DropReason::kDeadEnd), 1u);
  EXPECT_EQ(dropped(DropReason::kNoGate), 1u);
}

TEST_F(ContextTest, DeliverOfOneVerdictHandsTheBatchOn) {
  for (const uint32_t n : {1u, 2u, kBatchSize}) {
    Run(n, [](Context& context, Batch& batch) {
      const std::vector<Verdict> verdicts(kBatchSize, Verdict::Gate(1));
      context.Deliver(batch, verdicts.data());
    });
    EXPECT_EQ(collectors_[1].sizes.back(), n);
    Run(n, [](Context& context, Batch& batch) {
      const std::vector<Verdict> verdicts(kBatchSize, Verdict::Drop(DropReason::kNoMatch));
      context.Deliver(batch, verdicts.data());
    });
  }
  EXPECT_EQ(dropped(DropReason::kNoMatch), 3u + kBatchSize);
}

TEST_F(ContextTest, DeliverKeepsTheOrderWithinEachGateLikeASlowOne) {
  std::mt19937 rng(2);
  std::vector<uint64_t> wanted[kGates];
  uint64_t lost = 0;
  for (uint32_t run = 0; run < 20 * kBatchSize; ++run) {
    const uint32_t n = 1 + run % kBatchSize;
    const uint64_t first = next_id_;
    const uint32_t kinds = 1 + rng() % (kGates + 2);
    std::vector<Verdict> verdicts;  // exactly n, so that ASan sees more being read
    for (uint32_t i = 0; i < n; ++i) {
      const auto kind = static_cast<uint32_t>(rng() % kinds);
      verdicts.push_back(kind <= kGates ? Verdict::Gate(kind) : Verdict::Drop(DropReason::kDenied));
      if (kind < kGates) wanted[kind].push_back(first + i);
      lost += kind < kGates ? 0 : 1;
    }
    Run(n, [&](Context& context, Batch& batch) { context.Deliver(batch, verdicts.data()); });
  }
  for (uint32_t gate = 0; gate < kGates; ++gate) EXPECT_EQ(Got(gate), wanted[gate]) << gate;
  EXPECT_EQ(dropped(DropReason::kDenied) + dropped(DropReason::kDeadEnd), lost);
}

TEST_F(ContextTest, DeliverKeepsTheOrderOfGatesThatLeadToOneNode) {
  out_[1] = out_[3] = &nodes_[0];
  Run(kBatchSize, [](Context& context, Batch& batch) {
    std::vector<Verdict> verdicts;
    for (uint32_t i = 0; i < kBatchSize; ++i) verdicts.push_back(Verdict::Gate(i % kGates));
    context.Deliver(batch, verdicts.data());
  });
  EXPECT_EQ(Got(0).size(), 3 * kBatchSize / 4);
  EXPECT_TRUE(std::is_sorted(Got(0).begin(), Got(0).end()));
}

TEST_F(ContextTest, DroppedPacketsAreFreedWhenTheRunEnds) {
  Run(kBatchSize, [&](Context& context, Batch& batch) {
    for (int i = 0; i < 100; ++i) context.DropOne(Make(), DropReason::kDenied);
    context.Drop(batch, DropReason::kMalformed);
    EXPECT_TRUE(batch.empty());
  });
  EXPECT_EQ(pool_->in_use(), 0u);
  EXPECT_EQ(dropped(DropReason::kDenied), 100u);
  EXPECT_EQ(dropped(DropReason::kMalformed), kBatchSize);
}

TEST_F(ContextTest, SinglePacketsFillBatches) {
  Run(0, [&](Context& context, Batch&) {
    for (int i = 0; i < 150; ++i) context.EmitOne(1, Make());
  });
  EXPECT_THAT(collectors_[1].sizes, ElementsAre(64, 64, 22));
  EXPECT_TRUE(std::is_sorted(Got(1).begin(), Got(1).end()));
}

TEST_F(ContextTest, ABatchBehindSinglePacketsStaysBehind) {
  Run(10, [&](Context& context, Batch& batch) {
    std::vector<Packet*> own(batch.begin(), batch.end());
    batch.clear();
    for (Packet* packet : own) context.EmitOne(0, packet);
    for (int i = 0; i < 60; ++i) batch.Add(Make());
    context.Emit(0, batch);
  });
  EXPECT_THAT(collectors_[0].sizes, ElementsAre(64, 6));
  EXPECT_TRUE(std::is_sorted(Got(0).begin(), Got(0).end()));
}

TEST_F(ContextTest, SinglePacketsBehindABatchStayBehind) {
  for (const uint32_t n : {10u, 63u, kBatchSize}) {
    Run(n, [&](Context& context, Batch& batch) {
      context.Emit(0, batch);
      for (int i = 0; i < 70; ++i) context.EmitOne(0, Make());
    });
    EXPECT_TRUE(std::is_sorted(Got(0).begin(), Got(0).end())) << n;
  }
  EXPECT_EQ(Got(0).size(), 10u + 63 + 64 + 3 * 70);
}

TEST_F(ContextTest, ABatchBetweenSinglePacketsStaysBetween) {
  Run(0, [&](Context& context, Batch& batch) {
    for (int i = 0; i < 5; ++i) context.EmitOne(0, Make());
    for (int i = 0; i < 20; ++i) batch.Add(Make());
    context.Emit(0, batch);
    for (int i = 0; i < 5; ++i) context.EmitOne(0, Make());
  });
  EXPECT_THAT(collectors_[0].sizes, ElementsAre(30));
  EXPECT_TRUE(std::is_sorted(Got(0).begin(), Got(0).end()));
}

TEST_F(ContextTest, WithoutBatchesLeftPacketsAreOverload) {
  Wire(3);  // one for the root, two for what it sends
  Run(0, [&](Context& context, Batch&) {
    for (int i = 0; i < 300; ++i) context.EmitOne(0, Make());
    context.EmitOne(1, Make());
  });
  EXPECT_EQ(Got(0).size(), 128u);
  EXPECT_THAT(Got(1), IsEmpty());
  EXPECT_EQ(dropped(DropReason::kOverload), 301u - 128);
  Run(5, [](Context& context, Batch& batch) { context.Emit(0, batch); });
  EXPECT_EQ(Got(0).size(), 133u) << "afterwards there are batches again";
}

TEST_F(ContextTest, ABatchInHandNeedsNoOther) {
  Wire(1);
  Run(kBatchSize, [](Context& context, Batch& batch) { context.Emit(3, batch); });
  EXPECT_EQ(Got(3).size(), kBatchSize);
}

TEST_F(ContextTest, FullBatchesRunFirstAndDeepestFirst) {
  std::vector<uint32_t> order;
  struct Logger {
    std::vector<uint32_t>* order;
    uint32_t gate;
  } loggers[kGates];
  for (uint32_t gate = 0; gate < kGates; ++gate) {
    loggers[gate] = {&order, gate};
    nodes_[gate].self = &loggers[gate];
    nodes_[gate].process = [](void* self, Context&, Batch& batch) {
      static_cast<Logger*>(self)->order->push_back(static_cast<Logger*>(self)->gate);
      FreeBatch(batch);
    };
  }
  Run(0, [&](Context& context, Batch&) {
    for (const uint32_t gate : {3, 0}) context.EmitOne(gate, Make());
    for (const uint32_t gate : {1, 2}) {
      for (uint32_t i = 0; i < kBatchSize; ++i) context.EmitOne(gate, Make());
    }
  });
  EXPECT_THAT(order, ElementsAre(2, 1, 0, 3)) << "partial ones upstream first, to fill up";
}

TEST_F(ContextTest, WhatComesInGoesOutOrIsDropped) {
  std::mt19937 rng(1);
  uint64_t made = 0;
  for (int run = 0; run < 300; ++run) {
    Wire(2 + rng() % 6);
    const uint32_t n = rng() % (kBatchSize + 1);
    Run(n, [&](Context& context, Batch& batch) {
      for (uint32_t extra = rng() % 200; extra > 0; --extra, ++made) {
        context.EmitOne(static_cast<uint32_t>(rng() % (kGates + 1)), Make());
      }
      Verdict verdicts[kBatchSize];
      for (Verdict& verdict : verdicts) {
        verdict = rng() % 5 == 0 ? Verdict::Drop(DropReason::kDenied)
                                 : Verdict::Gate(static_cast<uint32_t>(rng() % (kGates + 1)));
      }
      context.Deliver(batch, verdicts);
    });
    made += n;
    EXPECT_EQ(pool_->in_use(), 0u);
  }
  uint64_t ended = 0;
  for (const auto& counter : ledger_.dropped) ended += counter.Get();
  EXPECT_GT(dropped(DropReason::kOverload), 0u);
  for (const Collector& collector : collectors_) ended += collector.ids.size();
  EXPECT_EQ(ended, made);
}

TEST_F(ContextTest, AttributesLieWhereTheNodeSays) {
  const int16_t offsets[] = {8, kNoReader, kNoWriter};
  root_.offsets = offsets;
  Run(1, [](Context& context, Batch& batch) {
    Packet& packet = *batch[0];
    EXPECT_EQ(context.attribute(0).Write(packet), packet.metadata() + 8);
    EXPECT_EQ(context.attribute(0).Read(packet), packet.metadata() + 8);
    for (const uint32_t index : {1, 2}) {
      EXPECT_EQ(context.attribute(index).Write(packet), nullptr);
      for (size_t i = 0; i < kMaxAttributeSize; ++i) {
        EXPECT_EQ(context.attribute(index).Read(packet)[i], 0);
      }
    }
    context.Emit(0, batch);
  });
}

TEST_F(ContextTest, TheClockIsThatOfTheRound) {
  context_.BeginRound(1234);
  Run(0, [](Context& context, Batch&) { EXPECT_EQ(context.now(), 1234u); });
}

}  // namespace
}  // namespace bess
