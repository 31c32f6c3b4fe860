// SPDX-License-Identifier: Apache-2.0
#include "core/port/port_pools.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <optional>

#include "core/base/status.h"
#include "core/port/nf_testing.h"
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
  EXPECT_EQ(&common->get()->pool(), &Pool());
  const auto blue = pools.Domain("blue");
  const auto red = pools.Domain("red");
  ASSERT_TRUE(blue.ok() && red.ok()) << blue.status() << red.status();
  EXPECT_NE(blue->get(), red->get());
  EXPECT_NE(&blue->get()->pool(), &Pool());
  EXPECT_EQ(pools.Domain("blue")->get(), blue->get());
  EXPECT_EQ(pools.Domain("")->get(), common->get());
}

std::vector<std::string> Names(const PortPools& pools) {
  std::vector<std::string> names;
  pools.VisitAll([&names](const PacketPool& pool) { names.push_back(pool.name()); });
  return names;
}

TEST(PortPoolsTest, OfADomainThatNeverServedNothingIsLeft) {
  PortPools pools(Pool());
  for (int i = 0; i < 30; ++i) {
    const auto refused = pools.Domain("domain" + std::to_string(i));
    ASSERT_TRUE(refused.ok()) << refused.status();
    EXPECT_THAT(Names(pools), testing::SizeIs(2));
  }
  EXPECT_THAT(Names(pools), testing::ElementsAre("test"));
}

// Bytes of a file that are in memory.
uint64_t Resident(int fd) {
  struct stat found {};
  EXPECT_EQ(fstat(fd, &found), 0);
  return static_cast<uint64_t>(found.st_blocks) * 512;
}

TEST(PortPoolsTest, ADomainOutOfUseGivesItsMemoryBackAndIsUsedAgain) {
  PortPools pools(Pool());
  NfDomain* first = nullptr;
  for (const std::string name : {"blue", "red", "red", "green", "blue"}) {
    auto lease = pools.Domain(name);
    ASSERT_TRUE(lease.ok()) << lease.status();
    lease->Serve();
    if (first == nullptr) first = lease->get();
    EXPECT_EQ(lease->get(), first);
    PacketPool& pool = lease->get()->pool();
    EXPECT_EQ(pool.name(), "domain_" + name);
    EXPECT_EQ(Resident(pool.memfd()), 0u);
    Packet* packet = nullptr;
    ASSERT_TRUE(pool.Alloc(&packet, 1, 60));
    EXPECT_EQ(packet->data()[0], 0) << "what the one before wrote";
    std::memset(packet->data(), 'x', 60);
    EXPECT_GT(Resident(pool.memfd()), 0u);
    FreePackets(&packet, 1);
  }
  EXPECT_THAT(Names(pools), testing::ElementsAre("test", "domain_blue"));
}

// Who maps the memory of a domain sees nothing of the next one.
TEST(PortPoolsTest, WhoKeepsTheMemoryOfADomainSeesNothingOfItsSuccessor) {
  PortPools pools(Pool());
  std::optional<testing_nf::Mapping> spy;
  {
    auto blue = pools.Domain("blue");
    ASSERT_TRUE(blue.ok()) << blue.status();
    blue->Serve();
    spy.emplace(blue->get()->pool().memfd());
  }
  auto red = pools.Domain("red");
  ASSERT_TRUE(red.ok()) << red.status();
  Packet* packet = nullptr;
  ASSERT_TRUE(red->get()->pool().Alloc(&packet, 1, 9));
  std::memcpy(packet->data(), "of the red", 9);
  EXPECT_EQ(std::string_view(spy->start(), spy->size()).find("of the re"), std::string_view::npos);
  FreePackets(&packet, 1);
}

TEST(PortPoolsTest, ADomainWhosePacketsTravelIsLeftAlone) {
  PortPools pools(Pool());
  Packet* packet = nullptr;
  {
    auto blue = pools.Domain("blue");
    ASSERT_TRUE(blue.ok()) << blue.status();
    blue->Serve();
    ASSERT_TRUE(blue->get()->pool().Alloc(&packet, 1, 5));
    std::memcpy(packet->data(), "alive", 5);
  }
  {
    const auto red = pools.Domain("red");
    ASSERT_TRUE(red.ok()) << red.status();
    EXPECT_NE(&red->get()->pool(), &PacketPool::Of(*packet));
    EXPECT_EQ(testing_ports::Bytes(*packet), "alive");
  }
  const PacketPool& old = PacketPool::Of(*packet);
  FreePackets(&packet, 1);
  const auto green = pools.Domain("green");
  ASSERT_TRUE(green.ok()) << green.status();
  EXPECT_EQ(&green->get()->pool(), &old);
}

TEST(PortPoolsTest, APacketLeadsToItsPool) {
  PortPools pools(Pool());
  const auto blue = pools.Domain("blue");
  const auto plain = pools.TakePlain(2000);
  ASSERT_TRUE(blue.ok() && plain.ok()) << blue.status() << plain.status();
  for (PacketPool* pool : {&Pool(), &blue->get()->pool(), plain->get()}) {
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
