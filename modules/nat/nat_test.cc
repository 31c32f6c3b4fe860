// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "bess/util.pb.h"
#include "core/base/clock.h"
#include "core/graph/module_tester.h"
#include "modules/nat.pb.h"
#include "modules/nat/nat_testing.h"

namespace bess::nat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint32_t kHost = 0x0a000001;    // 10.0.0.1
constexpr uint32_t kOther = 0x0a000002;   // 10.0.0.2
constexpr uint32_t kRemote = 0x08080808;  // 8.8.8.8
constexpr uint32_t kRemote2 = 0x09090909;
constexpr uint32_t kExternal = 0xc0000201;  // 192.0.2.1

struct Range {
  uint32_t begin, end;
  bool suspended = false;
};

void AddAddress(pb::NATArg& arg, const std::string& address, const std::vector<Range>& ranges) {
  auto* external = arg.add_ext_addrs();
  external->set_ext_addr(address);
  for (const Range& range : ranges) {
    auto* added = external->add_port_ranges();
    added->set_begin(range.begin);
    added->set_end(range.end);
    added->set_suspended(range.suspended);
  }
}

pb::NATArg OneAddress(const std::vector<Range>& ranges = {}) {
  pb::NATArg arg;
  AddAddress(arg, "192.0.2.1", ranges);
  return arg;
}

// A NAT at 1,000 s, and what is commonly asked of it.
class Nat : public ModuleTester {
 public:
  explicit Nat(const pb::NATArg& arg = OneAddress()) : ModuleTester("NAT", arg) {
    SetSeconds(1000);
  }

  void SetSeconds(double seconds) { SetNow(static_cast<uint64_t>(seconds * CyclesPerSecond())); }

  // What comes out to the outside, or to the inside, for this packet; nothing if it is dropped.
  std::optional<Sketch> Out(const Sketch& sketch) { return Through(0, 1, sketch); }
  std::optional<Sketch> In(const Sketch& sketch) { return Through(1, 0, sketch); }
  // What comes back in for the answer to something that came out.
  std::optional<Sketch> Answer(const Sketch& out, uint8_t flags = 0) {
    Sketch answer = out;
    std::swap(answer.source, answer.destination);
    std::swap(answer.source_port, answer.destination_port);
    answer.flags = flags;
    return In(answer);
  }

 private:
  std::optional<Sketch> Through(uint32_t igate, uint32_t ogate, const Sketch& sketch) {
    Send(igate, {PacketOf(sketch)});
    const auto received = Received(ogate);
    if (received.empty()) return std::nullopt;
    const auto seen = SketchOf(received[0]);
    EXPECT_TRUE(seen.has_value()) << "a checksum or another field is wrong";
    return seen;
  }
};

Sketch Udp(uint32_t port, uint32_t source = kHost, uint32_t destination = kRemote) {
  return {kProtoUdp, source, port, destination, 53, 0, "payload"};
}
Sketch Tcp(uint32_t port, uint8_t flags = kTcpAck) {
  return {kProtoTcp, kHost, port, kRemote, 80, flags, "odd"};
}
Sketch Ping(uint32_t id, uint8_t type = 8) {
  return {kProtoIcmp, kHost, id, kRemote, id, type, "ping"};
}

TEST(NatTest, TranslatesThereAndBack) {
  for (const Sketch& sent : {Udp(1000), Tcp(1000), Ping(1000)}) {
    Nat nat;
    const auto out = nat.Out(sent);
    ASSERT_TRUE(out);
    Sketch expected = sent;
    expected.source = kExternal;
    expected.source_port = out->source_port;
    if (sent.protocol == kProtoIcmp) expected.destination_port = out->source_port;
    EXPECT_EQ(*out, expected);

    const auto back = nat.Answer(*out);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->source, kRemote);
    EXPECT_EQ(back->destination, kHost);
    EXPECT_EQ(back->destination_port, 1000u);
  }
}

