// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "bess/util.pb.h"
#include "core/base/parse.h"
#include "core/base/soak_testing.h"
#include "core/graph/module_tester.h"
#include "core/packet/frames_testing.h"
#include "modules/arp_responder.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kAsker = Mac(0x02000000000a);
const std::string kAnswer = Mac(0x020000000001);
constexpr uint32_t kAskerIp = 0x0a000002, kIp = 0x0a000001;

std::string Arp(uint16_t operation, const std::string& sender_mac, uint32_t sender_ip,
                const std::string& target_mac, uint32_t target_ip) {
  return Be(1, 2) + Be(kEtherTypeIpv4, 2) + Be(6, 1) + Be(4, 1) + Be(operation, 2) + sender_mac +
         Be(sender_ip, 4) + target_mac + Be(target_ip, 4);
}
std::string Request(uint32_t ip, uint32_t from = kAskerIp) {
  return EthernetFrame(kEtherTypeArp, Arp(1, kAsker, from, Mac(0), ip), Mac(0xffffffffffff),
                       kAsker);
}
std::string Reply(uint32_t ip, const std::string& mac = kAnswer, uint32_t to = kAskerIp) {
  return EthernetFrame(kEtherTypeArp, Arp(2, mac, ip, kAsker, to), kAsker, mac);
}

absl::Status Add(ModuleTester& tester, const std::string& ip, const std::string& mac) {
  pb::ArpResponderArg arg;
  arg.set_ip(ip);
  arg.set_mac_addr(mac);
  return tester.Command("add", arg);
}

class ArpResponderTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(Add(tester_, "10.0.0.1", "02:00:00:00:00:01").ok()); }
  ModuleTester tester_{"ArpResponder", pb::EmptyArg()};
};

TEST_F(ArpResponderTest, AnswersInPlace) {
  const std::string padding(18, '\0');
  tester_.Send(0, {Request(kIp), Request(kIp) + padding});
  EXPECT_THAT(tester_.Received(0), ElementsAre(Reply(kIp), Reply(kIp) + padding));
}

TEST_F(ArpResponderTest, AnswersProbes) {
  tester_.Send(0, {Request(kIp, 0)});
  EXPECT_THAT(tester_.Received(0), ElementsAre(Reply(kIp, kAnswer, 0)));
}

TEST_F(ArpResponderTest, DefendsItsAddresses) {
  tester_.Send(0, {Request(kIp, kIp)});
  EXPECT_THAT(tester_.Received(0), ElementsAre(Reply(kIp, kAnswer, kIp)));
}

TEST_F(ArpResponderTest, AnswersBehindVlanTags) {
  const auto tagged = [](const std::string& frame) {
    return frame.substr(0, 12) + Be(kEtherTypeVlan, 2) + Be(5, 2) + frame.substr(12);
  };
  tester_.Send(0, {tagged(Request(kIp))});
  EXPECT_THAT(tester_.Received(0), ElementsAre(tagged(Reply(kIp))));
}

TEST_F(ArpResponderTest, DropsEverythingElse) {
  tester_.Send(0, {Request(kIp + 1), Request(kIp - 1), Request(0)});
  EXPECT_EQ(tester_.dropped(DropReason::kNoMatch), 3u);
  std::string other_hardware = Request(kIp), other_length = Request(kIp);
  other_hardware[15] = 6;
  other_length[18] = 8;
  tester_.Send(0, {Reply(kIp), EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, "")), other_hardware,
                   other_length});
  EXPECT_EQ(tester_.dropped(DropReason::kUnsupported), 4u);
  for (size_t n = 0; n < 42; ++n) tester_.Send(0, {Request(kIp).substr(0, n)});
  EXPECT_EQ(tester_.dropped(DropReason::kTruncated), 42u);
  EXPECT_EQ(tester_.count(0), 0u);
}

TEST_F(ArpResponderTest, TellsNobodyInTheNameOfAGroup) {
  std::string request = Request(kIp);
  request.replace(22, 6, Mac(0xffffffffffff));
  tester_.Send(0, {request});
  EXPECT_EQ(tester_.dropped(DropReason::kMalformed), 1u);
}

TEST_F(ArpResponderTest, AddingAgainReplaces) {
  EXPECT_TRUE(Add(tester_, "10.0.0.1", "02:00:00:00:00:ff").ok());
  tester_.Send(0, {Request(kIp)});
  EXPECT_THAT(tester_.Received(0), ElementsAre(Reply(kIp, Mac(0x0200000000ff))));
}

TEST_F(ArpResponderTest, RefusesBadAddressesAndKeepsWhatItHas) {
  for (const std::string ip :
       {"", "10.0.0", "10.0.0.256", "0.0.0.0", "224.0.0.1", "255.255.255.255"}) {
    EXPECT_EQ(StatusErrno(Add(tester_, ip, "02:00:00:00:00:02")), EINVAL) << ip;
  }
  for (const std::string mac :
       {"", "02:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}) {
    const absl::Status status = Add(tester_, "10.0.0.1", mac);
    EXPECT_EQ(StatusErrno(status), EINVAL) << mac;
    EXPECT_THAT(std::string(status.message()), HasSubstr(mac));
  }
  tester_.Send(0, {Request(kIp)});
  EXPECT_THAT(tester_.Received(0), ElementsAre(Reply(kIp)));
}

// Asks for some of 400 addresses while they get one MAC address after another.
void CompareWithAMap(std::mt19937& random, uint64_t rounds) {
  ModuleTester tester("ArpResponder", pb::EmptyArg());
  std::map<uint32_t, uint64_t> reference;
  for (uint64_t round = 0; round < rounds; ++round) {
    const uint32_t ip = kIp + random() % 400;
    reference[ip] = 0x020000000000 + random();
    const std::string bytes = Mac(reference[ip]);
    MacAddress mac;
    std::copy_n(bytes.begin(), mac.size(), mac.begin());
    ASSERT_TRUE(Add(tester, FormatIpv4(ip), FormatMac(mac)).ok());
    std::vector<std::string> sent, expected;
    for (uint32_t i = 0; i < 64; ++i) {
      const uint32_t wanted = kIp + random() % 400;
      sent.push_back(Request(wanted));
      const auto found = reference.find(wanted);
      if (found != reference.end()) expected.push_back(Reply(wanted, Mac(found->second)));
    }
    tester.Send(0, sent);
    ASSERT_EQ(tester.Received(0), expected);
  }
}

TEST(ArpResponderMapTest, AgreesWithAMap) {
  constexpr uint64_t kRounds = 1000;
  std::mt19937 random(1);
  for (uint64_t n = 0; n < SoakPackets(256'000); n += kRounds * kBatchSize) {
    CompareWithAMap(random, kRounds);
  }
}

TEST(ArpResponderKindsTest, TheLastMacOfAnAddressCounts) {
  const auto responder = ModuleRegistry::Get().Find("ArpResponder");
  const CommandClass& add = *responder->FindCommand("add");
  EXPECT_EQ(add.kind, CommandKind::kSets);
  pb::ArpResponderArg arg;
  arg.set_ip("10.0.0.1");
  arg.set_mac_addr("02:00:00:00:00:01");
  google::protobuf::Any any;
  any.PackFrom(arg);
  EXPECT_EQ(add.key(any), "10.0.0.1");
}

}  // namespace
}  // namespace bess
