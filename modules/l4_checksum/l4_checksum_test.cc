// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "core/packet/segments.h"
#include "modules/l4_checksum.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;

pb::L4ChecksumArg Arg(bool verify, bool hw = false) {
  pb::L4ChecksumArg arg;
  arg.set_verify(verify);
  arg.set_hw(hw);
  return arg;
}

// An IP packet to be: what the checksum is computed from, word by word, and where it stands.
struct Sample {
  bool ipv6 = false;
  uint8_t protocol = kProtoUdp;
  std::string segment;  // with a checksum field of 0
  std::string options = {};
  std::string trailer = {};  // of the frame, behind the IP packet
  uint32_t source = 0x0a000001;

  size_t offset() const { return protocol == kProtoUdp ? 6 : 16; }
  std::string WithChecksum(uint16_t checksum) const {
    std::string bytes = segment;
    bytes.replace(offset(), 2, Be(checksum, 2));
    if (ipv6) {
      return EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = protocol}, bytes) + trailer);
    }
    return EthernetFrame(
        kEtherTypeIpv4,
        Ipv4Packet({.source = source, .protocol = protocol, .options = options}, bytes) + trailer);
  }
  uint16_t RightChecksum() const {
    const std::string addresses =
        ipv6 ? Ipv6Fields().source + Ipv6Fields().destination : Be(source, 4) + Be(0x0a000002, 4);
    const uint16_t sum =
        SlowChecksum(addresses + Be(protocol, 2) + Be(segment.size(), 4) + segment);
    return sum == 0 && protocol == kProtoUdp ? 0xffff : sum;
  }
  std::string Right() const { return WithChecksum(RightChecksum()); }
};

std::vector<Sample> Samples(size_t n) {
  std::mt19937 random(1);
  std::vector<Sample> samples;
  for (size_t i = 0; i < n; ++i) {
    std::string payload(random() % (i % 50 == 0 ? 1460 : 100), '\0');
    for (char& byte : payload) byte = static_cast<char>(random());
    const bool tcp = random() % 2 == 0;
    samples.push_back(
        {.ipv6 = random() % 2 == 0,
         .protocol = tcp ? kProtoTcp : kProtoUdp,
         .segment = tcp ? TcpSegment(1, 2, kTcpAck, payload) : UdpSegment(1, 2, payload),
         .options = std::string(random() % 11 * 4, '\x01'),
         .trailer = std::string(random() % 7, 'x'),
         .source = static_cast<uint32_t>(random())});
  }
  return samples;
}

TEST(L4ChecksumTest, ComputesAsTheRfcsSay) {
  for (const bool hw : {false, true}) {
    ModuleTester tester("L4Checksum", Arg(false, hw));
    std::vector<std::string> sent, expected;
    for (const Sample& sample : Samples(20000)) {
      sent.push_back(sample.WithChecksum(static_cast<uint16_t>(sent.size() * 40503)));
      expected.push_back(sample.Right());
    }
    tester.Send(0, sent);
    EXPECT_EQ(tester.Received(0), expected);
  }
}

TEST(L4ChecksumTest, VerifiesEachBit) {
  ModuleTester tester("L4Checksum", Arg(true));
  for (const Sample& sample : Samples(200)) {
    const std::string right = sample.Right();
    tester.Send(0, {right});
    ASSERT_THAT(tester.Received(0), ElementsAre(right));
    std::string wrong = right;
    // Behind the lengths of UDP and TCP headers, which would contradict the packet otherwise.
    const size_t l4 = 14 + (sample.ipv6 ? 40 : 20 + sample.options.size());
    const size_t at = l4 + (sample.segment.size() > 20 ? 20 : 3);
    wrong[at] = static_cast<char>(wrong[at] ^ 0x10);
    tester.Send(0, {wrong});
    ASSERT_THAT(tester.Received(1), ElementsAre(wrong));
  }
}

// A sum of zero must not become "no checksum".
TEST(L4ChecksumTest, UdpNeverSendsZero) {
  ModuleTester tester("L4Checksum", Arg(false));
  uint32_t found = 0;
  for (uint32_t port = 0; port < 65536; ++port) {
    const Sample sample{.segment = UdpSegment(static_cast<uint16_t>(port), 2)};
    if (sample.RightChecksum() != 0xffff) continue;
    ++found;
    tester.Send(0, {sample.WithChecksum(0)});
    EXPECT_THAT(tester.Received(0), ElementsAre(sample.WithChecksum(0xffff)));
  }
  EXPECT_GT(found, 0u);
}

TEST(L4ChecksumTest, UdpMayHaveNoneOverIpv4Only) {
  ModuleTester tester("L4Checksum", Arg(true));
  Sample sample{.segment = UdpSegment(1, 2, "payload")};
  tester.Send(0, {sample.WithChecksum(0)});
  EXPECT_THAT(tester.Received(0), ElementsAre(sample.WithChecksum(0)));
  sample.ipv6 = true;
  tester.Send(0, {sample.WithChecksum(0)});
  EXPECT_THAT(tester.Received(1), ElementsAre(sample.WithChecksum(0)));
  const Sample tcp{.protocol = kProtoTcp, .segment = TcpSegment(1, 2, kTcpSyn)};
  tester.Send(0, {tcp.WithChecksum(0)});
  EXPECT_THAT(tester.Received(1), ElementsAre(tcp.WithChecksum(0)));
}