TEST(NatTest, MappingIsEndpointIndependentAndStable) {
  Nat nat;
  const auto first = nat.Out(Udp(1000));
  for (int i = 0; i < 100; ++i) {
    const auto again = nat.Out(Udp(1000, kHost, i % 2 == 0 ? kRemote : kRemote2 + i));
    ASSERT_EQ(again->source_port, first->source_port);
  }
  // Anybody may answer (RFC 4787, 5: endpoint-independent filtering).
  Sketch stranger = {kProtoUdp, kRemote2, 9, kExternal, first->source_port};
  EXPECT_EQ(nat.In(stranger)->destination_port, 1000u);
}

TEST(NatTest, DifferentEndsGetDifferentPorts) {
  Nat nat;
  std::set<uint32_t> ports;
  for (uint32_t i = 0; i < 1000; ++i) {
    ports.insert(nat.Out(Udp(i % 100, kHost + i / 100))->source_port);
  }
  EXPECT_EQ(ports.size(), 1000u);
}

TEST(NatTest, DropsWhatNobodyAskedFor) {
  Nat nat;
  const auto out = nat.Out(Udp(1000));
  Sketch in = {kProtoUdp, kRemote, 53, kExternal, out->source_port ^ 1};
  EXPECT_FALSE(nat.In(in));
  in = {kProtoTcp, kRemote, 53, kExternal, out->source_port};
  EXPECT_FALSE(nat.In(in));
  in = {kProtoUdp, kRemote, 53, kExternal + 1, out->source_port};
  EXPECT_FALSE(nat.In(in));
  EXPECT_EQ(nat.dropped(DropReason::kNoMapping), 3u);
}

TEST(NatTest, AReplyBeginsNoFlow) {
  Nat nat;
  EXPECT_FALSE(nat.Out(Ping(5, 0)));
  EXPECT_FALSE(nat.Out(Ping(5, 14)));
  EXPECT_EQ(nat.dropped(DropReason::kNoMapping), 2u);
  const auto out = nat.Out(Ping(5, 13));
  ASSERT_TRUE(out);
  EXPECT_TRUE(nat.Out(Ping(5, 14)));
  EXPECT_TRUE(nat.Answer(*out, 14));
}

TEST(NatTest, UdpWithoutChecksumStaysSo) {
  Nat nat(OneAddress({{5000, 5001}}));
  std::string packet = PacketOf(Udp(1000));
  Set16(packet, 40, 0);
  nat.Send(0, {packet});
  std::string expected = PacketOf({kProtoUdp, kExternal, 5000, kRemote, 53, 0, "payload"});
  Set16(expected, 40, 0);
  EXPECT_THAT(nat.Received(1), ElementsAre(expected));
}

// For one payload in 65,536 the right checksum is 0, which has to be sent as 0xffff.
TEST(NatTest, UdpChecksumOfZeroIsSentAsOnes) {
  Nat nat(OneAddress({{5000, 5001}}));
  Sketch out = {kProtoUdp, kExternal, 5000, kRemote, 53, 0, std::string(2, '\0')};
  const uint32_t missing = Get16(PacketOf(out), 40);
  out.payload = {static_cast<char>(missing >> 8), static_cast<char>(missing)};
  ASSERT_EQ(Get16(PacketOf(out), 40), 0xffffu);
  Sketch in = out;
  in.source = kHost;
  in.source_port = 1000;
  EXPECT_EQ(nat.Out(in), out);
}

TEST(NatTest, ChecksumsAreRightForEveryValue) {
  Nat nat(OneAddress({{5000, 5001}}));
  for (uint32_t word = 0; word < 0x10000; word += 13) {
    Sketch sent = Udp(1000);
    sent.payload = {static_cast<char>(word >> 8), static_cast<char>(word)};
    ASSERT_TRUE(nat.Out(sent)) << word;
  }
}

TEST(NatTest, IdleFlowsEndAfter300Seconds) {
  for (const Sketch& sent : {Udp(1000), Tcp(1000), Ping(1000)}) {
    Nat nat(OneAddress({{5000, 5001}}));
    const auto out = nat.Out(sent);
    nat.SetSeconds(1300);
    EXPECT_TRUE(nat.Answer(*out)) << sent;
    // What came in did not keep it alive.
    nat.SetSeconds(1300.6);
    EXPECT_FALSE(nat.Answer(*out)) << sent;
    EXPECT_EQ(nat.dropped(DropReason::kNoMapping), 1u);
  }
}

