// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
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

}  // namespace
}  // namespace bess