// BESS summed as many bytes as the UDP length said, past the end of the packet if need be.
TEST(L4ChecksumTest, TrustsNoUdpLength) {
  ModuleTester computer("L4Checksum", Arg(false)), verifier("L4Checksum", Arg(true));
  std::vector<std::string> lies;
  for (const uint16_t length : {0, 7, 16, 1000, 65535}) {
    std::string segment = UdpSegment(1, 2, "payload");
    segment.replace(4, 2, Be(length, 2));
    for (const bool ipv6 : {false, true}) {
      lies.push_back(Sample{.ipv6 = ipv6, .segment = segment}.WithChecksum(1));
    }
  }
  computer.Send(0, lies);
  EXPECT_EQ(computer.dropped(DropReason::kMalformed), lies.size());
  verifier.Send(0, lies);
  EXPECT_EQ(verifier.Received(1), lies);
}

TEST(L4ChecksumTest, CoversNoMoreThanTheUdpLength) {
  Sample inner{.segment = UdpSegment(1, 2, "payload")};
  const uint16_t right = inner.RightChecksum();
  inner.segment += "beyond";
  ModuleTester tester("L4Checksum", Arg(false));
  tester.Send(0, {inner.WithChecksum(0)});
  EXPECT_THAT(tester.Received(0), ElementsAre(inner.WithChecksum(right)));
}

TEST(L4ChecksumTest, LeavesFragmentsAndOtherProtocolsAlone) {
  std::vector<std::string> others = {
      EthernetFrame(kEtherTypeArp, std::string(28, '\0')),
      EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.protocol = kProtoIcmp}, std::string(8, 'x'))),
      EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.next_header = 132}, "sctp")),
      "runt",
  };
  for (const uint16_t fragment : {0x2000, 0x2001, 0x0001}) {
    others.push_back(EthernetFrame(
        kEtherTypeIpv4, Ipv4Packet({.fragment = fragment}, UdpSegment(1, 2, "payload"))));
  }
  for (const uint16_t fragment : {0x0001, 0x0009, 0x0008}) {
    const std::string header = Be(kProtoUdp, 1) + Be(0, 1) + Be(fragment, 2) + Be(1, 4);
    others.push_back(EthernetFrame(
        kEtherTypeIpv6, Ipv6Packet({.next_header = 44}, header + UdpSegment(1, 2, "payload"))));
  }
  for (const bool verify : {false, true}) {
    ModuleTester tester("L4Checksum", Arg(verify));
    tester.Send(0, others);
    EXPECT_EQ(tester.Received(0), others);
  }
}

TEST(L4ChecksumTest, HasNoUseForPacketsCutShort) {
  for (const Sample& sample : Samples(50)) {
    const std::string whole = sample.Right();
    std::vector<std::string> cut;
    for (size_t n = 14; n < whole.size() - sample.trailer.size(); ++n) {
      cut.push_back(whole.substr(0, n));
    }
    ModuleTester computer("L4Checksum", Arg(false)), verifier("L4Checksum", Arg(true));
    computer.Send(0, cut);
    EXPECT_EQ(computer.dropped(DropReason::kMalformed), cut.size());
    verifier.Send(0, cut);
    EXPECT_EQ(verifier.Received(1), cut);
  }
}

// In three segments, the first of which ends behind the headers or later.
Packet* InThree(PacketPool& pool, const std::string& bytes, size_t first, size_t second) {
  Packet* packet = pool.Make(bytes.substr(0, first));
  AddSegment(*packet, pool.Make(bytes.substr(first, second)));
  AddSegment(*packet, pool.Make(bytes.substr(first + second)));
  return packet;
}

TEST(L4ChecksumTest, CoversPacketsOfSeveralSegments) {
  std::mt19937 random(1);
  ModuleTester computer("L4Checksum", Arg(false)), verifier("L4Checksum", Arg(true));
  for (const Sample& sample : Samples(500)) {
    const std::string right = sample.Right();
    // The longest headers are Ethernet, IPv4 with options, and TCP.
    const size_t first = std::min<size_t>(14 + 60 + 20 + random() % 30, right.size());
    const size_t second = random() % (right.size() - first + 1);
    const auto make = [&](ModuleTester& tester, const std::string& bytes) {
      return InThree(tester.host().pool(), bytes, first, second);
    };
    computer.SendPackets(0, {make(computer, sample.WithChecksum(0x1234))});
    ASSERT_THAT(computer.Received(0), ElementsAre(right)) << first << " " << second;
    verifier.SendPackets(0, {make(verifier, right)});
    ASSERT_THAT(verifier.Received(0), ElementsAre(right));
    std::string wrong = right;
    wrong[right.size() - sample.trailer.size() - 1] ^= 1;
    verifier.SendPackets(0, {make(verifier, wrong)});
    ASSERT_THAT(verifier.Received(1), ElementsAre(wrong));
  }
}

}  // namespace
}  // namespace bess