TEST(NatTest, PacketsFromInsideKeepAFlowAlive) {
  Nat nat;
  const auto out = nat.Out(Udp(1000));
  for (int i = 1; i < 20; ++i) {
    nat.SetSeconds(1000 + 299 * i);
    EXPECT_EQ(nat.Out(Udp(1000)), out);
  }
}

// BESS takes ports back only when it happens to draw one again.
TEST(NatTest, PortsOfExpiredFlowsAreFreeAgain) {
  Nat nat(OneAddress({{5000, 5010}}));
  for (int round = 0; round < 5; ++round) {
    nat.SetSeconds(1000 + 301 * round);
    for (uint32_t i = 0; i < 10; ++i) EXPECT_TRUE(nat.Out(Udp(1000 * round + i)));
    EXPECT_FALSE(nat.Out(Udp(1000 * round + 10)));
  }
  EXPECT_EQ(nat.dropped(DropReason::kPortsExhausted), 5u);
}

// A closed flow has 240 s left, whatever comes in; a new connection from inside makes it 300 again.
struct Segment {
  bool from_inside;
  uint8_t flags;
};
bool Lives(const std::vector<Segment>& segments, double seconds) {
  Nat nat;
  const auto out = nat.Out(Tcp(1000, kTcpSyn));
  for (const Segment& segment : segments) {
    if (segment.from_inside) {
      nat.Out(Tcp(1000, segment.flags));
    } else {
      nat.Answer(*out, segment.flags);
    }
  }
  nat.SetSeconds(1000 + seconds);
  return nat.Answer(*out, kTcpAck).has_value();
}

TEST(NatTest, TcpIsFollowedToItsEnd) {
  const Segment syn_ack{false, kTcpSyn | kTcpAck}, ack{true, kTcpAck};
  const Segment fin{true, kTcpFin | kTcpAck}, fin_back{false, kTcpFin | kTcpAck};
  const Segment rst{true, kTcpRst}, rst_back{false, kTcpRst}, syn{true, kTcpSyn};
  EXPECT_TRUE(Lives({syn_ack, ack}, 299));
  EXPECT_TRUE(Lives({fin, fin, ack}, 299));
  EXPECT_TRUE(Lives({fin_back, fin_back}, 299));
  for (const auto& end : std::vector<std::vector<Segment>>{
           {fin, fin_back}, {fin_back, fin}, {fin, fin_back, ack}, {rst}, {rst_back}}) {
    EXPECT_TRUE(Lives(end, 239));
    EXPECT_FALSE(Lives(end, 241));
    auto again = end;
    again.push_back(syn);
    EXPECT_TRUE(Lives(again, 299));
    again.push_back(fin_back);
    EXPECT_TRUE(Lives(again, 299)) << "the old connection's FIN must not count";
  }
}

// A reset from outside, which anyone can forge, leaves a quiet flow four minutes, and only once.
TEST(NatTest, AResetFromOutsideDoesNotKillAtOnce) {
  Nat nat;
  const auto out = nat.Out(Tcp(1000));
  nat.SetSeconds(1290);
  EXPECT_TRUE(nat.Answer(*out, kTcpRst));
  nat.SetSeconds(1500);
  EXPECT_TRUE(nat.Answer(*out, kTcpRst));
  nat.SetSeconds(1531);
  EXPECT_FALSE(nat.Answer(*out, kTcpRst));
}

TEST(NatTest, EachProtocolHasItsOwnPorts) {
  Nat nat(OneAddress({{5000, 5001}}));
  EXPECT_EQ(nat.Out(Udp(1))->source_port, 5000u);
  EXPECT_EQ(nat.Out(Tcp(1))->source_port, 5000u);
  EXPECT_EQ(nat.Out(Ping(1))->source_port, 5000u);
  EXPECT_FALSE(nat.Out(Udp(2)));
  EXPECT_FALSE(nat.Out(Tcp(2)));
  EXPECT_FALSE(nat.Out(Ping(2)));
  EXPECT_EQ(nat.dropped(DropReason::kPortsExhausted), 3u);
}

