// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "core/graph/module_tester.h"
#include "core/packet/checksum.h"
#include "core/packet/frames_testing.h"
#include "modules/flow_gen.pb.h"

namespace bess {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string kTcp = EthernetFrame(
    kEtherTypeIpv4, Ipv4Packet({.protocol = kProtoTcp}, TcpSegment(1000, 80, 0, "payload")));
const std::string kUdp = EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(1000, 53)));

pb::FlowGenArg Arg(const std::string& packet, double pps, double rate, double duration) {
  pb::FlowGenArg arg;
  arg.set_template_(packet);
  arg.set_pps(pps);
  arg.set_flow_rate(rate);
  arg.set_flow_duration(duration);
  return arg;
}

// A generator and its clock.
class Generator {
 public:
  explicit Generator(const pb::FlowGenArg& arg, uint32_t packets = 1 << 16)
      : tester_("FlowGen", arg, std::make_shared<FakeHost>(packets)) {
    EXPECT_TRUE(tester_.ok()) << tester_.status();
  }
  ModuleTester& tester() { return tester_; }

  // Runs the task until `seconds` later, each millisecond until nothing is due; what came out.
  std::vector<std::string> Run(double seconds) {
    std::vector<std::string> packets;
    for (const double end = now_ + seconds; now_ < end; now_ += 1e-3) {
      tester_.SetNow(static_cast<uint64_t>((1000 + now_) * CyclesPerSecond()));
      while (!tester_.RunTask().blocked) {
      }
      for (std::string& packet : tester_.Received(0)) packets.push_back(std::move(packet));
    }
    return packets;
  }

 private:
  ModuleTester tester_;
  double now_ = 0;
};

template <typename T>
T At(const std::string& packet, size_t offset) {
  return LoadUnaligned<T>(packet.data() + offset);
}
uint8_t Flags(const std::string& packet) { return At<TcpHeader>(packet, 34).flags; }
std::string Ends(const std::string& packet) { return packet.substr(26, 12); }

TEST(FlowGenTest, FlowsBeginWithSynAndEndWithFin) {
  Generator generator([] {
    pb::FlowGenArg arg = Arg(kTcp, 1000, 50, 0.5);
    arg.set_ip_src_range(1 << 20);
    return arg;
  }());
  std::map<std::string, std::vector<std::string>> flows;
  for (const std::string& packet : generator.Run(2)) flows[Ends(packet)].push_back(packet);
  size_t whole = 0;
  for (const auto& [ends, packets] : flows) {
    uint32_t sequence = 1;
    for (size_t i = 0; i < packets.size(); ++i) {
      const bool last = i == 19;
      EXPECT_EQ(Flags(packets[i]), (i == 0 ? kTcpSyn : kTcpAck) | (last ? kTcpFin : 0));
      EXPECT_EQ(At<TcpHeader>(packets[i], 34).sequence.value(), sequence);
      sequence += i == 0 ? 8 : 7;
    }
    EXPECT_LE(packets.size(), 20u);
    whole += packets.size() == 20;
  }
  EXPECT_NEAR(static_cast<double>(whole), 75, 3);
}

TEST(FlowGenTest, ChecksumsAreRight) {
  for (const std::string& packet : {kTcp, kUdp.substr(0, 40) + "??"}) {
    pb::FlowGenArg arg = Arg(packet, 5000, 500, 0.1);
    arg.set_ip_src_range(UINT32_MAX);
    arg.set_ip_dst_range(UINT32_MAX);
    arg.set_port_src_range(65536);
    arg.set_port_dst_range(65536);
    Generator generator(arg);
    const std::vector<std::string> made = generator.Run(0.5);
    ASSERT_GT(made.size(), 1000u);
    for (const std::string& bytes : made) {
      ASSERT_EQ(SlowChecksum(bytes.substr(14, 20)), 0);
      const std::string l4 = bytes.substr(34);
      ASSERT_EQ(SlowChecksum(bytes.substr(26, 8) + Be(0, 1) + bytes.substr(23, 1) +
                             Be(l4.size(), 2) + l4),
                0);
    }
  }
}

std::string Over6(uint8_t protocol, const std::string& segment) {
  return EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = protocol}, segment));
}

