// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/flow_table.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

namespace bess::nat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Endpoint End(uint32_t address, uint16_t port, Protocol protocol = Protocol::kUdp) {
  return Endpoint(Be32(address), Be16(port), protocol);
}

// A table whose flows are known by the port of their inside end.
class Table {
 public:
  explicit Table(uint32_t capacity, uint64_t seed = 1) : table(capacity, seed) {}

  Flow& Insert(uint16_t port, Ticks now) {
    return table.Insert(End(1, port), End(2, static_cast<uint16_t>(port + 1000)), now);
  }
  Flow* Find(uint16_t port) { return table.FindInside(End(1, port), table.Hash(End(1, port))); }
  Flow* FindOutside(uint16_t port) {
    return table.FindOutside(End(2, port), table.Hash(End(2, port)));
  }
  // The ports of the flows that end, in order.
  std::vector<int> Expire(Ticks now, uint32_t budget = 10000) {
    std::vector<int> ended;
    table.Expire(now, budget, [&](const Flow& f) { ended.push_back(f.inside.port().value()); });
    return ended;
  }

  FlowTable table;
};

TEST(EndpointTest, KeepsItsParts) {
  const Endpoint end(Be32(0xc0000201), Be16(0xfffe), Protocol::kIcmp);
  EXPECT_EQ(end.address().value(), 0xc0000201u);
  EXPECT_EQ(end.port().value(), 0xfffe);
  EXPECT_EQ(end.protocol(), Protocol::kIcmp);
  EXPECT_FALSE(end == End(0xc0000201, 0xfffe, Protocol::kTcp));
}

// Against a multimap, with hashes that all have their home in the last or the first slots, so that
// runs are long and go round the end of the table.
TEST(FlowIndexTest, DoesWhatAMultimapDoes) {
  constexpr uint32_t kFlows = 64;
  FlowIndex index(kFlows);
  std::multimap<uint32_t, uint32_t> reference;
  std::map<uint32_t, uint32_t> hash_of;
  std::mt19937 random(7);
  for (int i = 0; i < 100000; ++i) {
    const uint32_t flow = random() % kFlows;
    if (const auto it = hash_of.find(flow); it != hash_of.end()) {
      index.Erase(it->second, flow);
      std::erase_if(reference, [&](const auto& entry) { return entry.second == flow; });
      hash_of.erase(it);
    } else {
      const uint32_t hash = 0xfc000000u + (random() % 8) * 0x01000000u + random() % 3;
      index.Insert(hash, flow);
      reference.emplace(hash, flow);
      hash_of[flow] = hash;
    }
    for (const auto& [one, hash] : hash_of) {
      EXPECT_EQ(index.Find(hash, [&](uint32_t found) { return found == one; }), one);
    }
    const uint32_t probe = 0xfc000000u + (random() % 8) * 0x01000000u;
    size_t found = 0;
    index.Find(probe, [&](uint32_t) { return ++found == SIZE_MAX; });
    ASSERT_EQ(found, reference.count(probe));
  }
}

TEST(FlowTableTest, FindsAFlowByEitherEnd) {
  Table t(8);
  Flow& flow = t.Insert(10, 0);
  EXPECT_EQ(t.Find(10), &flow);
  EXPECT_EQ(t.FindOutside(1010), &flow);
  EXPECT_EQ(t.Find(1010), nullptr);
  EXPECT_EQ(t.FindOutside(10), nullptr);
  const Endpoint tcp = End(1, 10, Protocol::kTcp);
  EXPECT_EQ(t.table.FindInside(tcp, t.table.Hash(tcp)), nullptr);
}

TEST(FlowTableTest, IsFullAtItsCapacityAndUsesFlowsAgain) {
  Table t(3);
  for (int round = 0; round < 4; ++round) {
    const Ticks now = round * 5000;
    for (uint16_t port = 0; port < 3; ++port) {
      EXPECT_FALSE(t.table.full());
      t.Insert(port, now);
    }
    EXPECT_TRUE(t.table.full());
    EXPECT_EQ(t.Expire(now + kIdleTimeout + 1).size(), 3u);
    EXPECT_EQ(t.table.size(), 0u);
    EXPECT_EQ(t.Find(1), nullptr);
    EXPECT_EQ(t.FindOutside(1001), nullptr);
  }
}

TEST(FlowTableTest, EndsAFlowJustAfterItsTimeout) {
  for (const Ticks start : {Ticks{1000}, Ticks{0} - 600, Ticks{0x80000000}}) {
    Table t(8);
    EXPECT_THAT(t.Expire(start), IsEmpty());
    Flow& flow = t.Insert(1, start);
    EXPECT_THAT(t.Expire(start + kIdleTimeout), IsEmpty());
    EXPECT_TRUE(flow.Alive(start + kIdleTimeout));
    EXPECT_FALSE(flow.Alive(start + kIdleTimeout + 1));
    EXPECT_THAT(t.Expire(start + kIdleTimeout + 1), ElementsAre(1));
  }
}

