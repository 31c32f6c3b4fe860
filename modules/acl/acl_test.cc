// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/acl.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct R {
  std::string src_ip = {};
  std::string dst_ip = {};
  uint32_t src_port = 0;
  uint32_t dst_port = 0;
  bool established = false;
  bool drop = false;
};

pb::ACLArg Rules(std::initializer_list<R> rules) {
  pb::ACLArg arg;
  for (const R& rule : rules) {
    auto* added = arg.add_rules();
    added->set_src_ip(rule.src_ip);
    added->set_dst_ip(rule.dst_ip);
    added->set_src_port(rule.src_port);
    added->set_dst_port(rule.dst_port);
    added->set_established(rule.established);
    added->set_drop(rule.drop);
  }
  return arg;
}

std::string Four(const Ipv4Fields& fields, const std::string& payload = UdpSegment(1000, 53)) {
  return EthernetFrame(kEtherTypeIpv4, Ipv4Packet(fields, payload));
}
std::string Six(const Ipv6Fields& fields, const std::string& payload = UdpSegment(1000, 53)) {
  return EthernetFrame(kEtherTypeIpv6, Ipv6Packet(fields, payload));
}
std::string Tcp(uint8_t flags) {
  return Four({.protocol = kProtoTcp}, TcpSegment(1000, 80, flags));
}

// Which of the packets pass.
std::vector<std::string> Passed(const pb::ACLArg& arg, const std::vector<std::string>& packets) {
  ModuleTester tester("ACL", arg);
  EXPECT_TRUE(tester.ok()) << tester.status();
  tester.Send(0, packets);
  return tester.Received(0);
}

TEST(ACLTest, TheFirstMatchDecides) {
  ModuleTester tester("ACL",
                      Rules({{.src_ip = "10.1.0.0/16", .drop = true}, {.src_ip = "10.0.0.0/8"}}));
  const std::string inside = Four({.source = 0x0a020304});
  tester.Send(0, {Four({.source = 0x0a010203}), inside, Four({.source = 0x0b000000})});
  EXPECT_THAT(tester.Received(0), ElementsAre(inside));
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 1u);
}

TEST(ACLTest, AConfigurationIsExchangedAsAWhole) {
  ModuleTester tester("ACL", Rules({{.src_ip = "10.1.0.0/16", .drop = true}}));
  const pb::ACLArg all = Rules({{.src_ip = "10.1.0.0/16", .drop = true},
                                {.dst_ip = "2001:db8::/32", .src_port = 7},
                                {.dst_port = 53, .established = true},
                                {}});
  for (int i = 1; i < all.rules_size(); ++i) {
    pb::ACLArg one;
    *one.add_rules() = all.rules(i);
    ASSERT_TRUE(tester.Command("add", one).ok());
  }
  pb::ACLArg config;
  ASSERT_TRUE(tester.Command("get_runtime_config", pb::EmptyArg(), &config).ok());
  EXPECT_EQ(config.DebugString(), all.DebugString());

  const std::string from_10_1 = Four({.source = 0x0a010203});
  ASSERT_TRUE(tester.Command("set_runtime_config", Rules({{}})).ok());
  tester.Send(0, {from_10_1});
  EXPECT_THAT(tester.Received(0), ElementsAre(from_10_1));

  pb::ACLArg bad = config;
  bad.mutable_rules(1)->set_src_port(65536);
  const absl::Status refused = tester.Command("set_runtime_config", bad);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("rules[1]: 'src_port'"));
  tester.Send(0, {from_10_1});
  EXPECT_THAT(tester.Received(0), ElementsAre(from_10_1));
}

