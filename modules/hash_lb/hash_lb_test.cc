// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstring>
#include <functional>
#include <set>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/hash_lb.pb.h"

namespace bess {
namespace {

using testing::HasSubstr;

constexpr uint32_t kSpread = 7;  // gates, not a power of two
constexpr uint32_t kFlows = 7000;

pb::HashLBArg Over(const std::vector<int64_t>& gates, const std::string& mode = "") {
  pb::HashLBArg arg;
  arg.mutable_gates()->Assign(gates.begin(), gates.end());
  arg.set_mode(mode);
  return arg;
}

pb::HashLBArg Spread(const std::string& mode) { return Over({0, 1, 2, 3, 4, 5, 6}, mode); }

pb::Field AtOffset(uint32_t offset, uint32_t bytes) {
  pb::Field field;
  field.set_offset(offset);
  field.set_num_bytes(bytes);
  return field;
}

pb::Field InAttribute(const std::string& name, uint32_t bytes) {
  pb::Field field;
  field.set_attr_name(name);
  field.set_num_bytes(bytes);
  return field;
}

pb::HashLBArg ByFields(const std::vector<pb::Field>& fields) {
  pb::HashLBArg arg = Spread("");
  for (const pb::Field& field : fields) *arg.add_fields() = field;
  return arg;
}

absl::Status SetMode(ModuleTester& tester, const std::string& mode,
                     const std::vector<pb::Field>& fields = {}) {
  pb::HashLBCommandSetModeArg arg;
  arg.set_mode(mode);
  for (const pb::Field& field : fields) *arg.add_fields() = field;
  return tester.Command("set_mode", arg);
}

absl::Status SetGates(ModuleTester& tester, const std::vector<int64_t>& gates) {
  pb::HashLBCommandSetGatesArg arg;
  arg.mutable_gates()->Assign(gates.begin(), gates.end());
  return tester.Command("set_gates", arg);
}

void ExpectRefused(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

// The one gate a packet leaves by.
uint32_t GateOf(ModuleTester& tester, const std::string& packet) {
  tester.Send(0, {packet});
  uint32_t found = kMaxGates;
  for (uint32_t gate = 0; gate < kSpread; ++gate) {
    if (!tester.Received(gate).empty()) found = gate;
  }
  EXPECT_NE(found, kMaxGates);
  return found;
}

using Flow = std::function<std::string(uint32_t)>;

// How many gates 64 flows leave by: 1 when the module does not look at where they differ.
size_t GatesUsed(ModuleTester& tester, const Flow& flow) {
  std::set<uint32_t> gates;
  for (uint32_t i = 0; i < 64; ++i) gates.insert(GateOf(tester, flow(i)));
  return gates.size();
}

// Random shares would differ from the mean by 3 % (one standard deviation).
void ExpectEven(const pb::HashLBArg& arg, const Flow& flow) {
  ModuleTester tester("HashLB", arg);
  std::vector<std::string> packets;
  for (uint32_t i = 0; i < kFlows; ++i) packets.push_back(flow(i));
  tester.Send(0, packets);
  for (uint32_t gate = 0; gate < kSpread; ++gate) {
    EXPECT_NEAR(static_cast<double>(tester.count(gate)), kFlows / kSpread, 120) << "gate " << gate;
  }
}

std::string Udp4(uint32_t source_ip, uint16_t source_port, uint64_t mac = 1) {
  return EthernetFrame(kEtherTypeIpv4,
                       Ipv4Packet({.source = source_ip}, UdpSegment(source_port, 53)), Mac(2),
                       Mac(mac));
}
std::string Udp6(uint32_t host, uint16_t port) {
  return EthernetFrame(
      kEtherTypeIpv6,
      Ipv6Packet({.source = Be(0x20010db800000000, 8) + Be(host, 8)}, UdpSegment(port, 53)));
}
std::string Fragment(uint16_t fragment, uint16_t port) {
  return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.fragment = fragment}, UdpSegment(port, 53)));
}

