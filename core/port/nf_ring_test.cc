// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

namespace bess {
namespace {

// Counts the loads of each place, and can change its mind after each.
class CountingMemory {
 public:
  template <typename T>
  T Load(uint64_t offset) const {
    ++(*loads_)[offset];
    const T value = PeerMemory(bytes_).Load<T>(offset);
    if (hostile_) Write<T>(offset, value + 0x10001);
    return value;
  }
  void Fetch(uint64_t /*offset*/) const {}
  void Copy(uint64_t offset, absl::Span<BessNfDescriptor> to) const {
    for (BessNfDescriptor& descriptor : to) {
      descriptor = std::bit_cast<BessNfDescriptor>(Load<uint64_t>(offset));
      offset += sizeof(descriptor);
    }
  }
  template <typename T>
  void Write(uint64_t offset, T value) const {
    std::atomic_ref(*reinterpret_cast<T*>(bytes_ + offset)).store(value);
  }

  char* bytes_ = nullptr;
  std::map<uint64_t, int>* loads_ = nullptr;
  bool hostile_ = false;
};

constexpr uint32_t kSlots = 8;
constexpr uint64_t kConsumerPart = 0;
constexpr uint64_t kProducerPart = sizeof(BessNfConsumerPart);

class NfRingTest : public testing::TestWithParam<uint32_t> {
 protected:
  using Producer = NfProducer<CountingMemory>;
  using Consumer = NfConsumer<CountingMemory>;

  // As if the ring had been used that often already.
  Producer MakeProducer(uint32_t start) {
    peer_.Write(kConsumerPart, start);
    OwnMemory(own_, 0).Store(0, start, std::memory_order_relaxed);
    return {OwnMemory(own_, 0), peer_, kConsumerPart, kSlots, start};
  }
  Consumer MakeConsumer(uint32_t start) {
    peer_.Write(kProducerPart, start);
    return {OwnMemory(own_, 0), peer_, kProducerPart, kSlots, start};
  }
  template <typename T>
  T Own(uint64_t offset) {
    return PeerMemory(own_).Load<T>(offset);
  }

