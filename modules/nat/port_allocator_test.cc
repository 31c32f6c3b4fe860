// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/port_allocator.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

namespace bess::nat {
namespace {

using testing::ElementsAre;

constexpr uint32_t kA = 0xc0000201, kB = 0xc0000202;

// All that is left, as {address, port}.
std::multiset<std::pair<uint32_t, int>> TakeAll(PortAllocator& ports, Protocol protocol,
                                                uint32_t host = 0) {
  std::multiset<std::pair<uint32_t, int>> taken;
  while (const auto end = ports.Take(protocol, host)) {
    taken.insert({end->address().value(), end->port().value()});
    if (taken.size() > 1 << 20) break;
  }
  return taken;
}

TEST(PortAllocatorTest, GivesEachPortOnce) {
  PortAllocator ports({{kA, {{10, 13}, {12, 14}, {20, 21}}}}, 1);
  EXPECT_EQ(ports.free(Protocol::kTcp), 5u);
  EXPECT_EQ(ports.total(), 15u);
  EXPECT_THAT(TakeAll(ports, Protocol::kTcp),
              ElementsAre(std::pair(kA, 10), std::pair(kA, 11), std::pair(kA, 12),
                          std::pair(kA, 13), std::pair(kA, 20)));
  EXPECT_EQ(ports.free(Protocol::kTcp), 0u);
  EXPECT_EQ(ports.free(Protocol::kUdp), 5u);
}

TEST(PortAllocatorTest, TakesBackWhatItGave) {
  PortAllocator ports({{kA, {{10, 12}}}}, 1);
  TakeAll(ports, Protocol::kUdp);
  for (int i = 0; i < 100; ++i) {
    ports.Give(Endpoint(Be32(kA), Be16(11), Protocol::kUdp));
    EXPECT_THAT(TakeAll(ports, Protocol::kUdp), ElementsAre(std::pair(kA, 11)));
  }
}

TEST(PortAllocatorTest, KeepsSuspendedPortsBackWhateverTheOrder) {
  PortAllocator ports({{kA, {{10, 12, true}, {11, 14}, {13, 20, true}}}}, 1);
  EXPECT_THAT(TakeAll(ports, Protocol::kTcp), ElementsAre(std::pair(kA, 12)));
}

TEST(PortAllocatorTest, NeverGivesPortZero) {
  PortAllocator all({{kA, {{0, 65536}}}}, 1);
  const auto taken = TakeAll(all, Protocol::kIcmp);
  EXPECT_EQ(taken.size(), 65535u);
  EXPECT_EQ(taken.begin()->second, 1);
  EXPECT_EQ(taken.rbegin()->second, 65535);
  PortAllocator none({{kA, {{0, 1}}}}, 1);
  EXPECT_FALSE(none.Take(Protocol::kTcp, 0));
}

// Addresses that are given in falling order have kept their ranges, too.
TEST(PortAllocatorTest, EachAddressHasItsOwnRanges) {
  PortAllocator ports({{kB, {{20, 22}}}, {kA, {{10, 11}}}}, 1);
  EXPECT_THAT(TakeAll(ports, Protocol::kTcp),
              ElementsAre(std::pair(kA, 10), std::pair(kB, 20), std::pair(kB, 21)));
}

TEST(PortAllocatorTest, AHostKeepsItsAddressWhileThatHasPorts) {
  PortAllocator ports({{kA, {{1, 101}}}, {kB, {{1, 101}}}}, 1);
  for (const auto& [host, address] : std::map<uint32_t, uint32_t>{{0, kA}, {UINT32_MAX, kB}}) {
    const uint32_t other = address == kA ? kB : kA;
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(ports.Take(Protocol::kTcp, host)->address().value(), address);
    }
    EXPECT_EQ(ports.Take(Protocol::kUdp, host)->address().value(), address);
    const auto borrowed = ports.Take(Protocol::kTcp, host);
    EXPECT_EQ(borrowed->address().value(), other);
    ports.Give(Endpoint(Be32(address), Be16(50), Protocol::kTcp));
    EXPECT_EQ(*ports.Take(Protocol::kTcp, host), Endpoint(Be32(address), Be16(50), Protocol::kTcp));
    for (uint16_t port = 1; port <= 100; ++port) {
      ports.Give(Endpoint(Be32(address), Be16(port), Protocol::kTcp));
    }
    ports.Give(*borrowed);
  }
}

// Many addresses open and close in changing order; nothing is lost or given twice.
TEST(PortAllocatorTest, AddressesCloseAndOpen) {
  std::vector<ExternalAddress> addresses;
  for (uint32_t i = 0; i < 50; ++i) addresses.push_back({kA + i * 3, {{1, 4}}});
  PortAllocator ports(addresses, 9);
  std::set<uint64_t> held;
  std::vector<Endpoint> order;
  for (uint32_t step = 0; step < 100000; ++step) {
    if (const auto end =
            step % 7 < 4 ? ports.Take(Protocol::kUdp, step * 0x9e3779b9u) : std::nullopt) {
      ASSERT_TRUE(held.insert(end->key()).second);
      order.push_back(*end);
    } else if (!order.empty()) {
      std::swap(order[step * 31 % order.size()], order.back());
      ports.Give(order.back());
      held.erase(order.back().key());
      order.pop_back();
    }
    ASSERT_EQ(ports.free(Protocol::kUdp), 150 - held.size());
  }
  EXPECT_GT(held.size(), 100u) << "the addresses must have run out, or nothing closed";
}

TEST(PortAllocatorTest, PortsAreHardToGuess) {
  PortAllocator one({{kA, {{1000, 65535}}}}, 1), other({{kA, {{1000, 65535}}}}, 2);
  int same = 0, next = 0, last = 0;
  for (int i = 0; i < 1000; ++i) {
    const int port = one.Take(Protocol::kTcp, 0)->port().value();
    same += port == other.Take(Protocol::kTcp, 0)->port().value();
    next += std::abs(port - last) < 16;
    last = port;
  }
  EXPECT_LT(same, 5);
  EXPECT_LT(next, 10);
}

TEST(PortAllocatorTest, KnowsItsAddresses) {
  PortAllocator ports({{kB + 5, {}}, {kA, {}}, {kB, {}}}, 1);
  EXPECT_TRUE(ports.Owns(Be32(kA)));
  EXPECT_TRUE(ports.Owns(Be32(kB)));
  EXPECT_TRUE(ports.Owns(Be32(kB + 5)));
  EXPECT_FALSE(ports.Owns(Be32(kB + 1)));
  EXPECT_FALSE(ports.Owns(Be32(kA - 1)));
  EXPECT_FALSE(ports.Owns(Be32(kB + 6)));
  EXPECT_FALSE(ports.Take(Protocol::kTcp, 0));
}

}  // namespace
}  // namespace bess::nat