const Flow kByMac = [](uint32_t i) { return Udp4(1, 1, 0x020000000000 + i); };
const Flow kByAddress = [](uint32_t i) { return Udp4(0x0a000000 + i, 1); };
const Flow kByHighAddress = [](uint32_t i) { return Udp4(i << 16, 1); };
const Flow kByPort = [](uint32_t i) { return Udp4(1, static_cast<uint16_t>(i)); };
const Flow kByAddress6 = [](uint32_t i) { return Udp6(i, 1); };
const Flow kByPort6 = [](uint32_t i) { return Udp6(1, static_cast<uint16_t>(i)); };

TEST(HashLBTest, SpreadsNeighbouringFlowsEvenly) {
  ExpectEven(Spread("l2"), kByMac);
  ExpectEven(Spread("l3"), kByAddress);
  ExpectEven(Spread("l3"), kByHighAddress);
  ExpectEven(Spread("l3"), kByAddress6);
  ExpectEven(Spread("l4"), kByAddress);
  ExpectEven(Spread("l4"), kByPort);
  ExpectEven(Spread("l4"), kByAddress6);
  ExpectEven(Spread("l4"), kByPort6);
  ExpectEven(ByFields({AtOffset(34, 2)}), kByPort);
  ExpectEven(ByFields({AtOffset(30, 4), AtOffset(26, 4)}), kByAddress);
}

TEST(HashLBTest, LooksOnlyAtWhatTheModeSays) {
  ModuleTester l2("HashLB", Spread("l2"));
  EXPECT_EQ(GatesUsed(l2, kByAddress), 1u);
  EXPECT_EQ(GatesUsed(l2, kByPort6), 1u);
  ModuleTester l3("HashLB", Spread("l3"));
  EXPECT_EQ(GatesUsed(l3, kByMac), 1u);
  EXPECT_EQ(GatesUsed(l3, kByPort), 1u);
  EXPECT_EQ(GatesUsed(l3, kByPort6), 1u);
  ModuleTester l4("HashLB", Spread("l4"));
  EXPECT_EQ(GatesUsed(l4, kByMac), 1u);
}

TEST(HashLBTest, TakesL4WhenNothingIsSaid) {
  ModuleTester tester("HashLB", Spread(""));
  EXPECT_GT(GatesUsed(tester, kByPort), 1u);
}

TEST(HashLBTest, TellsProtocolsAndPortDirectionsApart) {
  ModuleTester tester("HashLB", Spread("l4"));
  const auto gates = [&](auto segment) {
    std::vector<uint32_t> found;
    for (uint16_t port = 0; port < 32; ++port) found.push_back(GateOf(tester, segment(port)));
    return found;
  };
  const auto udp = gates([](uint16_t port) {
    return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(port, 53)));
  });
  const auto back = gates([](uint16_t port) {
    return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(53, port)));
  });
  const auto tcp = gates([](uint16_t port) {
    return EthernetFrame(kEtherTypeIpv4,
                         Ipv4Packet({.protocol = kProtoTcp}, TcpSegment(port, 53, kTcpSyn)));
  });
  EXPECT_NE(udp, back);
  EXPECT_NE(udp, tcp);
}

TEST(HashLBTest, KeepsTheFragmentsOfAPacketTogether) {
  ModuleTester tester("HashLB", Spread("l4"));
  const uint32_t first = GateOf(tester, Fragment(0x2000, 1000));
  // What stands where the ports would be is payload.
  for (uint16_t i = 1; i < 40; ++i) {
    const auto offset = static_cast<uint16_t>(i < 39 ? 0x2000 | i : i);
    EXPECT_EQ(GateOf(tester, Fragment(offset, i)), first);
  }
}

