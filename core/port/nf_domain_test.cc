// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_domain.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing_ports::Pool;

TEST(NfDomainTest, BuffersAndPacketsGoTogether) {
  NfDomain domain(Pool());
  ASSERT_EQ(domain.buffers(), Pool().capacity());
  for (uint32_t buffer = 0; buffer < domain.buffers(); ++buffer) {
    ASSERT_EQ(domain.book().BufferOf(*domain.book().PacketOf(buffer)), buffer);
  }
}

// The largest buffers there are, and the most lines: where the division could be off by one.
TEST(NfDomainTest, LargeBuffersToo) {
  const auto pool = PacketPool::Create("large", PacketPool::Kind::kShareable, 1024, kMaxDataRoom);
  ASSERT_TRUE(pool.ok()) << pool.status();
  NfDomain domain(**pool);
  for (uint32_t buffer = 0; buffer < domain.buffers(); ++buffer) {
    ASSERT_EQ(domain.book().BufferOf(*domain.book().PacketOf(buffer)), buffer);
  }
}

TEST(NfDomainTest, KnowsItsOwnPackets) {
  NfDomain domain(Pool());
  Packet* packets[2];
  ASSERT_TRUE(Pool().Alloc(packets, 2, 60));
  EXPECT_TRUE(domain.book().Has(*packets[0]));
  AddSegment(*packets[0], packets[1]);
  EXPECT_FALSE(domain.book().Has(*packets[0])) << "a chain";
  FreePackets(packets, 1);
  const auto other = PacketPool::Create("other", PacketPool::Kind::kPlain, 1024);
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE((*other)->Alloc(packets, 1, 60));
  EXPECT_FALSE(domain.book().Has(*packets[0]));
  FreePackets(packets, 1);
}

TEST(NfDomainTest, OnlyTheOwnerGivesBackAndOnce) {
  NfDomain domain(Pool());
  const uint32_t one = NfDomain::NewOwner();
  const uint32_t other = NfDomain::NewOwner();
  EXPECT_NE(one, other);
  for (const bool contended : {false, true}) {
    EXPECT_FALSE(domain.book().TakeBack(7, one, contended)) << "the switch has it";
    domain.book().Lend(7, one);
    EXPECT_FALSE(domain.book().TakeBack(7, other, contended));
    EXPECT_FALSE(domain.book().TakeBack(8, one, contended));
    EXPECT_TRUE(domain.book().TakeBack(7, one, contended));
    EXPECT_FALSE(domain.book().TakeBack(7, one, contended));
  }
}

TEST(NfDomainTest, OneOfSeveralThreadsGetsABuffer) {
  NfDomain domain(Pool());
  const uint32_t owner = NfDomain::NewOwner();
  for (uint32_t buffer = 0; buffer < domain.buffers(); ++buffer) domain.book().Lend(buffer, owner);
  std::atomic<uint32_t> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (uint32_t buffer = 0; buffer < domain.buffers(); ++buffer) {
        if (domain.book().TakeBack(buffer, owner, /*contended=*/true)) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, domain.buffers());
}

TEST(NfDomainTest, ReclaimFreesWhatIsLeft) {
  NfDomain domain(Pool());
  const uint32_t one = NfDomain::NewOwner();
  const uint32_t other = NfDomain::NewOwner();
  Packet* packets[3];
  ASSERT_TRUE(Pool().Alloc(packets, 3, 60));
  domain.book().Lend(domain.book().BufferOf(*packets[0]), one);
  domain.book().Lend(domain.book().BufferOf(*packets[1]), one);
  domain.book().Lend(domain.book().BufferOf(*packets[2]), other);
  EXPECT_EQ(domain.Reclaim(one), 2u);
  EXPECT_EQ(domain.Reclaim(one), 0u);
  EXPECT_EQ(Pool().in_use(), 1u);
  EXPECT_EQ(domain.Reclaim(other), 1u);
  EXPECT_EQ(Pool().in_use(), 0u);
}

}  // namespace
}  // namespace bess