TEST(NatTest, SuspendedRangesGetNoFlows) {
  Nat nat(OneAddress({{5000, 5010, true}, {6000, 6002}}));
  std::set<uint32_t> ports;
  for (uint32_t i = 0; i < 12; ++i) {
    if (const auto out = nat.Out(Udp(i))) ports.insert(out->source_port);
  }
  EXPECT_THAT(ports, ElementsAre(6000, 6001));
  EXPECT_EQ(nat.dropped(DropReason::kPortsExhausted), 10u);
}

// BESS sorts the addresses and leaves the ranges where they were.
TEST(NatTest, AddressesInAnyOrderKeepTheirRanges) {
  pb::NATArg arg;
  AddAddress(arg, "192.0.2.9", {{900, 903}});
  AddAddress(arg, "192.0.2.1", {{100, 102}});
  AddAddress(arg, "192.0.2.5", {{500, 501}});
  Nat nat(arg);
  std::map<uint32_t, std::set<uint32_t>> ports;
  for (uint32_t i = 0; i < 6; ++i) {
    const auto out = nat.Out(Udp(i));
    ports[out->source & 0xff].insert(out->source_port);
  }
  EXPECT_FALSE(nat.Out(Udp(6)));
  EXPECT_THAT(ports[9], ElementsAre(900, 901, 902));
  EXPECT_THAT(ports[1], ElementsAre(100, 101));
  EXPECT_THAT(ports[5], ElementsAre(500));
}

TEST(NatTest, AHostKeepsOneAddress) {
  pb::NATArg arg;
  for (int i = 1; i <= 8; ++i) AddAddress(arg, absl::StrCat("192.0.2.", i), {});
  Nat nat(arg);
  std::set<uint32_t> used;
  for (uint32_t host = 0; host < 100; ++host) {
    std::set<uint32_t> of_host;
    for (uint32_t port = 0; port < 10; ++port) {
      of_host.insert(nat.Out(Udp(port, kHost + host))->source);
    }
    Sketch tcp = Tcp(1);
    tcp.source = kHost + host;
    of_host.insert(nat.Out(tcp)->source);
    EXPECT_EQ(of_host.size(), 1u);
    used.insert(of_host.begin(), of_host.end());
  }
  EXPECT_EQ(used.size(), 8u) << "hosts are spread over the addresses";
}

TEST(NatTest, HairpinTranslatesBothEnds) {
  Nat nat;
  const auto server = nat.Out(Udp(53, kOther));
  Sketch sent = {kProtoUdp, kHost, 1000, kExternal, server->source_port, 0, "hello"};
  nat.Send(0, {PacketOf(sent)});
  const auto received = nat.Received(0);
  ASSERT_EQ(received.size(), 1u);
  const auto seen = SketchOf(received[0]);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->source, kExternal);
  EXPECT_EQ(seen->destination, kOther);
  EXPECT_EQ(seen->destination_port, 53u);
  EXPECT_EQ(seen->payload, "hello");
  // The answer takes the same way.
  Sketch answer = {kProtoUdp, kOther, 53, kExternal, seen->source_port, 0, "world"};
  nat.Send(0, {PacketOf(answer)});
  const auto back = SketchOf(nat.Received(0).at(0));
  EXPECT_EQ(*back, (Sketch{kProtoUdp, kExternal, server->source_port, kHost, 1000, 0, "world"}));
  EXPECT_EQ(nat.count(1), 0u);
}

TEST(NatTest, HairpinToNobodyTakesNoPort) {
  Nat nat(OneAddress({{5000, 5001}}));
  nat.Send(0, {PacketOf(Udp(1000, kHost, kExternal)),
               PacketOf({kProtoIcmp, kHost, 1, kExternal, 1, 8})});
  EXPECT_EQ(nat.dropped(DropReason::kNoMapping), 1u);
  EXPECT_EQ(nat.dropped(DropReason::kUnsupported), 1u);
  EXPECT_TRUE(nat.Out(Udp(2000))) << "the port must still be free";
}

