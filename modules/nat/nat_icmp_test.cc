// SPDX-License-Identifier: Apache-2.0
//
// ICMP errors through NAT (RFC 5508, 4): the packet they quote is translated with them.
#include <gmock/gmock.h>

#include "core/base/clock.h"
#include "core/graph/module_tester.h"
#include "modules/nat.pb.h"
#include "modules/nat/nat_testing.h"

namespace bess::nat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kHost = 0x0a000001, kOther = 0x0a000002, kInsideRouter = 0x0a0000fe;
constexpr uint32_t kRemote = 0x08080808, kRouter = 0x07070707;
constexpr uint32_t kExternal = 0xc0000201;

// A NAT that gives port 5000 to whoever comes first, in each protocol, and then 5001.
pb::NATArg Argument() {
  pb::NATArg arg;
  auto* external = arg.add_ext_addrs();
  external->set_ext_addr("192.0.2.1");
  auto* range = external->add_port_ranges();
  range->set_begin(5000);
  range->set_end(5001);
  return arg;
}

// A packet of each protocol, as it is inside and as it is outside.
struct Case {
  Sketch inside;
  Sketch outside;
};
std::vector<Case> Cases() {
  return {{{kProtoUdp, kHost, 1000, kRemote, 53, 0, "some payload"},
           {kProtoUdp, kExternal, 5000, kRemote, 53, 0, "some payload"}},
          {{kProtoTcp, kHost, 1000, kRemote, 80, kTcpAck, "some payload"},
           {kProtoTcp, kExternal, 5000, kRemote, 80, kTcpAck, "some payload"}},
          {{kProtoIcmp, kHost, 1000, kRemote, 1000, 8, "some payload"},
           {kProtoIcmp, kExternal, 5000, kRemote, 5000, 8, "some payload"}}};
}

// The same packet on its way back.
Sketch Back(Sketch s) {
  std::swap(s.source, s.destination);
  std::swap(s.source_port, s.destination_port);
  if (s.protocol == kProtoIcmp) s.flags = 0;
  return s;
}

std::string Quote(const Sketch& s, size_t l4_bytes, const std::string& options = "") {
  return Ipv4Of(s, L4Of(s), 0, options).substr(0, 20 + options.size() + l4_bytes);
}

class NatIcmpTest : public testing::Test {
 protected:
  NatIcmpTest() : nat_("NAT", Argument()) {
    nat_.SetNow(static_cast<uint64_t>(1000 * CyclesPerSecond()));
    for (const Case& c : Cases()) {
      nat_.Send(0, {PacketOf(c.inside)});
      EXPECT_THAT(nat_.Received(1), ElementsAre(PacketOf(c.outside)));
    }
  }
  void ExpectDropped(uint32_t igate, const std::string& packet, DropReason reason) {
    const uint64_t before = nat_.dropped(reason);
    nat_.Send(igate, {packet});
    EXPECT_EQ(nat_.dropped(reason), before + 1) << DropReasonName(reason);
  }

  ModuleTester nat_;
};

TEST_F(NatIcmpTest, ErrorsFromOutsideQuoteWhatTheHostSent) {
  for (const Case& c : Cases()) {
    for (const uint8_t type : {3, 11, 12}) {
      for (const size_t quoted : {8, 9, 16, 18, 20, 24}) {
        for (const std::string options : {"", "\x01\x01\x01\x01"}) {
          nat_.Send(1, {ErrorOf(type, kRouter, kExternal, Quote(c.outside, quoted, options))});
          EXPECT_THAT(nat_.Received(0),
                      ElementsAre(ErrorOf(type, kRouter, kHost, Quote(c.inside, quoted, options))))
              << c.inside << " quoted " << quoted;
        }
      }
    }
  }
}

TEST_F(NatIcmpTest, ErrorsFromInsideQuoteWhatTheHostGot) {
  for (const Case& c : Cases()) {
    for (const uint32_t source : {kHost, kInsideRouter}) {
      for (const size_t quoted : {8, 18, 20}) {
        nat_.Send(0, {ErrorOf(3, source, kRemote, Quote(Back(c.inside), quoted))});
        EXPECT_THAT(nat_.Received(1),
                    ElementsAre(ErrorOf(3, kExternal, kRemote, Quote(Back(c.outside), quoted))))
            << c.inside << " quoted " << quoted;
      }
    }
  }
}

TEST_F(NatIcmpTest, AQuotedUdpChecksumOfZeroStaysZero) {
  const Case c = Cases()[0];
  std::string sent = Quote(c.outside, 12), expected = Quote(c.inside, 12);
  Set16(sent, 26, 0);
  Set16(expected, 26, 0);
  nat_.Send(1, {ErrorOf(3, kRouter, kExternal, sent)});
  EXPECT_THAT(nat_.Received(0), ElementsAre(ErrorOf(3, kRouter, kHost, expected)));
}

TEST_F(NatIcmpTest, ErrorsAboutNothingWeSentAreDropped) {
  const Sketch unknown = {kProtoUdp, kExternal, 4999, kRemote, 53};
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, Quote(unknown, 8)), DropReason::kNoMapping);
  const Sketch foreign = {kProtoUdp, kRemote, 53, kOther, 1000};
  ExpectDropped(0, ErrorOf(3, kOther, kRemote, Quote(foreign, 8)), DropReason::kNoMapping);
}