TEST(HashLBTest, SeesPortsBehindIpv6Extensions) {
  ModuleTester tester("HashLB", Spread("l4"));
  const std::string hop_by_hop = Be(kProtoUdp, 1) + Be(0, 1) + Be(0x010400000000, 6);
  for (uint16_t port = 0; port < 20; ++port) {
    const std::string plain = EthernetFrame(kEtherTypeIpv6, Ipv6Packet({}, UdpSegment(port, 1)));
    const std::string extended = EthernetFrame(
        kEtherTypeIpv6, Ipv6Packet({.next_header = 0}, hop_by_hop + UdpSegment(port, 1)));
    EXPECT_EQ(GateOf(tester, plain), GateOf(tester, extended));
  }
}

TEST(HashLBTest, FallsBackToMacAddresses) {
  const Flow no_ip = [](uint32_t i) { return EthernetFrame(0x88b5, "data", Mac(2), Mac(i)); };
  for (const std::string mode : {"l3", "l4"}) ExpectEven(Spread(mode), no_ip);
}

TEST(HashLBTest, PassesOnEvenWhatHasNoHeaders) {
  for (const std::string mode : {"l2", "l3", "l4"}) {
    ModuleTester tester("HashLB", Spread(mode));
    EXPECT_EQ(GateOf(tester, ""), GateOf(tester, "thirteen byte")) << mode;
  }
}

TEST(HashLBTest, GivesAGateListedTwiceTwiceTheShare) {
  ModuleTester tester("HashLB", Over({5, 6, 5}));
  std::vector<std::string> packets;
  for (uint32_t i = 0; i < 3000; ++i) packets.push_back(kByAddress(i));
  tester.Send(0, packets);
  EXPECT_NEAR(static_cast<double>(tester.count(5)), 2000, 100);
  EXPECT_EQ(tester.count(5) + tester.count(6), 3000u);
}

TEST(HashLBTest, DropsEverythingWithoutGates) {
  ModuleTester tester("HashLB", Over({}));
  tester.Send(0, {kByPort(1), ""});
  EXPECT_EQ(tester.dropped(DropReason::kNoGate), 2u);
  EXPECT_TRUE(SetGates(tester, {3}).ok());
  EXPECT_EQ(GateOf(tester, kByPort(1)), 3u);
}

TEST(HashLBTest, HashesFields) {
  ModuleTester tester("HashLB", ByFields({AtOffset(1, 1), AtOffset(4, 8)}));
  const auto byte = [](size_t at) {
    return [at](uint32_t i) {
      std::string packet(16, 'x');
      packet[at] = static_cast<char>(i);
      return packet;
    };
  };
  for (const size_t at : {1, 4, 11}) EXPECT_GT(GatesUsed(tester, byte(at)), 1u) << at;
  for (const size_t at : {0, 2, 3, 12}) EXPECT_EQ(GatesUsed(tester, byte(at)), 1u) << at;
  EXPECT_EQ(GateOf(tester, "ab"), GateOf(tester, "zb111122222"));  // neither reaches to 11
}

TEST(HashLBTest, HashesAttributes) {
  ModuleTester tester("HashLB", ByFields({InAttribute("a", 4), InAttribute("b", 2)}));
  ASSERT_EQ(tester.module().attributes().size(), 2u);
  tester.PlaceAttribute(0, 8);
  tester.PlaceAttribute(1, 16);
  const auto gates_used = [&](size_t at) {
    for (uint8_t i = 0; i < 64; ++i) {
      Packet* packet = tester.host().pool().Make("same");
      std::memset(packet->metadata(), 0, kMetadataSize);
      packet->metadata()[at] = i;
      tester.SendPackets(0, {packet});
    }
    int used = 0;
    for (uint32_t gate = 0; gate < kSpread; ++gate) used += !tester.Received(gate).empty();
    return used;
  };
  EXPECT_GT(gates_used(11), 1);
  EXPECT_GT(gates_used(17), 1);
  EXPECT_EQ(gates_used(12), 1);
  EXPECT_EQ(gates_used(18), 1);
}