TEST(FlowGenTest, ChecksumsAreRightOverIpv6) {
  // Also behind an extension header of destination options, which moves everything.
  const std::string options = Be(kProtoUdp, 1) + Be(0, 1) + Be(0x0104, 2) + Be(0, 4);
  for (const std::string& packet :
       {Over6(kProtoTcp, TcpSegment(1000, 80, 0, "payload")), Over6(kProtoUdp, UdpSegment(1, 2)),
        Over6(60, options + UdpSegment(1, 2, "odd"))}) {
    pb::FlowGenArg arg = Arg(packet, 5000, 500, 0.1);
    arg.set_ip_src_range(UINT32_MAX);
    arg.set_ip_dst_range(3);
    arg.set_port_src_range(65536);
    Generator generator(arg);
    const std::vector<std::string> made = generator.Run(0.5);
    ASSERT_GT(made.size(), 1000u);
    std::set<std::string> sources, destinations;
    const bool tcp = packet[20] == kProtoTcp;
    const size_t l4 = packet[20] == 60 ? 62 : 54;
    for (const std::string& bytes : made) {
      ASSERT_EQ(bytes.size(), packet.size());
      ASSERT_EQ(bytes.substr(0, 34), packet.substr(0, 34)) << "all but the last four bytes stay";
      sources.insert(bytes.substr(22, 16));
      destinations.insert(bytes.substr(38, 16));
      const std::string segment = bytes.substr(l4);
      ASSERT_NE(segment.substr(tcp ? 16 : 6, 2), Be(0, 2)) << "over IPv6 there is a checksum";
      ASSERT_EQ(SlowChecksum(bytes.substr(22, 32) + Be(segment.size(), 4) +
                             Be(tcp ? kProtoTcp : kProtoUdp, 4) + segment),
                0);
    }
    EXPECT_GT(sources.size(), 100u);
    EXPECT_EQ(destinations.size(), 3u);
  }
}

TEST(FlowGenTest, UdpWithoutAChecksumStaysSo) {
  Generator generator(Arg(kUdp, 1000, 10, 1));
  for (const std::string& packet : generator.Run(0.2)) EXPECT_EQ(packet, kUdp);
}

TEST(FlowGenTest, KeepsItsRates) {
  for (const char* const arrival : {"uniform", "exponential"}) {
    for (const char* const duration : {"uniform", "pareto"}) {
      pb::FlowGenArg arg = Arg(kTcp, 20000, 2000, 0.05);
      arg.set_arrival(arrival);
      arg.set_duration(duration);
      Generator generator(arg);
      size_t begun = 0, packets = 0;
      for (const std::string& packet : generator.Run(4)) {
        ++packets;
        begun += (Flags(packet) & kTcpSyn) != 0;
      }
      EXPECT_NEAR(static_cast<double>(begun), 8000, 400) << arrival << " " << duration;
      // The mean of a Pareto distribution takes its time.
      const double slack = std::string(duration) == "pareto" ? 0.5 : 0.1;
      EXPECT_NEAR(static_cast<double>(packets), 80000, 80000 * slack) << arrival << " " << duration;
    }
  }
}

TEST(FlowGenTest, RampsUpAtOnceIfAsked) {
  pb::FlowGenArg arg = Arg(kTcp, 1000, 10, 10);
  Generator slow(arg);
  arg.set_quick_rampup(true);
  Generator quick(arg);
  EXPECT_LT(slow.Run(0.5).size(), 60u);
  EXPECT_NEAR(static_cast<double>(quick.Run(0.5).size()), 500, 60);
}

TEST(FlowGenTest, AddressesAndPortsStayInTheirRanges) {
  pb::FlowGenArg arg = Arg(kTcp, 10000, 5000, 0.01);
  arg.set_ip_src_range(3);
  arg.set_ip_dst_range(1);
  arg.set_port_src_range(2);
  Generator generator(arg);
  std::set<uint32_t> sources, destinations, source_ports, destination_ports;
  for (const std::string& packet : generator.Run(0.5)) {
    sources.insert(At<Be32>(packet, 26).value());
    destinations.insert(At<Be32>(packet, 30).value());
    source_ports.insert(At<Be16>(packet, 34).value());
    destination_ports.insert(At<Be16>(packet, 36).value());
  }
  EXPECT_EQ(sources, (std::set<uint32_t>{0x0a000001, 0x0a000002, 0x0a000003}));
  EXPECT_EQ(destinations, std::set<uint32_t>{0x0a000002});
  EXPECT_EQ(source_ports, (std::set<uint32_t>{1000, 1001}));
  EXPECT_EQ(destination_ports, std::set<uint32_t>{80});
}

TEST(FlowGenTest, TheSameNameGivesTheSameFlows) {
  pb::FlowGenArg arg = Arg(kTcp, 1000, 100, 1);
  arg.set_ip_src_range(1000);
  arg.set_arrival("exponential");
  Generator a(arg), b(arg);
  EXPECT_EQ(a.Run(0.3), b.Run(0.3));
}

TEST(FlowGenTest, AnUpdateChangesWhatItNamesAndAtOnce) {
  Generator generator(Arg(kTcp, 1, 0.001, 1000));
  EXPECT_THAT(generator.Run(0.1), SizeIs(1));
  pb::FlowGenArg faster;
  faster.set_pps(1000);
  faster.set_flow_rate(1000);
  faster.set_flow_duration(0.001);
  EXPECT_TRUE(generator.tester().Command("update", faster).ok());
  const std::vector<std::string> packets = generator.Run(0.5);
  EXPECT_NEAR(static_cast<double>(packets.size()), 500, 10);
  EXPECT_THAT(packets.at(0), SizeIs(kTcp.size()));
}