TEST_F(NatIcmpTest, ErrorsKeepNothingAlive) {
  const Case c = Cases()[0];
  for (const double seconds : {1100, 1200, 1300}) {
    nat_.SetNow(static_cast<uint64_t>(seconds * CyclesPerSecond()));
    nat_.Send(0, {ErrorOf(3, kHost, kRemote, Quote(Back(c.inside), 8))});
    nat_.Send(1, {ErrorOf(3, kRouter, kExternal, Quote(c.outside, 8))});
    EXPECT_EQ(nat_.Received(0).size() + nat_.Received(1).size(), 2u);
  }
  nat_.SetNow(static_cast<uint64_t>(1301 * CyclesPerSecond()));
  ExpectDropped(0, ErrorOf(3, kHost, kRemote, Quote(Back(c.inside), 8)), DropReason::kNoMapping);
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, Quote(c.outside, 8)), DropReason::kNoMapping);
}

TEST_F(NatIcmpTest, DamagedErrorsAreDropped) {
  const Sketch sent = Cases()[0].outside;
  std::string packet = ErrorOf(3, kRouter, kExternal, Quote(sent, 12));
  packet.back() ^= 1;  // the ICMP checksum does not hold
  ExpectDropped(1, packet, DropReason::kMalformed);
  std::string quote = Quote(sent, 12);
  quote[8] = 3;  // the checksum of the quoted header does not hold
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, quote), DropReason::kMalformed);
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal + 1, Quote(sent, 12)), DropReason::kMalformed);
  quote = Quote(sent, 12);
  quote[0] = 0x65;
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, quote), DropReason::kMalformed);
  quote[0] = 0x44;
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, quote), DropReason::kMalformed);
}

TEST_F(NatIcmpTest, QuotesThatEndTooEarlyAreDropped) {
  for (const size_t length : {0, 1, 19, 20, 27}) {
    ExpectDropped(1, ErrorOf(3, kRouter, kExternal, Quote(Cases()[0].outside, 8).substr(0, length)),
                  DropReason::kTruncated);
  }
  std::string quote = Quote(Cases()[0].outside, 8);
  quote[0] = 0x46;  // a header of 24 bytes, which leaves 4
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, quote), DropReason::kTruncated);
}

TEST_F(NatIcmpTest, QuotesOfUntranslatedPacketsAreUnsupported) {
  const Sketch sent = Cases()[0].outside;
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, Ipv4Of(sent, L4Of(sent), 0x0001)),
                DropReason::kUnsupported);
  Sketch gre = sent;
  gre.protocol = 47;
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, Ipv4Of(gre, L4Of(sent))),
                DropReason::kUnsupported);
  const Sketch error = {kProtoIcmp, kExternal, 5000, kRemote, 5000, 3};
  ExpectDropped(1, ErrorOf(3, kRouter, kExternal, Quote(error, 8)), DropReason::kUnsupported);
  // Only the first fragment has ports, and it may well be quoted.
  nat_.Send(1, {ErrorOf(11, kRouter, kExternal, Ipv4Of(sent, L4Of(sent), 0x2000))});
  EXPECT_EQ(nat_.Received(0).size(), 1u);
}

// Host A sends to host B by B's external address; B answers that nobody listens there.
TEST(NatIcmpHairpinTest, ErrorsGoTheWayOfThePacket) {
  pb::NATArg arg = Argument();
  arg.mutable_ext_addrs(0)->mutable_port_ranges(0)->set_end(5002);
  ModuleTester nat("NAT", arg);
  nat.Send(0, {PacketOf({kProtoUdp, kOther, 53, kRemote, 53})});
  const auto server = SketchOf(nat.Received(1).at(0));
  const uint32_t client_port = server->source_port == 5000 ? 5001 : 5000;
  const Sketch sent = {kProtoUdp, kHost, 1000, kExternal, server->source_port, 0, "hello"};
  nat.Send(0, {PacketOf(sent)});
  const Sketch got = {kProtoUdp, kExternal, client_port, kOther, 53, 0, "hello"};
  EXPECT_THAT(nat.Received(0), ElementsAre(PacketOf(got)));

  nat.Send(0, {ErrorOf(3, kOther, kExternal, Quote(got, 13))});
  EXPECT_THAT(nat.Received(0), ElementsAre(ErrorOf(3, kExternal, kHost, Quote(sent, 13))));
  EXPECT_THAT(nat.Received(1), IsEmpty());

  // Nobody has the port that this one names as its sender's.
  Sketch forged = got;
  forged.source_port = 4999;
  nat.Send(0, {ErrorOf(3, kOther, kExternal, Quote(forged, 13))});
  EXPECT_EQ(nat.dropped(DropReason::kNoMapping), 1u);
}

TEST(NatIcmpHairpinTest, QueriesCannotTurnRound) {
  ModuleTester nat("NAT", Argument());
  nat.Send(0, {PacketOf({kProtoIcmp, kHost, 1000, kRemote, 1000, 8})});
  const Sketch forged = {kProtoIcmp, kExternal, 1000, kHost, 1000, 0};
  nat.Send(0, {ErrorOf(3, kHost, kExternal, Quote(forged, 8))});
  EXPECT_EQ(nat.dropped(DropReason::kUnsupported), 1u);
}

}  // namespace
}  // namespace bess::nat
