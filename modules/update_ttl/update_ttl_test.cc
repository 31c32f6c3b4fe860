// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bess/util.pb.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;

std::string Ipv4Frame(uint8_t ttl, uint32_t source = 0x0a000001, const std::string& options = "") {
  return EthernetFrame(kEtherTypeIpv4,
                       Ipv4Packet({.source = source, .ttl = ttl, .options = options}, "payload"));
}
std::string Ipv6Frame(uint8_t hop_limit) {
  return EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.hop_limit = hop_limit}, "payload"));
}

TEST(UpdateTTLTest, DecrementsIpv4AndKeepsTheChecksumRight) {
  ModuleTester tester("UpdateTTL", pb::EmptyArg());
  std::vector<std::string> sent, expected;
  // Many addresses, so that all carries of the checksum come up.
  for (uint32_t i = 0; i < 70000; i += 7) {
    const auto ttl = static_cast<uint8_t>(2 + i % 254);
    sent.push_back(Ipv4Frame(ttl, 0x0a000000 + i));
    expected.push_back(Ipv4Frame(static_cast<uint8_t>(ttl - 1), 0x0a000000 + i));
  }
  tester.Send(0, sent);
  EXPECT_EQ(tester.Received(0), expected);
}

TEST(UpdateTTLTest, DecrementsIpv6) {
  ModuleTester tester("UpdateTTL", pb::EmptyArg());
  tester.Send(0, {Ipv6Frame(255), Ipv6Frame(2)});
  EXPECT_THAT(tester.Received(0), ElementsAre(Ipv6Frame(254), Ipv6Frame(1)));
}

TEST(UpdateTTLTest, DropsWhatHasExpired) {
  ModuleTester tester("UpdateTTL", pb::EmptyArg());
  tester.Send(0, {Ipv4Frame(1), Ipv4Frame(2), Ipv4Frame(0), Ipv6Frame(1), Ipv6Frame(0)});
  EXPECT_THAT(tester.Received(0), ElementsAre(Ipv4Frame(1)));
  EXPECT_EQ(tester.dropped(DropReason::kTtlExpired), 4u);
}

TEST(UpdateTTLTest, FindsTheHeaderBehindOptionsAndVlanTags) {
  ModuleTester tester("UpdateTTL", pb::EmptyArg());
  const auto tagged = [](uint8_t ttl) {
    return EthernetFrame(kEtherTypeQinQ, Be(5, 2) + Be(kEtherTypeVlan, 2) + Be(6, 2) +
                                             Be(kEtherTypeIpv4, 2) + Ipv4Packet({.ttl = ttl}, ""));
  };
  const std::string options(40, '\x01');
  tester.Send(0, {Ipv4Frame(9, 1, options), tagged(9)});
  EXPECT_THAT(tester.Received(0), ElementsAre(Ipv4Frame(8, 1, options), tagged(8)));
}

TEST(UpdateTTLTest, LeavesOtherProtocolsAlone) {
  ModuleTester tester("UpdateTTL", pb::EmptyArg());
  const std::string arp = EthernetFrame(kEtherTypeArp, std::string(28, '\0'));
  const std::string tag_cut_short = EthernetFrame(kEtherTypeVlan, "");
  tester.Send(0, {arp, tag_cut_short, "short", ""});
  EXPECT_THAT(tester.Received(0), ElementsAre(arp, tag_cut_short, "short", ""));
}

// BESS decremented whatever byte was there, past the end of the packet if need be.
TEST(UpdateTTLTest, DropsIpPacketsCutShort) {
  for (const std::string& whole : {Ipv4Frame(64), Ipv6Frame(64)}) {
    ModuleTester tester("UpdateTTL", pb::EmptyArg());
    std::vector<std::string> cut;
    for (size_t n = 14; n < whole.size(); ++n) cut.push_back(whole.substr(0, n));
    tester.Send(0, cut);
    EXPECT_EQ(tester.dropped(DropReason::kMalformed), cut.size());
  }
}

TEST(UpdateTTLTest, DropsIpPacketsOfTheWrongVersion) {
  ModuleTester tester("UpdateTTL", pb::EmptyArg());
  tester.Send(0, {EthernetFrame(kEtherTypeIpv6, Ipv4Packet({}, std::string(40, 'x'))),
                  EthernetFrame(kEtherTypeIpv4, Ipv6Packet({}, ""))});
  EXPECT_EQ(tester.dropped(DropReason::kMalformed), 2u);
}

}  // namespace
}  // namespace bess