TEST(ACLTest, PrefixesOfBothFamilies) {
  const std::string four = Four({.source = 0x0a000001, .destination = 0xc0000201});
  const std::string six = Six({});
  EXPECT_THAT(Passed(Rules({{.src_ip = "10.0.0.1"}}), {four, six}), ElementsAre(four));
  EXPECT_THAT(Passed(Rules({{.dst_ip = "192.0.2.0/31"}}), {four, six}), ElementsAre(four));
  EXPECT_THAT(Passed(Rules({{.dst_ip = "192.0.2.0/32"}}), {four, six}), ElementsAre());
  EXPECT_THAT(Passed(Rules({{.src_ip = "0.0.0.0/0"}}), {four, six}), ElementsAre(four));
  EXPECT_THAT(Passed(Rules({{.src_ip = "::/0"}}), {four, six}), ElementsAre(six));
  EXPECT_THAT(Passed(Rules({{.src_ip = "2001:db8::/127"}}), {four, six}), ElementsAre(six));
  EXPECT_THAT(Passed(Rules({{.dst_ip = "2001:db8::/127"}}), {four, six}), ElementsAre());
  EXPECT_THAT(Passed(Rules({{.src_ip = "2001:db8::1", .dst_ip = "2001:db8::2"}}), {four, six}),
              ElementsAre(six));
  EXPECT_THAT(Passed(Rules({{}}), {four, six}), ElementsAre(four, six));
}

TEST(ACLTest, Ports) {
  const std::string udp = Four({}), tcp = Tcp(kTcpSyn), six = Six({});
  EXPECT_THAT(Passed(Rules({{.dst_port = 53}}), {udp, tcp, six}), ElementsAre(udp, six));
  EXPECT_THAT(Passed(Rules({{.src_port = 1000}}), {udp, tcp, six}), ElementsAre(udp, tcp, six));
  EXPECT_THAT(Passed(Rules({{.src_port = 53}}), {udp, tcp, six}), ElementsAre());
  EXPECT_THAT(Passed(Rules({{.src_port = 1000, .dst_port = 80}}), {udp, tcp, six}),
              ElementsAre(tcp));
}

// BESS took whatever lay where ports would be: options, fragments, bytes behind the packet.
TEST(ACLTest, PortRulesNeedPortsInThePacket) {
  const std::string with_options = Four({.options = std::string(8, '\x01')});
  const std::string first_fragment = Four({.fragment = 0x2000}, UdpSegment(1000, 53, "abcdefgh"));
  const std::string later_fragment = Four({.fragment = 1});
  const std::string icmp = Four({.protocol = kProtoIcmp});
  const std::string cut = Four({}, UdpSegment(1000, 53).substr(0, 7));
  EXPECT_THAT(
      Passed(Rules({{.dst_port = 53}}), {with_options, first_fragment, later_fragment, icmp, cut}),
      ElementsAre(with_options, first_fragment));
  EXPECT_THAT(Passed(Rules({{.src_ip = "10.0.0.0/8"}}), {later_fragment, icmp, cut}),
              ElementsAre(later_fragment, icmp, cut));
}

TEST(ACLTest, EstablishedMeansAckOrRst) {
  const std::string syn = Tcp(kTcpSyn), syn_ack = Tcp(kTcpSyn | kTcpAck), rst = Tcp(kTcpRst);
  EXPECT_THAT(Passed(Rules({{.established = true}}), {syn, syn_ack, rst, Four({}), Tcp(kTcpFin)}),
              ElementsAre(syn_ack, rst));
  EXPECT_THAT(Passed(Rules({{.dst_port = 81, .established = true}}), {syn_ack}), ElementsAre());
}

TEST(ACLTest, OtherPacketsMatchOnlyRulesWithoutConditions) {
  const std::string arp = EthernetFrame(kEtherTypeArp, std::string(28, '\0'));
  const std::string cut = Four({}).substr(0, 33);
  const pb::ACLArg conditions = Rules({{.src_ip = "0.0.0.0/0"},
                                       {.dst_ip = "::/0"},
                                       {.src_port = 1},
                                       {.dst_port = 1},
                                       {.established = true}});
  EXPECT_THAT(Passed(conditions, {arp, cut, "", "x"}), ElementsAre());
  EXPECT_THAT(Passed(Rules({{}}), {arp, cut, "", "x"}), ElementsAre(arp, cut, "", "x"));
}

