// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/ip_checksum.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr size_t kChecksumOffset = 14 + 10;

pb::IPChecksumArg Arg(bool verify, bool hw = false) {
  pb::IPChecksumArg arg;
  arg.set_verify(verify);
  arg.set_hw(hw);
  return arg;
}

std::string Frame(const Ipv4Fields& fields = {}, const std::string& payload = "payload") {
  return EthernetFrame(kEtherTypeIpv4, Ipv4Packet(fields, payload));
}
std::string WithChecksum(std::string frame, uint16_t checksum) {
  return frame.replace(kChecksumOffset, 2, Be(checksum, 2));
}
const std::string kArp = EthernetFrame(kEtherTypeArp, std::string(28, '\0'));
const std::string kIpv6 = EthernetFrame(kEtherTypeIpv6, Ipv6Packet({}, "payload"));

TEST(IPChecksumTest, ComputesWhateverStoodThere) {
  for (const bool hw : {false, true}) {
    ModuleTester tester("IPChecksum", Arg(false, hw));
    const std::string options(40, '\x01');
    std::vector<std::string> sent, expected;
    for (uint32_t i = 0; i < 3000; ++i) {
      const std::string right =
          Frame({.source = 0x9e3779b9 * i, .options = options.substr(0, i % 11 * 4)});
      expected.push_back(right);
      sent.push_back(WithChecksum(right, static_cast<uint16_t>(i * 40503)));
    }
    tester.Send(0, sent);
    EXPECT_EQ(tester.Received(0), expected);
  }
}

TEST(IPChecksumTest, VerifiesEachBit) {
  ModuleTester tester("IPChecksum", Arg(true));
  const std::string right = Frame({.options = std::string(8, '\x01')});
  tester.Send(0, {right});
  EXPECT_THAT(tester.Received(0), ElementsAre(right));
  std::vector<std::string> wrong;
  // Behind version, header length and total length, which a bit more would contradict the packet.
  for (size_t bit = 8 * (14 + 4); bit < 8 * (14 + 28); ++bit) {
    wrong.push_back(right);
    wrong.back()[bit / 8] = static_cast<char>(wrong.back()[bit / 8] ^ 1 << bit % 8);
  }
  tester.Send(0, wrong);
  EXPECT_EQ(tester.count(0), 0u);
  EXPECT_EQ(tester.Received(1), wrong);
}

// Zero has two forms in one's complement.
TEST(IPChecksumTest, VerifiesAChecksumOfZeroInBothForms) {
  ModuleTester verifier("IPChecksum", Arg(true));
  uint32_t found = 0;
  for (uint32_t source = 0; source < 65536; ++source) {
    const std::string frame = Frame({.source = source});
    if (frame.substr(kChecksumOffset, 2) != Be(0, 2)) continue;
    ++found;
    verifier.Send(0, {frame, WithChecksum(frame, 0xffff)});
  }
  EXPECT_GT(found, 0u);
  EXPECT_THAT(verifier.Received(0), SizeIs(2 * found));
}

TEST(IPChecksumTest, FindsTheHeaderBehindTags) {
  ModuleTester tester("IPChecksum", Arg(false));
  const std::string tags = Be(5, 2) + Be(kEtherTypeVlan, 2) + Be(6, 2) + Be(kEtherTypeIpv4, 2);
  const std::string right = EthernetFrame(kEtherTypeQinQ, tags + Ipv4Packet({}, "payload"));
  std::string wrong = right;
  wrong.replace(kChecksumOffset + 8, 2, "??");
  tester.Send(0, {wrong});
  EXPECT_THAT(tester.Received(0), ElementsAre(right));
}

TEST(IPChecksumTest, LeavesOtherProtocolsAlone) {
  for (const bool verify : {false, true}) {
    ModuleTester tester("IPChecksum", Arg(verify));
    tester.Send(0, {kArp, kIpv6, "runt"});
    EXPECT_THAT(tester.Received(0), ElementsAre(kArp, kIpv6, "runt"));
  }
}

TEST(IPChecksumTest, HasNoUseForBrokenHeaders) {
  std::vector<std::string> broken;
  for (size_t n = 14; n < Frame().size(); ++n) broken.push_back(Frame().substr(0, n));
  std::string short_header = Frame();
  short_header[14] = '\x44';
  broken.push_back(short_header);

  ModuleTester computer("IPChecksum", Arg(false));
  computer.Send(0, broken);
  EXPECT_EQ(computer.dropped(DropReason::kMalformed), broken.size());
  ModuleTester verifier("IPChecksum", Arg(true));
  verifier.Send(0, broken);
  EXPECT_EQ(verifier.Received(1), broken);
}

}  // namespace
}  // namespace bess