TEST(FlowGenTest, DoesNotMakeUpForALongRest) {
  Generator generator(Arg(kTcp, 10000, 100, 0.1));
  generator.Run(0.3);
  generator.tester().SetNow(static_cast<uint64_t>(5000 * CyclesPerSecond()));
  size_t made = 0;
  while (const uint32_t n = generator.tester().RunTask().packets) made += n;
  EXPECT_LT(made, 1000u);
}

TEST(FlowGenTest, TheBurstIsABound) {
  Generator generator(Arg(kTcp, 100000, 10000, 0.01));
  pb::FlowGenCommandSetBurstArg burst;
  burst.set_burst(3);
  EXPECT_TRUE(generator.tester().Command("set_burst", burst).ok());
  generator.tester().SetNow(static_cast<uint64_t>(1000 * CyclesPerSecond()));
  generator.tester().RunTask();
  generator.tester().SetNow(static_cast<uint64_t>(1000.005 * CyclesPerSecond()));
  EXPECT_EQ(generator.tester().RunTask().packets, 3u);
  burst.set_burst(65);
  EXPECT_EQ(StatusErrno(generator.tester().Command("set_burst", burst)), EINVAL);
}

TEST(FlowGenTest, RestsWhenThePoolIsEmpty) {
  Generator generator(Arg(kTcp, 1000, 100, 1), 0);
  EXPECT_THAT(generator.Run(0.1), SizeIs(0));
  EXPECT_EQ(generator.tester().module().totals().created, 0u);
}

void ExpectRefused(const pb::FlowGenArg& arg, const std::string& text) {
  const absl::Status status = ModuleTester("FlowGen", arg).status();
  EXPECT_EQ(StatusErrno(status), EINVAL) << text;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST(FlowGenTest, RefusesBadRates) {
  ExpectRefused(Arg(kTcp, -1, 1, 1), "'pps' must be 1e-06..1e+09, not -1");
  ExpectRefused(Arg(kTcp, 2e9, 1, 1), "'pps' must be");
  ExpectRefused(Arg(kTcp, std::nan(""), 1, 1), "'pps' must be");
  ExpectRefused(Arg(kTcp, INFINITY, 1, 1), "'pps' must be");
  ExpectRefused(Arg(kTcp, 1, -1, 1), "'flow_rate' must be");
  ExpectRefused(Arg(kTcp, 1, 1, -1), "'flow_duration' must be");
  ExpectRefused(Arg(kTcp, 1, 1, 1e7), "'flow_duration' must be 1e-06..1e+06");
  ExpectRefused(Arg(kTcp, 1, 2, 1), "'pps' must be at least 'flow_rate'");
  ExpectRefused(Arg(kTcp, 1e6, 1e6, 1), "must be at most 131072 flows at once, not 1e+06");
}

TEST(FlowGenTest, RefusesBadTemplates) {
  ExpectRefused(pb::FlowGenArg(), "'template' must be an Ethernet frame");
  ExpectRefused(Arg(std::string(3000, 'x'), 0, 0, 0), "at most 2048 bytes, not 3000");
  for (size_t n = 0; n < kTcp.size(); ++n) {
    ExpectRefused(Arg(kTcp.substr(0, n), 0, 0, 0), "'template' must be an Ethernet frame");
  }
  ExpectRefused(Arg(EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = 59}, "")), 0, 0, 0),
                "'template' must be an Ethernet frame");
  ExpectRefused(
      Arg(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.fragment = 0x2000}, UdpSegment(1, 2))), 0, 0,
          0),
      "'template' must be an Ethernet frame");
  std::string lie = kUdp;
  lie.replace(38, 2, Be(9, 2));
  ExpectRefused(Arg(lie, 0, 0, 0), "the UDP length in 'template' must be 8..8, not 9");
}

TEST(FlowGenTest, RefusesBadChoicesAndKeepsItsOwn) {
  pb::FlowGenArg arg = Arg(kTcp, 0, 0, 0);
  arg.set_arrival("pareto");
  ExpectRefused(arg, "'arrival' must be \"uniform\" or \"exponential\", not \"pareto\"");
  arg = Arg(kTcp, 0, 0, 0);
  arg.set_duration("exponential");
  ExpectRefused(arg, "'duration' must be \"uniform\" or \"pareto\"");
  arg = Arg(kTcp, 0, 0, 0);
  arg.set_port_src_range(65537);
  ExpectRefused(arg, "'port_src_range' must be 0..65536, not 65537");

  Generator generator(Arg(kTcp, 1000, 100, 1));
  pb::FlowGenArg bad;
  bad.set_pps(1);
  EXPECT_EQ(StatusErrno(generator.tester().Command("update", bad)), EINVAL);
  pb::FlowGenArg good;
  good.set_flow_duration(2);
  EXPECT_TRUE(generator.tester().Command("update", good).ok()) << "the bad one left no trace";
}

}  // namespace
}  // namespace bess
