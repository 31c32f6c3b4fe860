// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>
#include <tuple>

#include "bess/util.pb.h"
#include "core/base/soak_testing.h"
#include "core/graph/lookup_testing.h"
#include "core/packet/frames_testing.h"
#include "modules/bpf.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct F {
  int64_t priority;
  std::string filter;
  int64_t gate;
};

pb::BPFArg Filters(std::initializer_list<F> filters) {
  pb::BPFArg arg;
  for (const F& filter : filters) {
    auto* added = arg.add_filters();
    added->set_priority(filter.priority);
    added->set_filter(filter.filter);
    added->set_gate(filter.gate);
  }
  return arg;
}

std::string Udp(uint16_t port) {
  return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(1000, port)));
}

void ExpectError(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(BPFTest, TheHighestPriorityThatMatchesDecides) {
  ModuleTester tester("BPF", Filters({{-5, "udp", 1},
                                      {INT64_MAX, "dst port 53", 2},
                                      {7, "dst port 53 or dst port 80", 8191}}));
  ASSERT_TRUE(tester.ok()) << tester.status();
  tester.Send(0, {Udp(53), Udp(80), Udp(9), "nothing"});
  EXPECT_THAT(tester.Received(2), ElementsAre(Udp(53)));
  EXPECT_THAT(tester.Received(8191), ElementsAre(Udp(80)));
  EXPECT_THAT(tester.Received(1), ElementsAre(Udp(9)));
  EXPECT_THAT(tester.Received(0), ElementsAre("nothing")) << "what nothing matches leaves by 0";
}

TEST(BPFTest, OfEqualPrioritiesTheFirstDecides) {
  ModuleTester tester("BPF", Filters({{1, "udp", 1}, {1, "ip", 2}}));
  ASSERT_TRUE(tester.Command("add", Filters({{1, "ip", 3}, {2, "dst port 7", 4}})).ok());
  tester.Send(0, {Udp(1), Udp(7)});
  EXPECT_EQ(tester.count(1), 1u);
  EXPECT_EQ(tester.count(4), 1u);
}

TEST(BPFTest, AddsDeletesAndClears) {
  ModuleTester tester("BPF", pb::BPFArg());
  tester.Send(0, {Udp(1)});
  EXPECT_EQ(tester.count(0), 1u) << "no filters: all leaves by gate 0";
  ASSERT_TRUE(tester.Command("add", Filters({{1, "udp", 1}, {0, "", 2}})).ok());
  tester.Send(0, {Udp(1), "x"});
  EXPECT_THAT(tester.Received(1), ElementsAre(Udp(1)));
  EXPECT_THAT(tester.Received(2), ElementsAre("x")) << "an empty filter matches everything";
  ASSERT_TRUE(tester.Command("delete", Filters({{1, "udp", 1}})).ok());
  tester.Send(0, {Udp(1)});
  EXPECT_EQ(tester.count(2), 1u);
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  tester.Send(0, {Udp(1)});
  EXPECT_EQ(tester.count(0), 2u);
}

// BESS lost the compiler's words, and sent packets to gates that were cut to fewer bits.
TEST(BPFTest, RefusedFiltersAreNamedAndChangeNothing) {
  ModuleTester tester("BPF", Filters({{1, "udp", 1}}));
  const auto add = [&](const F& filter) {
    return tester.Command("add", Filters({{9, "ip", 5}, filter}));
  };
  ExpectError(add({1, "port nonsense", 1}), EINVAL,
              "filters[1]: 'filter' \"port nonsense\": unknown port 'nonsense'");
  ExpectError(add({1, "udp", 8192}), EINVAL,
              "filters[1]: 'gate' must be a gate, 0..8191, not 8192");
  ExpectError(add({1, "udp", -1}), EINVAL, "not -1");
  ExpectError(add({1, "udp", int64_t{1} << 32}), EINVAL, "not 4294967296");
  const auto remove = [&](const F& filter) {
    return tester.Command("delete", Filters({{1, "udp", 1}, filter}));
  };
  ExpectError(remove({1, "tcp", 1}), ENOENT,
              "filters[1]: there is no filter \"tcp\" with priority 1 and gate 1");
  ExpectError(remove({2, "udp", 1}), ENOENT, "with priority 2");
  ExpectError(remove({1, "udp", 2}), ENOENT, "and gate 2");
  tester.Send(0, {Udp(1)});
  EXPECT_EQ(tester.count(1), 1u);
  ExpectError(ModuleTester("BPF", Filters({{1, "(udp", 1}})).status(), EINVAL, "filters[0]: ");
}

// Filters that look at some bits of one byte, as BPF has them and as anybody sees them.
struct Bits {
  int64_t priority;
  uint32_t at, mask, value, gate;

  F AsFilter() const {
    return {priority, absl::StrCat("ether[", at, "] & ", mask, " = ", value), gate};
  }
  bool Match(const std::string& packet) const {
    return (static_cast<uint8_t>(packet[at]) & mask) == value;
  }
};

// Filters come and go at random; of those that match, the oldest of the highest priority decides.
class FilterDuel {
 public:
  explicit FilterDuel(uint32_t seed) : random_(seed) {}

  void Step() {
    filters_.size() > 12 || (!filters_.empty() && Draw(2) == 0) ? RemoveOne() : AddOne();
    for (int batch = 0; batch < 8; ++batch) {
      ExpectGates(
          tester_, kGates, [&] { return SomePacket(); },
          [&](const std::string& packet) { return GateOf(packet); });
    }
  }

 private:
  static constexpr uint32_t kGates = 6;

  uint32_t Draw(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  std::string SomePacket() {
    std::string packet(20, '\0');
    for (size_t i = 0; i < 4; ++i) packet[i] = static_cast<char>(Draw(4));
    return packet;
  }
  void AddOne() {
    const uint32_t mask = 1 + Draw(3);
    filters_.push_back({Draw(8) - int64_t{4}, Draw(4), mask, Draw(4) & mask, Draw(kGates)});
    ASSERT_TRUE(tester_.Command("add", Filters({filters_.back().AsFilter()})).ok());
  }
  // And with it all that are the same.
  void RemoveOne() {
    const F victim = filters_[Draw(static_cast<uint32_t>(filters_.size()))].AsFilter();
    ASSERT_TRUE(tester_.Command("delete", Filters({victim})).ok());
    std::erase_if(filters_, [&](const Bits& one) {
      const F filter = one.AsFilter();
      return std::tie(filter.priority, filter.filter, filter.gate) ==
             std::tie(victim.priority, victim.filter, victim.gate);
    });
  }
  uint32_t GateOf(const std::string& packet) const {
    const Bits* best = nullptr;
    for (const Bits& filter : filters_) {
      if (!filter.Match(packet)) continue;
      if (best == nullptr || filter.priority > best->priority) best = &filter;
    }
    return best == nullptr ? 0 : best->gate;
  }

  ModuleTester tester_{"BPF", pb::BPFArg()};
  std::mt19937 random_;
  std::vector<Bits> filters_;
};

TEST(BPFTest, AgreesWithAListWhileFiltersChange) {
  constexpr uint64_t kSteps = 250, kPackets = kSteps * 8 * kBatchSize;
  const uint64_t duels = SoakPackets(kPackets) / kPackets;
  for (uint32_t seed = 0; seed < duels && !testing::Test::HasFatalFailure(); ++seed) {
    FilterDuel duel(seed);
    for (uint64_t i = 0; i < kSteps && !testing::Test::HasFatalFailure(); ++i) duel.Step();
  }
}

}  // namespace
}  // namespace bess