TEST(FlowTableTest, KeepsAFlowThatIsUsed) {
  Table t(8);
  t.Expire(0);
  Flow& flow = t.Insert(1, 0);
  for (Ticks now = 0; now < 20000; now += 100) {
    EXPECT_THAT(t.Expire(now), IsEmpty());
    flow.last_used = now;
  }
  EXPECT_THAT(t.Expire(19900 + kIdleTimeout), IsEmpty());
  EXPECT_THAT(t.Expire(19900 + kIdleTimeout + 1), ElementsAre(1));
}

TEST(FlowTableTest, EndsAClosingFlowSooner) {
  Table t(8);
  t.Expire(0);
  t.Insert(1, 0);
  t.table.SetClosing(t.Insert(2, 0), true);
  Flow& reopened = t.Insert(3, 0);
  t.table.SetClosing(reopened, true);
  t.table.SetClosing(reopened, false);
  EXPECT_THAT(t.Expire(kClosingTimeout), IsEmpty());
  EXPECT_THAT(t.Expire(kClosingTimeout + 1), ElementsAre(2));
  EXPECT_THAT(t.Expire(kIdleTimeout), IsEmpty());
  EXPECT_EQ(t.Expire(kIdleTimeout + 1).size(), 2u);
}

TEST(FlowTableTest, EndsAtOnceAFlowThatClosesAfterItsTime) {
  Table t(8);
  t.Expire(0);
  Flow& flow = t.Insert(1, 0);
  t.Expire(kClosingTimeout + 100);
  t.table.SetClosing(flow, true);
  EXPECT_THAT(t.Expire(kClosingTimeout + 101), ElementsAre(1));
}

TEST(FlowTableTest, LooksAtNoMoreThanTheBudget) {
  Table t(1000);
  t.Expire(0);
  for (uint16_t port = 0; port < 1000; ++port) t.Insert(port, 0);
  EXPECT_THAT(t.Expire(kIdleTimeout + 1, 0), IsEmpty());
  for (int slice = 0; slice < 10; ++slice) {
    EXPECT_EQ(t.Expire(kIdleTimeout + 1, 100).size(), 100u);
  }
  EXPECT_EQ(t.table.size(), 0u);
}

TEST(FlowTableTest, PeekSeesWhatIsThere) {
  Table t(2);
  EXPECT_FALSE(t.table.Peek(0).has_value());
  t.table.SetClosing(t.Insert(7, 5), true);
  const auto seen = t.table.Peek(0);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->inside, End(1, 7));
  EXPECT_EQ(seen->outside, End(2, 1007));
  EXPECT_EQ(seen->last_used, 5u);
  EXPECT_TRUE(seen->closing);
  EXPECT_FALSE(t.table.Peek(1).has_value());
  t.Expire(5 + kClosingTimeout + 1);
  EXPECT_FALSE(t.table.Peek(0).has_value());
  t.Insert(8, 9);
  EXPECT_EQ(t.table.Peek(0)->inside, End(1, 8));
  EXPECT_FALSE(t.table.Peek(0)->closing);
}

TEST(FlowTableTest, CatchesUpAfterAnyPause) {
  for (const Ticks pause : {2047, 2048, 2049, 3000, 1000000}) {
    Table t(64);
    t.Expire(0);
    for (uint16_t port = 0; port < 50; ++port) t.Insert(port, port * 20);
    EXPECT_EQ(t.Expire(50 * 20 + pause, 50).size(), 50u) << pause;
  }
}

// When the wheel is late, a flow in use may belong a whole turn behind where it was found: in the
// very same slot. It must not be looked at again and again there while another waits.
TEST(FlowTableTest, AFlowInUseDoesNotHoldUpALateWheel) {
  Table t(8);
  t.Expire(0);
  t.Insert(2, 0);
  t.Insert(1, 0).last_used = 2048;
  EXPECT_THAT(t.Expire(2048, 2), ElementsAre(2));
  EXPECT_THAT(t.Expire(2048 + kIdleTimeout, 2), IsEmpty());
  EXPECT_THAT(t.Expire(2048 + kIdleTimeout + 1, 2), ElementsAre(1));
}

TEST(FlowTableTest, AClockThatStepsBackEndsNothing) {
  Table t(8);
  t.Expire(100000);
  t.Insert(1, 100000);
  EXPECT_THAT(t.Expire(90000), IsEmpty());
  EXPECT_THAT(t.Expire(100000 + kIdleTimeout), IsEmpty());
  EXPECT_THAT(t.Expire(100000 + kIdleTimeout + 1), ElementsAre(1));
}

// Neighbouring hosts and ports, as a scan or a load test makes them, must not pile up.
TEST(FlowTableTest, SpreadsNeighbours) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FlowTable table(1 << 14, seed * 0x1234567890abcdef);
    for (uint32_t i = 0; i < 1 << 14; ++i) {
      const uint16_t port = static_cast<uint16_t>(1024 + i % 128);
      table.Insert(End(0x0a000000 + i / 128, port), End(9, static_cast<uint16_t>(i)), 0);
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 1 << 14; ++i) {
      sum += table.InsideProbeLength(table.Hash(End(0x0b000000 + i / 128, 1024 + i % 128)));
    }
    EXPECT_LT(sum, 3u << 14) << seed;  // 2.5 each for ideal hashes at this load
  }
}

}  // namespace
}  // namespace bess::nat