TEST(HashLBTest, AttributesThatNobodyWritesAreZero) {
  ModuleTester tester("HashLB", ByFields({InAttribute("a", 4)}));
  tester.PlaceAttribute(0, kNoWriter);
  for (int i = 0; i < 64; ++i) {
    Packet* packet = tester.host().pool().Make("same");
    std::memset(packet->metadata(), i, kMetadataSize);
    tester.SendPackets(0, {packet});
  }
  int used = 0;
  for (uint32_t gate = 0; gate < kSpread; ++gate) used += !tester.Received(gate).empty();
  EXPECT_EQ(used, 1);
}

TEST(HashLBTest, ChangesTheMode) {
  ModuleTester tester("HashLB", Spread("l4"));
  EXPECT_TRUE(SetMode(tester, "l3").ok());
  EXPECT_EQ(GatesUsed(tester, kByPort), 1u);
  EXPECT_TRUE(SetMode(tester, "l4", {AtOffset(0, 1)}).ok());
  EXPECT_EQ(GatesUsed(tester, kByAddress), 1u);
  EXPECT_TRUE(SetMode(tester, "").ok());
  EXPECT_GT(GatesUsed(tester, kByPort), 1u);
}

TEST(HashLBTest, UsesTheAttributesItWasMadeWithLater) {
  ModuleTester tester("HashLB", ByFields({InAttribute("a", 4)}));
  EXPECT_TRUE(SetMode(tester, "l2").ok());
  EXPECT_TRUE(SetMode(tester, "", {InAttribute("a", 4), AtOffset(0, 1)}).ok());
  ExpectRefused(SetMode(tester, "", {InAttribute("b", 4)}),
                "'fields[0].attr_name' must be an attribute this module was made with, not 'b'");
  ExpectRefused(SetMode(tester, "", {InAttribute("a", 2)}),
                "'fields[0].num_bytes' must be 4, the size of attribute 'a', not 2");
}

TEST(HashLBTest, RefusesBadArguments) {
  const auto error = [](const pb::HashLBArg& arg) { return ModuleTester("HashLB", arg).status(); };
  ExpectRefused(error(Over({0, 8192})), "'gates[1]' must be a gate, 0..8191, not 8192");
  ExpectRefused(error(Over({-1})), "not -1");
  ExpectRefused(error(Over(std::vector<int64_t>(16385, 0))), "at most 16384 gates, not 16385");
  EXPECT_TRUE(error(Over(std::vector<int64_t>(16384, 8191))).ok());
  ExpectRefused(error(Over({0}, "l5")), "'mode' must be 'l2', 'l3' or 'l4', not 'l5'");
  ExpectRefused(error(ByFields(std::vector<pb::Field>(9, AtOffset(0, 1)))), "at most 8 fields");
  ExpectRefused(error(ByFields({AtOffset(0, 1), AtOffset(0, 0)})),
                "'fields[1].num_bytes' must be 1..8 bytes, not 0");
  ExpectRefused(error(ByFields({AtOffset(0, 9)})), "not 9");
  ExpectRefused(error(ByFields({AtOffset(1025, 1)})), "'fields[0].offset' must be 0..1024 bytes");
  ExpectRefused(error(ByFields({InAttribute("a", 9)})), "not 9");
  ExpectRefused(error(ByFields({InAttribute("", 1)})), "name");
}

TEST(HashLBTest, ChangesNothingWhenACommandIsRefused) {
  ModuleTester tester("HashLB", Over({2}, "l3"));
  ExpectRefused(SetGates(tester, {1, -5}), "'gates[1]' must be a gate, 0..8191, not -5");
  ExpectRefused(SetMode(tester, "L2"), "not 'L2'");
  EXPECT_EQ(GateOf(tester, kByPort(1)), 2u);
}

}  // namespace
}  // namespace bess
