// SPDX-License-Identifier: Apache-2.0
#include "core/graph/packet_ring.h"

#include <gmock/gmock.h>

#include <array>
#include <deque>
#include <string>
#include <thread>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/graph/fake_host_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;

// Retires late: when the test says so, or when two producers have each passed a point at which
// they hold no reference.
class LateHost final : public Host {
 public:
  PacketPool& pool() override { return *pool_; }
  absl::StatusOr<std::unique_ptr<PortLease>> LeasePort(std::string_view, Direction,
                                                       std::string_view, uint64_t) override {
    return Error(ENOENT, "no ports here");
  }
  void Retire(std::function<void()> free) override {
    retired_.push_back({{passes[0].load(), passes[1].load()}, std::move(free)});
  }
  void Reap() {
    while (!retired_.empty() && Passed(0) && Passed(1)) ReapOne();
  }
  void ReapOne() {
    retired_.front().free();
    retired_.pop_front();
  }

  static constexpr uint64_t kGone = ~uint64_t{0};
  std::array<std::atomic<uint64_t>, 2> passes{};

 private:
  bool Passed(size_t producer) const {
    const uint64_t now = passes[producer].load();
    return now == kGone || now > retired_.front().seen[producer];
  }

  struct Retired {
    std::array<uint64_t, 2> seen;
    std::function<void()> free;
  };
  std::unique_ptr<PacketPool> pool_ = PacketPool::CreateOnHeap();
  std::deque<Retired> retired_;
};

class PacketRingTest : public testing::Test {
 protected:
  // How many of these packets go in; the others are freed.
  uint32_t Put(const std::vector<std::string>& packets) {
    std::vector<Packet*> made;
    for (const auto& bytes : packets) made.push_back(host_.pool().Make(bytes));
    const uint32_t put = ring_.Put(made.data(), static_cast<uint32_t>(made.size()));
    FreePackets(made.data() + put, static_cast<uint32_t>(made.size()) - put);
    return put;
  }
  std::vector<std::string> Take(uint32_t n) {
    std::vector<Packet*> taken(n);
    taken.resize(ring_.Take(taken.data(), n));
    std::vector<std::string> packets;
    for (const Packet* packet : taken) packets.push_back(PacketBytes(*packet));
    FreePackets(taken.data(), static_cast<uint32_t>(taken.size()));
    return packets;
  }
  void TearDown() override { EXPECT_EQ(host_.pool().in_use(), 0u); }

  LateHost host_;
  ResizableRing ring_{4};
};

TEST_F(PacketRingTest, HasRoomForExactlyItsSize) {
  EXPECT_EQ(Put({"a", "b", "c", "d", "e"}), 4u);
  EXPECT_EQ(Put({"f"}), 0u);
  EXPECT_THAT(Take(1), ElementsAre("a"));
  EXPECT_EQ(Put({"g", "h"}), 1u);
  EXPECT_THAT(Take(64), ElementsAre("b", "c", "d", "g"));
  EXPECT_THAT(Take(64), ElementsAre());
}

TEST_F(PacketRingTest, LosesNothingWhenItShrinks) {
  EXPECT_TRUE(ring_.Resize(host_, 16).ok());
  EXPECT_EQ(Put({"a", "b", "c", "d", "e", "f"}), 6u);
  EXPECT_TRUE(ring_.Resize(host_, 4).ok());
  EXPECT_EQ(Put({"g", "h", "i", "j", "k"}), 4u);
  EXPECT_THAT(Take(64), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_THAT(Take(64), ElementsAre());  // somebody may still put a packet into the first ring
  host_.ReapOne();
  EXPECT_THAT(Take(64), ElementsAre());
  EXPECT_THAT(Take(3), ElementsAre("g", "h", "i"));
  EXPECT_THAT(Take(64), ElementsAre("j"));
}

TEST_F(PacketRingTest, GoesOnBeforeTheOldRingIsSealed) {
  EXPECT_EQ(Put({"a"}), 1u);
  EXPECT_TRUE(ring_.Resize(host_, 8).ok());
  EXPECT_EQ(Put({"b", "c"}), 2u);
  EXPECT_THAT(Take(2), ElementsAre("a", "b"));
  EXPECT_THAT(Take(2), ElementsAre("c"));
  host_.ReapOne();
  EXPECT_EQ(Put({"d"}), 1u);
  EXPECT_THAT(Take(2), ElementsAre("d"));
  EXPECT_THAT(Take(2), ElementsAre());
}

TEST_F(PacketRingTest, BoundsWhatAnEagerClientCanMakeItKeep) {
  for (int i = 0; i < 63; ++i) EXPECT_TRUE(ring_.Resize(host_, i % 2 == 0 ? 8 : 4).ok()) << i;
  EXPECT_EQ(StatusErrno(ring_.Resize(host_, 16)), EBUSY);
  for (int i = 0; i < 63; ++i) {
    host_.ReapOne();
    EXPECT_THAT(Take(1), ElementsAre());
  }
  EXPECT_TRUE(ring_.Resize(host_, 16).ok());
}

// Two producers, each of which expects its packets to come out in order, a consumer, and a control
// thread that never stops changing the size.
TEST_F(PacketRingTest, KeepsEveryPacketAndEachProducersOrderUnderChange) {
  constexpr uint32_t kEach = 5000;
  const auto produce = [&](uint32_t producer) {
    for (uint32_t i = 0; i < kEach;) {
      std::string bytes(8, '\0');
      StoreUnaligned(bytes.data(), producer);
      StoreUnaligned(bytes.data() + 4, i);
      Packet* packet = host_.pool().Make(bytes);
      while (ring_.Put(&packet, 1) == 0) {
        host_.passes[producer].fetch_add(1);
        std::this_thread::yield();
      }
      host_.passes[producer].fetch_add(1);
      ++i;
    }
    host_.passes[producer] = LateHost::kGone;
  };
  std::atomic<bool> done{false};
  std::thread control([&] {
    for (uint32_t size = 4; !done; size = size == 64 ? 4 : size * 2) {
      EXPECT_THAT(StatusErrno(ring_.Resize(host_, size)), testing::AnyOf(0, EBUSY));
      host_.Reap();
      std::this_thread::yield();
    }
  });
  std::thread first(produce, 0), second(produce, 1);
  std::array<uint32_t, 2> next{};
  while (next[0] + next[1] < 2 * kEach) {
    for (const std::string& bytes : Take(7)) {
      const auto producer = LoadUnaligned<uint32_t>(bytes.data());
      ASSERT_EQ(LoadUnaligned<uint32_t>(bytes.data() + 4), next[producer]);
      ++next[producer];
    }
    std::this_thread::yield();
  }
  first.join();
  second.join();
  done = true;
  control.join();
  EXPECT_THAT(Take(1), ElementsAre());
}

}  // namespace
}  // namespace bess