// N#238: BESS stops forwarding once ports run out.
TEST(NatTest, ExhaustionHarmsNoOtherFlow) {
  Nat nat(OneAddress({{5000, 5100}}));
  std::vector<Sketch> outs;
  for (uint32_t i = 0; i < 100; ++i) outs.push_back(*nat.Out(Udp(i)));
  for (uint32_t i = 100; i < 50000; ++i) EXPECT_FALSE(nat.Out(Udp(i)));
  EXPECT_EQ(nat.dropped(DropReason::kPortsExhausted), 49900u);
  for (uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(*nat.Out(Udp(i)), outs[i]);
    EXPECT_EQ(nat.Answer(outs[i])->destination_port, i);
  }
}

TEST(NatTest, DropsWhatItCannotTranslate) {
  Nat nat;
  const std::string udp = PacketOf(Udp(1000));
  const Sketch gre = {47, kHost, 1, kRemote, 2};
  std::string ipv6 = udp, bad_offset = PacketOf(Tcp(1)), bad_version = udp;
  Set16(ipv6, 12, 0x86dd);
  bad_offset[46] = 0x40;
  bad_version[14] = 0x65;
  const std::string l4 = L4Of(Udp(1000));
  for (const uint32_t igate : {0, 1}) {
    nat.Send(igate,
             {kEthernet + Ipv4Of(gre, l4), ipv6, kEthernet + Ipv4Of(Udp(1), l4, 0x2000),
              kEthernet + Ipv4Of(Udp(1), l4, 0x0010), PacketOf(Ping(1, 5)), PacketOf(Ping(1, 4))});
    EXPECT_EQ(nat.dropped(DropReason::kUnsupported), 6u * (igate + 1));
    nat.Send(igate, {bad_offset, bad_version});
    EXPECT_EQ(nat.dropped(DropReason::kMalformed), 2u * (igate + 1));
    nat.Send(igate, {"", udp.substr(0, 13), udp.substr(0, 30), udp.substr(0, 40),
                     kEthernet + Ipv4Of(Udp(1), l4.substr(0, 7))});
    EXPECT_EQ(nat.dropped(DropReason::kTruncated), 5u * (igate + 1));
  }
  EXPECT_EQ(nat.count(0) + nat.count(1), 0u);
}

TEST(NatTest, LeavesOptionsVlanTagsAndPaddingAlone) {
  Nat nat(OneAddress({{5000, 5001}}));
  const std::string tag("\x81\0\x00\x05\x08\0", 6);
  const auto frame = [&](uint32_t source, uint32_t port) {
    Sketch s = Udp(port);
    s.source = source;
    return kEthernet.substr(0, 12) + tag + Ipv4Of(s, L4Of(s), 0, "\x01\x01\x01\x01") + "padding";
  };
  nat.Send(0, {frame(kHost, 1000)});
  EXPECT_THAT(nat.Received(1), ElementsAre(frame(kExternal, 5000)));
}

TEST(NatTest, CommandsOfBess) {
  Nat nat;
  pb::EmptyArg reply;
  EXPECT_TRUE(nat.Command("get_runtime_config", pb::EmptyArg(), &reply).ok());
  EXPECT_TRUE(nat.Command("set_runtime_config", pb::EmptyArg()).ok());
  EXPECT_EQ(StatusErrno(nat.Command("set_runtime_config", OneAddress())), EINVAL);
  EXPECT_EQ(StatusErrno(nat.Command("add", pb::EmptyArg())), ENOTSUP);
}

TEST(NatTest, DescriptionCountsFlows) {
  Nat nat;
  EXPECT_EQ(nat.module().Description(), "1 address, 0 flows");
  nat.Out(Udp(1));
  EXPECT_EQ(nat.module().Description(), "1 address, 1 flow");
  nat.Out(Udp(2));
  EXPECT_EQ(nat.module().Description(), "1 address, 2 flows");
  nat.SetSeconds(2000);
  nat.Send(0, {"x"});  // any batch turns the wheel
  EXPECT_EQ(nat.module().Description(), "1 address, 0 flows");
}

