// SPDX-License-Identifier: Apache-2.0
#include "core/port/port_pools.h"

#include "core/base/status.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing_ports::Pool;

TEST(PortPoolsTest, PlainPoolsAreUsedAgain) {
  PortPools pools(Pool());
  PacketPool* first = nullptr;
  {
    auto plain = pools.TakePlain(2000);
    ASSERT_TRUE(plain.ok()) << plain.status();
    first = plain->get();
    auto other = pools.TakePlain(2000);
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_NE(other->get(), first) << "a pool is one port's";
  }
  auto again = pools.TakePlain(1500);
  ASSERT_TRUE(again.ok());
  auto larger = pools.TakePlain(3000);
  ASSERT_TRUE(larger.ok());
  EXPECT_GE(larger->get()->capacity(), 3000u);
}

TEST(PortPoolsTest, APoolMostOfWhichStillTravelsIsLeftAlone) {
  PortPools pools(Pool());
  PacketPool* first = nullptr;
  std::vector<Packet*> packets(1500);
  {
    auto plain = pools.TakePlain(2000);
    ASSERT_TRUE(plain.ok());
    first = plain->get();
    ASSERT_TRUE(first->Alloc(packets.data(), 1500, 60));
  }
  auto next = pools.TakePlain(2000);
  ASSERT_TRUE(next.ok());
  EXPECT_NE(next->get(), first);
  FreePackets(packets.data(), 1500);
}

TEST(PortPoolsTest, AllPoolsAreSeenWhoeverHasThem) {
  PortPools pools(Pool());
  const auto names = [&pools] {
    std::vector<std::string> seen;
    pools.VisitAll([&seen](const PacketPool& pool) { seen.push_back(pool.name()); });
    return seen;
  };
  EXPECT_EQ(names(), std::vector<std::string>{"test"});
  const auto kept = pools.TakePlain(2000);
  ASSERT_TRUE(kept.ok());
  ASSERT_TRUE(pools.TakePlain(2000).ok()) << "is given back at once";
  EXPECT_EQ(names(), (std::vector<std::string>{"test", "plain0", "plain1"}));
}

TEST(PortPoolsTest, DomainsAreMadeOnce) {
  PortPools pools(Pool());
  const auto common = pools.Domain("");
  ASSERT_TRUE(common.ok()) << common.status();
  EXPECT_EQ(&(*common)->pool(), &Pool());
  const auto blue = pools.Domain("blue");
  const auto red = pools.Domain("red");
  ASSERT_TRUE(blue.ok() && red.ok()) << blue.status() << red.status();
  EXPECT_NE(*blue, *red);
  EXPECT_NE(&(*blue)->pool(), &Pool());
  EXPECT_EQ(*pools.Domain("blue"), *blue);
  EXPECT_EQ(*pools.Domain(""), *common);
}

TEST(PortPoolsTest, APacketLeadsToItsPool) {
  PortPools pools(Pool());
  const auto blue = pools.Domain("blue");
  const auto plain = pools.TakePlain(2000);
  ASSERT_TRUE(blue.ok() && plain.ok()) << blue.status() << plain.status();
  for (PacketPool* pool : {&Pool(), &(*blue)->pool(), plain->get()}) {
    Packet* packet = nullptr;
    ASSERT_TRUE(pool->Alloc(&packet, 1, 60));
    EXPECT_EQ(&PacketPool::Of(*packet), pool);
    FreePackets(&packet, 1);
  }
}

TEST(PortPoolsTest, DomainsNeedPacketsThatCanBeShared) {
  const auto heap = PacketPool::CreateOnHeap();
  PortPools pools(*heap);
  EXPECT_EQ(StatusErrno(pools.Domain("").status()), ENOTSUP);
}

TEST(PortPoolsTest, PlainBuffersAreAsLargeAsTheOthers) {
  auto jumbo = PacketPool::Create("large", PacketPool::Kind::kShareable, 1024, 9728);
  ASSERT_TRUE(jumbo.ok()) << jumbo.status();
  PortPools pools(**jumbo);
  const auto plain = pools.TakePlain(1024);
  ASSERT_TRUE(plain.ok()) << plain.status();
  Packet* packet;
  ASSERT_TRUE(plain->get()->Alloc(&packet, 1, 9728));
  EXPECT_EQ(packet->tailroom(), 0);
  FreePackets(&packet, 1);
}

TEST(PortPoolsTest, SaysWhenThereIsNoMemory) {
  PortPools pools(Pool());
  const auto plain = pools.TakePlain(4'000'000);
  ASSERT_FALSE(plain.ok());
  EXPECT_EQ(StatusErrno(plain.status()), ENOMEM) << plain.status();
}

}  // namespace
}  // namespace bess
