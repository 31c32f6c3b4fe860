// SPDX-License-Identifier: Apache-2.0
#include "core/graph/packet_fifo.h"

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/graph/fake_host_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PacketFifoTest : public testing::Test {
 protected:
  struct Worker {
    explicit Worker(uint32_t id) : context(id), arena(4) {
      node.ledger = &ledger;
      context.Adopt(1, &arena);
    }
    uint64_t dropped() const {
      return ledger.dropped[static_cast<size_t>(DropReason::kQueueFull)].Get();
    }

    Context context;
    BatchArena arena;
    Ledger ledger;
    Node node;
  };

  void Put(Worker& worker, const std::vector<std::string>& packets) {
    worker.context.RunRoot(worker.node, [&](Context& context, Batch& batch) {
      for (const auto& bytes : packets) batch.Add(host_.pool().Make(bytes));
      fifo_.Put(context, batch);
      batch.clear();
      return 0;
    });
  }
  std::vector<std::string> Take(uint32_t n) {
    Batch batch;
    batch.set_size(fifo_.Take(batch.begin(), n));
    std::vector<std::string> packets;
    for (const Packet* packet : batch) packets.push_back(PacketBytes(*packet));
    FreeBatch(batch);
    return packets;
  }
  void TearDown() override { EXPECT_EQ(host_.pool().in_use(), 0u); }

  FakeHost host_;
  PacketFifo fifo_{4};
};

TEST_F(PacketFifoTest, CountsWhatComesAndGoes) {
  Worker one(0), other(63);
  Put(one, {"a", "b"});
  Put(other, {"c"});
  EXPECT_EQ(fifo_.held(), 3u);
  EXPECT_THAT(Take(2), ElementsAre("a", "b"));
  EXPECT_EQ(fifo_.enqueued(), 3u);
  EXPECT_EQ(fifo_.dequeued(), 2u);
  EXPECT_EQ(fifo_.held(), 1u);
  EXPECT_THAT(Take(64), ElementsAre("c"));
  EXPECT_THAT(Take(64), IsEmpty());
}

TEST_F(PacketFifoTest, DropsWhatThereIsNoRoomFor) {
  Worker worker(0);
  Put(worker, {"a", "b", "c", "d", "e", "f"});
  EXPECT_EQ(worker.dropped(), 2u);
  EXPECT_THAT(Take(64), ElementsAre("a", "b", "c", "d"));
}

TEST_F(PacketFifoTest, DiscardsAllItHolds) {
  Worker worker(0);
  Put(worker, {"a", "b"});
  EXPECT_TRUE(fifo_.Resize(host_, 128).ok());
  Put(worker, std::vector<std::string>(64, "c"));
  Put(worker, {"d"});
  EXPECT_EQ(fifo_.Discard(), 67u);
  EXPECT_EQ(fifo_.held(), 0u);
}

TEST_F(PacketFifoTest, TwoTakersAtOnceLoseNothing) {
  constexpr uint64_t kPackets = 2000;
  std::atomic<uint64_t> taken{0};
  const auto take = [&] {
    while (taken < kPackets) {
      taken += Take(3).size();
      std::this_thread::yield();
    }
  };
  std::thread first(take), second(take);
  Worker worker(0);
  for (uint64_t i = 0; i < kPackets; ++i) {
    while (fifo_.held() == 4) std::this_thread::yield();
    Put(worker, {"a"});
  }
  first.join();
  second.join();
  EXPECT_EQ(worker.dropped(), 0u);
  EXPECT_EQ(fifo_.held(), 0u);
}

}  // namespace
}  // namespace bess
