// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;

constexpr uint32_t kA = 0x0a000001;
constexpr uint32_t kB = 0xc0a8fffe;

std::string Ipv4Frame(uint32_t from, uint32_t to, uint8_t protocol, const std::string& payload,
                      uint16_t fragment = 0, const std::string& options = "") {
  return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.source = from,
                                                   .destination = to,
                                                   .protocol = protocol,
                                                   .fragment = fragment,
                                                   .options = options},
                                                  payload));
}

std::string Ipv6Frame(uint64_t from, uint64_t to, uint8_t protocol, const std::string& payload) {
  const auto address = [](uint64_t low) { return Be(0x20010db800000000, 8) + Be(low, 8); };
  return EthernetFrame(
      kEtherTypeIpv6,
      Ipv6Packet({.source = address(from), .destination = address(to), .next_header = protocol},
                 payload));
}

void ExpectSwapped(const std::string& sent, const std::string& expected) {
  ModuleTester tester("IPSwap", pb::EmptyArg());
  tester.Send(0, {sent});
  EXPECT_THAT(tester.Received(0), ElementsAre(expected));
}

TEST(IPSwapTest, SwapsIpv4AddressesAndPorts) {
  ExpectSwapped(Ipv4Frame(kA, kB, kProtoUdp, UdpSegment(1000, 53, "x")),
                Ipv4Frame(kB, kA, kProtoUdp, UdpSegment(53, 1000, "x")));
  ExpectSwapped(Ipv4Frame(kA, kB, kProtoTcp, TcpSegment(1000, 80, kTcpSyn)),
                Ipv4Frame(kB, kA, kProtoTcp, TcpSegment(80, 1000, kTcpSyn)));
}

TEST(IPSwapTest, SwapsIpv6AddressesAndPorts) {
  ExpectSwapped(Ipv6Frame(1, 2, kProtoUdp, UdpSegment(1000, 53)),
                Ipv6Frame(2, 1, kProtoUdp, UdpSegment(53, 1000)));
  ExpectSwapped(Ipv6Frame(1, 2, kProtoTcp, TcpSegment(1000, 80, kTcpAck)),
                Ipv6Frame(2, 1, kProtoTcp, TcpSegment(80, 1000, kTcpAck)));
  // Behind a destination options header.
  ExpectSwapped(
      Ipv6Frame(1, 2, 60, Be(kProtoUdp, 1) + std::string(7, '\0') + UdpSegment(1000, 53)),
      Ipv6Frame(2, 1, 60, Be(kProtoUdp, 1) + std::string(7, '\0') + UdpSegment(53, 1000)));
}

TEST(IPSwapTest, FindsThePortsBehindOptionsAndTags) {
  const std::string options(8, '\x01');
  ExpectSwapped(Ipv4Frame(kA, kB, kProtoUdp, UdpSegment(1, 2), 0, options),
                Ipv4Frame(kB, kA, kProtoUdp, UdpSegment(2, 1), 0, options));
  const auto tagged = [](const std::string& frame) {
    return frame.substr(0, 12) + Be(kEtherTypeVlan, 2) + Be(5, 2) + frame.substr(12);
  };
  ExpectSwapped(tagged(Ipv4Frame(kA, kB, kProtoUdp, UdpSegment(1, 2))),
                tagged(Ipv4Frame(kB, kA, kProtoUdp, UdpSegment(2, 1))));
}

TEST(IPSwapTest, SwapsOnlyAddressesOfOtherProtocols) {
  ExpectSwapped(Ipv4Frame(kA, kB, kProtoIcmp, "12345678"),
                Ipv4Frame(kB, kA, kProtoIcmp, "12345678"));
  ExpectSwapped(Ipv4Frame(kA, kB, 132, "12345678"), Ipv4Frame(kB, kA, 132, "12345678"));
}

// The bytes where ports would be are data in a later fragment. The first fragment has ports, so
// that the packet is right when it is put together again.
TEST(IPSwapTest, LaterFragmentsHaveNoPorts) {
  ExpectSwapped(Ipv4Frame(kA, kB, kProtoUdp, "12345678", 100),
                Ipv4Frame(kB, kA, kProtoUdp, "12345678", 100));
  constexpr uint16_t kMore = 0x2000;
  ExpectSwapped(Ipv4Frame(kA, kB, kProtoUdp, UdpSegment(1, 2), kMore),
                Ipv4Frame(kB, kA, kProtoUdp, UdpSegment(2, 1), kMore));
}

// BESS wrote to whatever bytes were there.
TEST(IPSwapTest, LeavesWhatIsNotIpAlone) {
  const std::string arp = EthernetFrame(kEtherTypeArp, std::string(28, '\1'));
  for (const std::string& packet : {arp, std::string("short"), std::string()}) {
    ExpectSwapped(packet, packet);
  }
}

// BESS wrote beyond the end of short packets.
TEST(IPSwapTest, DropsIpPacketsCutShort) {
  for (const std::string& whole : {Ipv4Frame(kA, kB, kProtoUdp, UdpSegment(1, 2)),
                                   Ipv6Frame(1, 2, kProtoUdp, UdpSegment(1, 2))}) {
    ModuleTester tester("IPSwap", pb::EmptyArg());
    std::vector<std::string> cut;
    for (size_t n = 14; n < whole.size(); ++n) cut.push_back(whole.substr(0, n));
    tester.Send(0, cut);
    EXPECT_EQ(tester.dropped(DropReason::kMalformed), cut.size());
  }
}

TEST(IPSwapTest, KeepsItsBessTemplateName) {
  EXPECT_EQ(ModuleRegistry::Get().Find("IPSwap")->info.template_name, "ipswap");
}

}  // namespace
}  // namespace bess