TEST(NatTest, ListsItsFlowsInPages) {
  Nat nat;
  nat.SetNow(Cycles());
  std::map<uint32_t, uint32_t> expected;  // outside ports by inside ports
  for (uint32_t port = 1; port <= 25; ++port) expected[port] = nat.Out(Udp(port))->source_port;
  std::map<uint32_t, uint32_t> listed;
  pb::NATCommandGetFlowsArg page;
  page.set_limit(10);
  std::vector<int> sizes;
  do {
    pb::NATCommandGetFlowsResponse reply;
    ASSERT_TRUE(nat.Command("get_flows", page, &reply).ok());
    for (const auto& flow : reply.flows()) listed[flow.inside_port()] = flow.outside_port();
    sizes.push_back(reply.flows_size());
    page.set_start(reply.next());
  } while (page.start() != 0);
  EXPECT_EQ(listed, expected);
  EXPECT_THAT(sizes, ElementsAre(10, 10, 5));
  page.set_start(UINT64_MAX);
  pb::NATCommandGetFlowsResponse none;
  EXPECT_TRUE(nat.Command("get_flows", page, &none).ok());
  EXPECT_THAT(none.flows(), IsEmpty());
  page.set_limit(10001);
  const absl::Status status = nat.Command("get_flows", page);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr("0..10000, not 10001"));
}

TEST(NatTest, AListedFlowShowsItsEndsAndItsState) {
  Nat nat;
  nat.SetNow(Cycles());
  const auto out = nat.Out(Tcp(1000, kTcpRst));
  pb::NATCommandGetFlowsResponse reply;
  ASSERT_TRUE(nat.Command("get_flows", pb::NATCommandGetFlowsArg(), &reply).ok());
  ASSERT_EQ(reply.flows_size(), 1);
  const auto& flow = reply.flows(0);
  EXPECT_EQ(flow.protocol(), "tcp");
  EXPECT_EQ(flow.inside_addr(), "10.0.0.1");
  EXPECT_EQ(flow.inside_port(), 1000u);
  EXPECT_EQ(flow.outside_addr(), "192.0.2.1");
  EXPECT_EQ(flow.outside_port(), out->source_port);
  EXPECT_TRUE(flow.closing());
  EXPECT_LT(flow.idle_seconds(), 100);
  nat.SetNow(Cycles() + NanosecondsToCycles(1e12));
  nat.Send(0, {"x"});
  reply.Clear();
  ASSERT_TRUE(nat.Command("get_flows", pb::NATCommandGetFlowsArg(), &reply).ok());
  EXPECT_THAT(reply.flows(), IsEmpty()) << "expired";
}

void ExpectRefused(const pb::NATArg& arg, const std::string& text) {
  ModuleTester tester("NAT", arg);
  EXPECT_EQ(StatusErrno(tester.status()), EINVAL) << text;
  EXPECT_THAT(std::string(tester.status().message()), HasSubstr(text));
}

TEST(NatTest, RefusesBadArguments) {
  ExpectRefused(pb::NATArg(), "'ext_addrs' must have 1..1024 addresses, not 0");
  pb::NATArg bad;
  AddAddress(bad, "192.0.2.256", {});
  ExpectRefused(bad, "192.0.2.256");
  pb::NATArg twice = OneAddress();
  AddAddress(twice, "192.0.2.2", {});
  AddAddress(twice, "192.0.2.1", {{1, 2}});
  ExpectRefused(twice, "'ext_addrs' has 192.0.2.1 twice");
  ExpectRefused(OneAddress({{1, 2}, {10, 10}}), "192.0.2.1");
  ExpectRefused(OneAddress({{10, 9}}), "not 10 and 9");
  ExpectRefused(OneAddress({{0, 65536}}), "'end' at most 65535, not 0 and 65536");
  pb::NATArg many;
  for (int i = 0; i < 1025; ++i)
    AddAddress(many, absl::StrCat("10.1.", i / 256, ".", i % 256), {{1, 2}});
  ExpectRefused(many, "not 1025");
  many.mutable_ext_addrs()->RemoveLast();
  EXPECT_TRUE(ModuleTester("NAT", many).ok());
  EXPECT_TRUE(ModuleTester("NAT", OneAddress({{65534, 65535}})).ok());
}

}  // namespace
}  // namespace bess::nat