TEST(ACLTest, AddsRulesAndClearsThem) {
  ModuleTester tester("ACL", pb::ACLArg());
  tester.Send(0, {Four({})});
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 1u) << "no rules, no match";
  ASSERT_TRUE(tester.Command("add", Rules({{.dst_port = 53, .drop = true}})).ok());
  ASSERT_TRUE(tester.Command("add", Rules({{}})).ok());
  tester.Send(0, {Four({}), Tcp(0)});
  EXPECT_THAT(tester.Received(0), ElementsAre(Tcp(0)));
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
  ASSERT_TRUE(tester.Command("clear", pb::EmptyArg()).ok());
  tester.Send(0, {Four({})});
  EXPECT_EQ(tester.dropped(DropReason::kNoMatch), 2u);
}

TEST(ACLTest, ManyRulesAndThoseAddedToThemKeepTheirOrder) {
  pb::ACLArg many;
  for (int i = 0; i < 1000; ++i) {
    many.add_rules()->set_dst_ip(absl::StrCat("10.", i / 256, ".", i % 256, ".0/24"));
  }
  ModuleTester tester("ACL", many);
  ASSERT_TRUE(tester.ok()) << tester.status();
  ASSERT_TRUE(tester.Command("add", Rules({{.dst_ip = "10.0.0.0/8", .drop = true}, {}})).ok());
  const std::string inside = Four({.destination = 0x0a03e703});
  const std::string outside = Four({.destination = 0x0b000000});
  tester.Send(0, {inside, Four({.destination = 0x0a03e803}), outside, Six({})});
  EXPECT_THAT(tester.Received(0), ElementsAre(inside, outside, Six({})));
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u);
}

TEST(ACLTest, SaysWhenThereIsNoRoom) {
  pb::ACLArg too_many;
  for (int i = 0; i < (1 << 17) + 1; ++i) too_many.add_rules();
  const absl::Status status = ModuleTester("ACL", too_many).status();
  EXPECT_EQ(StatusErrno(status), ENOSPC);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("there is room for 131072 rules, which is 131072 more, not 131073"));
}

void ExpectRefused(const R& rule, const std::string& text) {
  ModuleTester tester("ACL", Rules({{.drop = true}}));
  const absl::Status status = tester.Command("add", Rules({{}, rule}));
  EXPECT_EQ(StatusErrno(status), EINVAL) << text;
  EXPECT_THAT(std::string(status.message()), HasSubstr("rules[1]: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  EXPECT_EQ(StatusErrno(ModuleTester("ACL", Rules({rule})).status()), EINVAL);
  ASSERT_TRUE(tester.Command("add", pb::ACLArg()).ok());
  tester.Send(0, {Four({})});
  EXPECT_EQ(tester.dropped(DropReason::kDenied), 1u) << "nothing was added";
}

TEST(ACLTest, RefusesBadRules) {
  ExpectRefused({.src_ip = "10.0.0.0/33"}, "'10.0.0.0/33' must end in a prefix length");
  ExpectRefused({.src_ip = "10.0.0.1/8"}, "the prefix is '10.0.0.0/8'");
  ExpectRefused({.dst_ip = "nowhere"}, "'nowhere' is not an IPv4 address");
  ExpectRefused({.dst_ip = "2001:db8::1/32"}, "the prefix is '2001:db8::/32'");
  ExpectRefused({.src_port = 65536}, "'src_port' must be 0..65535, not 65536");
  ExpectRefused({.dst_port = 65536}, "'dst_port' must be 0..65535, not 65536");
  ExpectRefused({.src_ip = "10.0.0.0/8", .dst_ip = "::/0"},
                "'src_ip' 10.0.0.0/8 and 'dst_ip' ::/0 must both be IPv4 or both be IPv6");
}

}  // namespace
}  // namespace bess