  alignas(64) char own_[1024] = {};
  alignas(64) char theirs_[1024] = {};
  std::map<uint64_t, int> loads_;
  CountingMemory peer_{.bytes_ = theirs_, .loads_ = &loads_};
};

TEST_P(NfRingTest, ProducerFillsAndWrapsAround) {
  const uint32_t start = GetParam();
  Producer ring = MakeProducer(start);
  for (uint32_t round = 0; round < 5; ++round) {
    ASSERT_EQ(ring.Room(kSlots), kSlots);
    const Producer::Slots slots = ring.slots();
    for (uint32_t i = 0; i < kSlots; ++i) {
      slots.Put(i, {.buffer = round * kSlots + i, .length = 60});
    }
    ring.Put(1);
    ring.Put(kSlots - 1);
    EXPECT_EQ(Own<uint32_t>(0), start + round * kSlots) << "not before it is published";
    ring.Publish();
    EXPECT_EQ(Own<uint32_t>(0), start + (round + 1) * kSlots);
    EXPECT_EQ(ring.Room(1), 0u);
    const auto slot = std::bit_cast<BessNfDescriptor>(Own<uint64_t>(SlotOffset(start + 3, kSlots)));
    EXPECT_EQ(slot.buffer, round * kSlots + 3);
    peer_.Write(kConsumerPart, start + (round + 1) * kSlots);
  }
}

TEST_P(NfRingTest, ProducerRefusesAnImpossibleTail) {
  const uint32_t start = GetParam();
  for (const uint32_t lie : {start + 4, start - 1, start + 0x80000000u, start + kSlots}) {
    Producer ring = MakeProducer(start);
    ASSERT_TRUE(ring.Room(kSlots));
    ring.Put(3);
    ring.Publish();
    peer_.Write(kConsumerPart, lie);
    EXPECT_FALSE(ring.Room(kSlots)) << lie - start;
    peer_.Write(kConsumerPart, start + 3);
    EXPECT_EQ(ring.Room(kSlots), kSlots);
    peer_.Write(kConsumerPart, start + 2);
    EXPECT_EQ(ring.Room(1), kSlots) << "as long as that suffices, nobody asks";
  }
}

TEST_P(NfRingTest, ConsumerTakesWhatThereIsOnce) {
  const uint32_t start = GetParam();
  Consumer ring = MakeConsumer(start);
  EXPECT_EQ(ring.Available(), 0u);
  for (uint32_t i = 0; i < kSlots; ++i) {
    const BessNfDescriptor slot{.buffer = i, .offset = 128, .length = 64};
    peer_.Write(kProducerPart + SlotOffset(start + i, kSlots), std::bit_cast<uint64_t>(slot));
  }
  peer_.Write(kProducerPart, start + kSlots);
  loads_.clear();
  peer_.hostile_ = true;
  ring = Consumer(OwnMemory(own_, 0), peer_, kProducerPart, kSlots, start);
  ASSERT_EQ(ring.Available(), kSlots);
  std::array<BessNfDescriptor, kSlots> taken;
  ring.Take({taken.data(), 1});
  ring.Take({taken.data() + 1, kSlots - 1});
  for (uint32_t i = 0; i < kSlots; ++i) EXPECT_EQ(taken[i].buffer, i);
  ring.Release();
  EXPECT_EQ(Own<uint32_t>(0), start + kSlots);
  loads_.erase(kProducerPart);  // the head, which may be looked at whenever news are wanted
  EXPECT_EQ(loads_.size(), kSlots);
  for (const auto& [offset, count] : loads_) EXPECT_EQ(count, 1) << "fetched twice: " << offset;
}

TEST_P(NfRingTest, ConsumerRefusesAnImpossibleHead) {
  const uint32_t start = GetParam();
  for (const uint32_t lie : {start + kSlots + 1, start - 1, start + 0x80000000u}) {
    Consumer ring = MakeConsumer(start);
    peer_.Write(kProducerPart, lie);
    EXPECT_FALSE(ring.Available()) << lie - start;
  }
}

TEST_P(NfRingTest, ConsumerBelievesNoLieWhileItLooksAhead) {
  const uint32_t start = GetParam();
  Consumer ring = MakeConsumer(start);
  peer_.Write(kProducerPart, start + 2);
  ASSERT_EQ(ring.Available(), 2u);
  peer_.Write(kProducerPart, start + kSlots + 2);
  BessNfDescriptor taken;
  ring.Take({&taken, 1});
  EXPECT_EQ(ring.Available(), 1u) << "as many as there were";
  ring.Take({&taken, 1});
  EXPECT_EQ(ring.Available(), kSlots) << "by now it may be true";
  peer_.Write(kProducerPart, start + kSlots + 3);
  ring = Consumer(OwnMemory(own_, 0), peer_, kProducerPart, kSlots, start + 2);
  EXPECT_FALSE(ring.Available());
}

TEST_P(NfRingTest, EachSleepIsReportedOnce) {
  Producer ring = MakeProducer(GetParam());
  EXPECT_FALSE(ring.WentToSleep());
  peer_.Write(kConsumerPart + offsetof(BessNfConsumerPart, sleeps), 1u);
  EXPECT_TRUE(ring.WentToSleep());
  EXPECT_FALSE(ring.WentToSleep());
}

TEST_P(NfRingTest, ConsumerLooksAgainWhenItIsAsleep) {
  Consumer ring = MakeConsumer(GetParam());
  const uint64_t sleeps = offsetof(BessNfConsumerPart, sleeps);
  EXPECT_TRUE(ring.GoToSleep());
  EXPECT_EQ(Own<uint32_t>(sleeps), 1u);
  peer_.Write(kProducerPart, GetParam() + 1);
  EXPECT_FALSE(ring.GoToSleep()) << "something came";
  ASSERT_EQ(ring.Available(), 1u);
  BessNfDescriptor taken;
  ring.Take({&taken, 1});
  EXPECT_TRUE(ring.GoToSleep());
  EXPECT_EQ(Own<uint32_t>(sleeps), 3u);
}

INSTANTIATE_TEST_SUITE_P(Starts, NfRingTest, testing::Values(0u, 5u, ~0u - 2, 0x7ffffffeu));

}  // namespace
}  // namespace bess
