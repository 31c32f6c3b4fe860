// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>
#include <random>
#include <tuple>

#include "bess/util.pb.h"
#include "core/base/parse.h"
#include "core/base/soak_testing.h"
#include "core/graph/lookup_testing.h"
#include "core/packet/frames_testing.h"
#include "modules/ip_lookup.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string To(const std::string& address) {
  if (address.find(':') == std::string::npos) {
    return EthernetFrame(kEtherTypeIpv4,
                         Ipv4Packet({.destination = *ParseIpv4(address)}, UdpSegment(1, 2)));
  }
  const Ipv6Address bytes = *ParseIpv6(address);
  return EthernetFrame(
      kEtherTypeIpv6,
      Ipv6Packet({.destination = std::string(bytes.begin(), bytes.end())}, UdpSegment(1, 2)));
}

pb::IPLookupArg Sized(uint32_t max_rules, uint32_t max_tbl8s) {
  pb::IPLookupArg arg;
  arg.set_max_rules(max_rules);
  arg.set_max_tbl8s(max_tbl8s);
  return arg;
}

class IPLookupTest : public testing::Test {
 protected:
  explicit IPLookupTest(const pb::IPLookupArg& arg = {}) : tester_("IPLookup", arg) {}

  absl::Status Add(const std::string& prefix, uint64_t length, uint64_t gate) {
    pb::IPLookupCommandAddArg arg;
    arg.set_prefix(prefix);
    arg.set_prefix_len(length);
    arg.set_gate(gate);
    return tester_.Command("add", arg);
  }
  absl::Status Delete(const std::string& prefix, uint64_t length) {
    pb::IPLookupCommandDeleteArg arg;
    arg.set_prefix(prefix);
    arg.set_prefix_len(length);
    return tester_.Command("delete", arg);
  }
  pb::IPLookupConfig Config() {
    pb::IPLookupConfig config;
    EXPECT_TRUE(tester_.Command("get_runtime_config", pb::EmptyArg(), &config).ok());
    return config;
  }
  // The gate by which a packet to this address leaves; -1 when it is dropped.
  int GateOf(const std::string& address) {
    const uint64_t dropped = tester_.all_dropped();
    tester_.Send(0, {To(address)});
    if (tester_.all_dropped() != dropped) return -1;
    for (uint32_t gate = 0; gate < kMaxGates; ++gate) {
      if (!tester_.Received(gate).empty()) return static_cast<int>(gate);
    }
    return -2;
  }

  ModuleTester tester_;
};

void ExpectError(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST_F(IPLookupTest, TheLongestPrefixDecides) {
  ASSERT_TRUE(Add("10.0.0.0", 8, 1).ok());
  ASSERT_TRUE(Add("10.1.0.0", 16, 2).ok());
  ASSERT_TRUE(Add("10.1.2.3", 32, 8191).ok());
  ASSERT_TRUE(Add("2001:db8::", 32, 3).ok());
  ASSERT_TRUE(Add("2001:db8:1::", 48, 4).ok());
  ASSERT_TRUE(Add("2001:db8:1::1", 128, 5).ok());
  EXPECT_EQ(GateOf("10.255.255.255"), 1);
  EXPECT_EQ(GateOf("10.1.2.4"), 2);
  EXPECT_EQ(GateOf("10.1.2.3"), 8191);
  EXPECT_EQ(GateOf("11.0.0.0"), -1);
  EXPECT_EQ(GateOf("2001:db8:ffff::"), 3);
  EXPECT_EQ(GateOf("2001:db8:1::2"), 4);
  EXPECT_EQ(GateOf("2001:db8:1::1"), 5);
  EXPECT_EQ(GateOf("2001:db9::"), -1);
  EXPECT_EQ(tester_.dropped(DropReason::kNoMatch), 2u);
}

TEST_F(IPLookupTest, AMixedBatchStaysInOrder) {
  ASSERT_TRUE(Add("10.0.0.0", 8, 0).ok());
  ASSERT_TRUE(Add("2001:db8::", 32, 0).ok());
  ASSERT_TRUE(Add("11.0.0.0", 8, 1).ok());
  std::vector<std::string> sent, first;
  for (int i = 0; i < 200; ++i) {
    const std::string address = i % 3 == 0   ? absl::StrCat("10.0.0.", i)
                                : i % 3 == 1 ? absl::StrCat("2001:db8::", i)
                                             : absl::StrCat("11.0.0.", i);
    sent.push_back(To(address));
    if (i % 3 != 2) first.push_back(sent.back());
  }
  tester_.Send(0, sent);
  EXPECT_EQ(tester_.Received(0), first);
  EXPECT_EQ(tester_.count(1), 66u);
}

TEST_F(IPLookupTest, LengthZeroIsTheDefaultGateOfItsFamily) {
  EXPECT_EQ(GateOf("10.0.0.1"), -1) << "dropped at first";
  ASSERT_TRUE(Add("0.0.0.0", 0, 8191).ok());
  EXPECT_EQ(GateOf("10.0.0.1"), 8191);
  EXPECT_EQ(GateOf("2001:db8::1"), -1);
  ASSERT_TRUE(Add("::", 0, 7).ok());
  EXPECT_EQ(GateOf("2001:db8::1"), 7);
  ASSERT_TRUE(Add("0.0.0.0", 0, 6).ok());
  EXPECT_EQ(GateOf("10.0.0.1"), 6);
  ASSERT_TRUE(Delete("0.0.0.0", 0).ok());
  EXPECT_EQ(GateOf("10.0.0.1"), -1);
  EXPECT_TRUE(Delete("0.0.0.0", 0).ok()) << "nothing to do is no error here";
}

TEST_F(IPLookupTest, Gate8192Drops) {
  ASSERT_TRUE(Add("10.0.0.0", 8, 1).ok());
  ASSERT_TRUE(Add("10.1.0.0", 16, 8192).ok());
  EXPECT_EQ(GateOf("10.1.0.1"), -1);
  EXPECT_EQ(tester_.dropped(DropReason::kDenied), 1u);
  EXPECT_EQ(GateOf("10.2.0.1"), 1);
}

TEST_F(IPLookupTest, DeletedRoutesUncoverShorterOnes) {
  ASSERT_TRUE(Add("10.0.0.0", 8, 1).ok());
  ASSERT_TRUE(Add("10.1.0.0", 16, 2).ok());
  ASSERT_TRUE(Delete("10.1.0.0", 16).ok());
  EXPECT_EQ(GateOf("10.1.0.1"), 1);
  ExpectError(Delete("10.1.0.0", 16), ENOENT, "there is no route 10.1.0.0/16");
  ExpectError(Delete("2001:db8::", 32), ENOENT, "there is no route 2001:db8::/32");
}

// BESS kept the default gate.
TEST_F(IPLookupTest, ClearForgetsTheDefaultGateToo) {
  ASSERT_TRUE(Add("0.0.0.0", 0, 1).ok());
  ASSERT_TRUE(Add("::", 0, 1).ok());
  ASSERT_TRUE(Add("10.0.0.0", 8, 2).ok());
  ASSERT_TRUE(tester_.Command("clear", pb::EmptyArg()).ok());
  EXPECT_EQ(GateOf("10.0.0.1"), -1);
  EXPECT_EQ(GateOf("11.0.0.1"), -1);
  EXPECT_EQ(GateOf("::1"), -1);
  ExpectError(Delete("10.0.0.0", 8), ENOENT, "there is no route");
  ASSERT_TRUE(Add("10.0.0.0", 8, 3).ok());
  EXPECT_EQ(GateOf("10.0.0.1"), 3);
}

// BESS's errors were empty or lost.
TEST_F(IPLookupTest, AConfigurationIsExchangedAsAWhole) {
  ASSERT_TRUE(Add("2001:db8::", 32, 5).ok());
  ASSERT_TRUE(Add("10.1.0.0", 16, 2).ok());
  ASSERT_TRUE(Add("10.0.0.0", 8, 1).ok());
  const pb::IPLookupConfig config = Config();
  ASSERT_EQ(config.routes_size(), 3);
  EXPECT_EQ(config.routes(0).ShortDebugString(), R"(prefix: "10.0.0.0" prefix_len: 8 gate: 1)");
  EXPECT_EQ(config.routes(1).ShortDebugString(), R"(prefix: "10.1.0.0" prefix_len: 16 gate: 2)");
  EXPECT_EQ(config.routes(2).ShortDebugString(), R"(prefix: "2001:db8::" prefix_len: 32 gate: 5)");

  pb::IPLookupConfig other;
  *other.add_routes() = config.routes(0);
  other.mutable_routes(0)->set_gate(7);
  ASSERT_TRUE(tester_.Command("set_runtime_config", other).ok());
  EXPECT_EQ(GateOf("10.1.0.1"), 7);
  EXPECT_EQ(GateOf("2001:db8::1"), -1);
  ASSERT_TRUE(tester_.Command("set_runtime_config", config).ok());
  EXPECT_EQ(Config().SerializeAsString(), config.SerializeAsString());
  EXPECT_EQ(GateOf("10.1.0.1"), 2);
  EXPECT_EQ(GateOf("2001:db8::1"), 5);
}

TEST_F(IPLookupTest, ABadConfigurationChangesNothing) {
  ASSERT_TRUE(Add("10.0.0.0", 8, 1).ok());
  pb::IPLookupConfig bad = Config();
  *bad.add_routes() = bad.routes(0);
  bad.mutable_routes(1)->set_prefix_len(33);
  ExpectError(tester_.Command("set_runtime_config", bad), EINVAL, "routes[1]: 'prefix_len'");
  EXPECT_EQ(Config().routes_size(), 1);
  EXPECT_EQ(GateOf("10.9.9.9"), 1);
}

TEST_F(IPLookupTest, RefusedRoutesAreNamedAndChangeNothing) {
  ASSERT_TRUE(Add("10.0.0.0", 8, 1).ok());
  ExpectError(Add("10.0.0.0", 33, 2), EINVAL, "'prefix_len' must be 0..32, not 33");
  ExpectError(Add("10.0.0.0", (uint64_t{1} << 32) + 8, 2), EINVAL, "not 4294967304");
  ExpectError(Add("2001:db8::", 129, 2), EINVAL, "'prefix_len' must be 0..128, not 129");
  ExpectError(Add("10.0.0.1", 8, 2), EINVAL, "'10.0.0.1/8' has bits set behind its prefix length");
  ExpectError(Add("10.0.0.1", 0, 2), EINVAL, "the prefix is '0.0.0.0/0'");
  ExpectError(Add("::1", 127, 2), EINVAL, "'::1/127' has bits set");
  ExpectError(Add("10.0.0.0", 8, 8193), EINVAL, "'gate' must be a gate, 0..8192, not 8193");
  ExpectError(Add("10.0.0.0", 8, uint64_t{1} << 32), EINVAL, "not 4294967296");
  ExpectError(Add("10.0.0", 8, 2), EINVAL, "'10.0.0' is not an IPv4 address");
  ExpectError(Add("10.0.0.0/8", 8, 2), EINVAL, "'10.0.0.0/8' is not an IPv4 address");
  ExpectError(Add("", 0, 2), EINVAL, "'' is not an IPv4 address");
  ExpectError(Add("2001::db8::", 32, 2), EINVAL, "'2001::db8::' is not an IPv6 address");
  ExpectError(Delete("10.0.0.0", 33), EINVAL, "'prefix_len' must be 0..32, not 33");
  ExpectError(Delete("10.0.0.1", 8), EINVAL, "has bits set");
  ExpectError(Delete("x:", 8), EINVAL, "'x:' is not an IPv6 address");
  EXPECT_EQ(GateOf("10.0.0.1"), 1);
  EXPECT_EQ(GateOf("11.0.0.1"), -1);
  EXPECT_EQ(GateOf("2001:db8::1"), -1);
}

class SmallIPLookupTest : public IPLookupTest {
 protected:
  SmallIPLookupTest() : IPLookupTest(Sized(3, 1)) {}
};

TEST_F(SmallIPLookupTest, AFullTableSaysSoAndKeepsWhatItHas) {
  ASSERT_TRUE(Add("0.0.0.0", 0, 9).ok()) << "default routes take no room";
  ASSERT_TRUE(Add("::", 0, 9).ok());
  ASSERT_TRUE(Add("10.0.0.0", 32, 1).ok());
  ExpectError(Add("10.0.1.0", 32, 1), ENOSPC, "there is room for 1 different first 24 bits");
  ASSERT_TRUE(Add("10.0.0.1", 32, 1).ok());
  ASSERT_TRUE(Add("2001:db8::1", 128, 2).ok()) << "IPv6 has groups of its own";
  ExpectError(Add("11.0.0.0", 8, 1), ENOSPC, "there is room for 3 routes ('max_rules')");
  ExpectError(Add("2001:db8::2", 128, 1), ENOSPC, "there is room for 3 routes");
  ASSERT_TRUE(Add("10.0.0.1", 32, 4).ok()) << "there already: takes no room";
  EXPECT_EQ(GateOf("10.0.0.1"), 4);
  EXPECT_EQ(GateOf("10.0.1.0"), 9);
  ASSERT_TRUE(Delete("10.0.0.0", 32).ok());
  ASSERT_TRUE(Delete("10.0.0.1", 32).ok());
  ASSERT_TRUE(Add("10.0.1.0", 32, 5).ok());
  EXPECT_EQ(GateOf("10.0.1.0"), 5);
}

TEST(IPLookupInitTest, RefusesSizesBeyondTheBound) {
  ExpectError(ModuleTester("IPLookup", Sized(4194305, 0)).status(), EINVAL,
              "'max_rules' must be 0..4194304, not 4194305");
  ExpectError(ModuleTester("IPLookup", Sized(0, 16777217)).status(), EINVAL,
              "'max_tbl8s' must be 0..16777216, not 16777217");
  EXPECT_TRUE(ModuleTester("IPLookup", Sized(4194304, 16777216)).ok());
}

TEST_F(IPLookupTest, WhatIsNotIpIsDropped) {
  ASSERT_TRUE(Add("0.0.0.0", 0, 1).ok());
  ASSERT_TRUE(Add("::", 0, 1).ok());
  const std::string ip = To("10.0.0.1");
  tester_.Send(0, {EthernetFrame(kEtherTypeArp, std::string(28, '\0')), ip.substr(0, 33),
                   To("::1").substr(0, 53), "", ip.substr(0, 13), ip});
  EXPECT_THAT(tester_.Received(1), ElementsAre(ip));
  EXPECT_EQ(tester_.dropped(DropReason::kUnsupported), 1u);
  EXPECT_EQ(tester_.dropped(DropReason::kMalformed), 2u);
  EXPECT_EQ(tester_.dropped(DropReason::kTruncated), 2u);
}

// A route to the last bits of an address: IPv6 ones begin with the 12 bytes 2001:db8::.
struct Route {
  bool ipv6;
  Ipv4Prefix prefix;

  std::string Text() const {
    const std::string four = FormatIpv4(prefix.address);
    return ipv6 ? "2001:db8::" + four : four;
  }
  uint64_t Length() const { return ipv6 ? 96 + prefix.length : prefix.length; }
  auto Order() const { return std::tuple(prefix.length, prefix.address, ipv6); }
  bool operator<(const Route& other) const { return Order() < other.Order(); }
};

// Routes come and go between batches; a list of them says where each packet must leave.
class RouteDuel {
 public:
  explicit RouteDuel(uint32_t seed) : random_(seed) {}

  void Step() {
    ChangeOne();
    ExpectGates(
        tester_, kGates, [&] { return SomePacket(); },
        [&](const std::string& packet) { return GateOf(packet); });
  }

 private:
  static constexpr uint32_t kGates = 8;

  uint32_t Draw(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  uint32_t SomeAddress() { return 0x0a000000 | static_cast<uint32_t>(random_() & 0x01010183); }

  std::string SomePacket() {
    const uint32_t address = SomeAddress();
    const std::string l4 = UdpSegment(1, 2);
    if (Draw(2) == 0) {
      return EthernetFrame(kEtherTypeIpv4, Ipv4Packet({.destination = address}, l4));
    }
    const std::string six = Be(0x20010db8, 4) + Be(0, 8) + Be(address, 4);
    return EthernetFrame(kEtherTypeIpv6, Ipv6Packet({.destination = six}, l4));
  }

  void ChangeOne() {
    Route route{Draw(2) == 0, {SomeAddress(), Draw(33)}};
    route.prefix.address &= route.prefix.mask();
    if (const auto it = routes_.find(route); it != routes_.end()) {
      pb::IPLookupCommandDeleteArg arg;
      arg.set_prefix(route.Text());
      arg.set_prefix_len(route.Length());
      ASSERT_TRUE(tester_.Command("delete", arg).ok());
      routes_.erase(it);
      return;
    }
    const uint32_t gate = Draw(kGates);
    pb::IPLookupCommandAddArg arg;
    arg.set_prefix(route.Text());
    arg.set_prefix_len(route.Length());
    arg.set_gate(gate);
    ASSERT_TRUE(tester_.Command("add", arg).ok());
    routes_[route] = gate;
  }

  // The longest route comes last.
  uint32_t GateOf(const std::string& packet) const {
    const bool ipv6 = packet[12] == '\x86';
    const auto address = LoadUnaligned<Be32>(packet.data() + (ipv6 ? 50 : 30)).value();
    for (auto route = routes_.rbegin(); route != routes_.rend(); ++route) {
      const auto& [holder, gate] = *route;
      if (holder.ipv6 == ipv6 && holder.prefix.Contains(address)) return gate;
    }
    return kGates;
  }

  ModuleTester tester_{"IPLookup", pb::IPLookupArg()};
  std::mt19937 random_;
  std::map<Route, uint32_t> routes_;
};

TEST(IPLookupDuelTest, AgreesWithTheSlowWayWhileRoutesChange) {
  constexpr uint64_t kBatches = 1000;  // of each duel
  const uint64_t duels = SoakPackets(kBatches * kBatchSize) / (kBatches * kBatchSize);
  for (uint32_t seed = 0; seed < duels && !testing::Test::HasFatalFailure(); ++seed) {
    RouteDuel duel(seed);
    for (uint64_t i = 0; i < kBatches && !testing::Test::HasFatalFailure(); ++i) duel.Step();
  }
}

}  // namespace
}  // namespace bess
