// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "bess/util.pb.h"
#include "core/base/parse.h"
#include "core/base/soak_testing.h"
#include "core/graph/lookup_testing.h"
#include "core/packet/frames_testing.h"
#include "modules/l2_forward.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kFirst[] = "02:00:00:00:00:01";
constexpr char kSecond[] = "02:00:00:00:00:02";
constexpr char kThird[] = "02:00:00:00:00:03";

std::string To(uint64_t mac) { return EthernetFrame(0x1234, "payload", Mac(mac)); }

pb::L2ForwardArg Sized(int64_t size, int64_t bucket) {
  pb::L2ForwardArg arg;
  arg.set_size(size);
  arg.set_bucket(bucket);
  return arg;
}

class L2ForwardTest : public testing::Test {
 protected:
  explicit L2ForwardTest(const pb::L2ForwardArg& arg = {}) : tester_("L2Forward", arg) {}

  absl::Status Add(std::initializer_list<std::pair<std::string, int64_t>> entries) {
    pb::L2ForwardCommandAddArg arg;
    for (const auto& [addr, gate] : entries) {
      auto* entry = arg.add_entries();
      entry->set_addr(addr);
      entry->set_gate(gate);
    }
    return tester_.Command("add", arg);
  }
  absl::Status Delete(std::initializer_list<std::string> addrs) {
    pb::L2ForwardCommandDeleteArg arg;
    for (const std::string& addr : addrs) arg.add_addrs(addr);
    return tester_.Command("delete", arg);
  }
  absl::Status Lookup(std::initializer_list<std::string> addrs) {
    pb::L2ForwardCommandLookupArg arg;
    for (const std::string& addr : addrs) arg.add_addrs(addr);
    return tester_.Command("lookup", arg, &found_);
  }
  pb::L2ForwardConfig Config() {
    pb::L2ForwardConfig config;
    EXPECT_TRUE(tester_.Command("get_runtime_config", pb::EmptyArg(), &config).ok());
    return config;
  }
  absl::Status SetDefaultGate(int64_t gate) {
    pb::L2ForwardCommandSetDefaultGateArg arg;
    arg.set_gate(gate);
    return tester_.Command("set_default_gate", arg);
  }
  absl::Status Populate(const std::string& base, int64_t count, int64_t gate_count) {
    pb::L2ForwardCommandPopulateArg arg;
    arg.set_base(base);
    arg.set_count(count);
    arg.set_gate_count(gate_count);
    return tester_.Command("populate", arg);
  }

  ModuleTester tester_;
  pb::L2ForwardCommandLookupResponse found_;
};

void ExpectError(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST_F(L2ForwardTest, PicksTheGateOfTheAddress) {
  ASSERT_TRUE(Add({{kFirst, 5}, {kSecond, 0}, {kThird, 8191}}).ok());
  tester_.Send(0, {To(0x020000000001), To(0x020000000002), To(0x020000000001), To(0x020000000003),
                   To(0x020000000004)});
  EXPECT_EQ(tester_.count(5), 2u);
  EXPECT_THAT(tester_.Received(0), ElementsAre(To(0x020000000002)));
  EXPECT_EQ(tester_.count(8191), 1u);
  EXPECT_EQ(tester_.dropped(DropReason::kNoMatch), 1u) << "unknown addresses are dropped at first";
}

TEST_F(L2ForwardTest, DefaultGate) {
  ASSERT_TRUE(Add({{kFirst, 1}}).ok());
  ASSERT_TRUE(SetDefaultGate(7).ok());
  tester_.Send(0, {To(0x020000000009), To(0x020000000001), To(0)});
  EXPECT_EQ(tester_.count(7), 2u);
  EXPECT_EQ(tester_.count(1), 1u);
  ExpectError(SetDefaultGate(8193), EINVAL, "'gate' must be 0..8192, not 8193");
  ExpectError(SetDefaultGate(-1), EINVAL, "'gate' must be 0..8192, not -1");
  tester_.Send(0, {To(0)});
  EXPECT_EQ(tester_.count(7), 3u) << "a refused gate changes nothing";
  ASSERT_TRUE(SetDefaultGate(8192).ok());
  tester_.Send(0, {To(0)});
  EXPECT_EQ(tester_.dropped(DropReason::kNoMatch), 1u);
}

TEST_F(L2ForwardTest, RuntsAreDropped) {
  ASSERT_TRUE(SetDefaultGate(0).ok());
  ASSERT_TRUE(Add({{"00:00:00:00:00:00", 2}}).ok());
  tester_.Send(0, {To(0).substr(0, 14), To(0).substr(0, 13), "", To(1)});
  EXPECT_EQ(tester_.count(2), 1u);
  EXPECT_EQ(tester_.count(0), 1u);
  EXPECT_EQ(tester_.dropped(DropReason::kTruncated), 2u);
}

TEST_F(L2ForwardTest, AddsAllOrNothing) {
  ASSERT_TRUE(Add({{kFirst, 1}}).ok());
  ExpectError(Add({{kSecond, 1}, {kFirst, 2}}), EEXIST, kFirst);
  ExpectError(Add({{kSecond, 1}, {kSecond, 1}}), EEXIST, kSecond);
  ExpectError(Add({{kSecond, 1}, {kThird, 8192}}), EINVAL, "'gate' must be 0..8191, not 8192");
  ExpectError(Add({{kSecond, 1}, {kThird, -1}}), EINVAL, "'gate' must be 0..8191, not -1");
  ExpectError(Add({{kSecond, 1}, {"02:00:00:00:00", 1}}), EINVAL, "'02:00:00:00:00' is not a MAC");
  ExpectError(Lookup({kSecond}), ENOENT, kSecond);
  ASSERT_TRUE(Lookup({kFirst}).ok());
  EXPECT_THAT(found_.gates(), ElementsAre(1));
}

TEST_F(L2ForwardTest, DeletesAllOrNothing) {
  ASSERT_TRUE(Add({{kFirst, 1}, {kSecond, 2}}).ok());
  ExpectError(Delete({kFirst, kThird}), ENOENT, kThird);
  ExpectError(Delete({kFirst, kFirst}), EINVAL, "deleted twice");
  ExpectError(Delete({kFirst, "x"}), EINVAL, "'x' is not a MAC address");
  ASSERT_TRUE(Lookup({kSecond, kFirst}).ok());
  EXPECT_THAT(found_.gates(), ElementsAre(2, 1));
  ASSERT_TRUE(Delete({kFirst}).ok());
  ExpectError(Lookup({kFirst}), ENOENT, kFirst);
  tester_.Send(0, {To(0x020000000001), To(0x020000000002)});
  EXPECT_EQ(tester_.count(2), 1u);
  EXPECT_EQ(tester_.dropped(DropReason::kNoMatch), 1u);
  EXPECT_TRUE(Add({{kFirst, 3}}).ok());
}

// BESS found 897 of 2000.
TEST_F(L2ForwardTest, AConfigurationIsExchangedAsAWhole) {
  ASSERT_TRUE(Add({{kSecond, 2}, {kFirst, 1}}).ok());
  ASSERT_TRUE(SetDefaultGate(9).ok());
  const pb::L2ForwardConfig config = Config();
  EXPECT_EQ(config.default_gate(), 9u);
  ASSERT_EQ(config.entries_size(), 2);
  EXPECT_EQ(config.entries(0).addr(), kFirst);
  EXPECT_EQ(config.entries(1).addr(), kSecond);
  EXPECT_EQ(config.entries(1).gate(), 2);

  pb::L2ForwardConfig other;
  other.set_default_gate(kMaxGates);
  *other.add_entries() = config.entries(0);
  ASSERT_TRUE(tester_.Command("set_runtime_config", other).ok());
  EXPECT_TRUE(Lookup({kFirst}).ok());
  EXPECT_EQ(StatusErrno(Lookup({kSecond})), ENOENT);
  ASSERT_TRUE(tester_.Command("set_runtime_config", config).ok());
  EXPECT_EQ(Config().SerializeAsString(), config.SerializeAsString());
  tester_.Send(0, {To(0x020000000003)});
  EXPECT_EQ(tester_.Received(9).size(), 1u);
}

TEST_F(L2ForwardTest, ABadConfigurationChangesNothing) {
  ASSERT_TRUE(Add({{kFirst, 1}}).ok());
  const std::string before = Config().SerializeAsString();
  const auto refused = [&](const pb::L2ForwardConfig& config, const std::string& text) {
    const absl::Status status = tester_.Command("set_runtime_config", config);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
    EXPECT_EQ(Config().SerializeAsString(), before);
  };
  pb::L2ForwardConfig config = Config();
  config.set_default_gate(kMaxGates + 1);
  refused(config, "'default_gate' must be a gate, 0..8192, not 8193");
  config = Config();
  *config.add_entries() = config.entries(0);
  refused(config, kFirst);
  config.mutable_entries(1)->set_addr("02:00");
  refused(config, "'02:00'");
}

TEST_F(L2ForwardTest, FindsEveryAddressItWasGiven) {
  ASSERT_TRUE(Populate("02:00:00:00:ff:00", 3800, 10).ok());
  std::vector<std::string> packets;
  for (uint64_t i = 0; i < 3800; ++i) packets.push_back(To(0x02000000ff00 + i));
  tester_.Send(0, packets);
  for (uint32_t gate = 0; gate < 10; ++gate) EXPECT_EQ(tester_.count(gate), 380u);
  EXPECT_EQ(tester_.Received(3).at(1), packets[13]);
  EXPECT_EQ(tester_.all_dropped(), 0u);
}

TEST_F(L2ForwardTest, PopulateChecksItsArguments) {
  ExpectError(Populate(kFirst, 10, 0), EINVAL, "'gate_count' must be 1..8192, not 0");
  ExpectError(Populate(kFirst, 10, 8193), EINVAL, "'gate_count' must be 1..8192, not 8193");
  ExpectError(Populate(kFirst, 0, 1), EINVAL, "'count' must be at least 1, not 0");
  ExpectError(Populate(kFirst, -5, 1), EINVAL, "'count' must be at least 1, not -5");
  ExpectError(Populate("nonsense", 1, 1), EINVAL, "'nonsense' is not a MAC address");
  ExpectError(Populate("ff:ff:ff:ff:ff:fe", 3, 1), EINVAL, "'count' must be at most 2");
  ExpectError(Populate("00:00:00:00:00:00", 4097, 1), ENOSPC, "00:00:00:00:10:00");
  EXPECT_TRUE(Populate("ff:ff:ff:ff:ff:fe", 2, 1).ok());
  ExpectError(Populate("ff:ff:ff:ff:ff:ff", 1, 1), EEXIST, "ff:ff:ff:ff:ff:ff");
}

class TinyL2ForwardTest : public L2ForwardTest {
 protected:
  TinyL2ForwardTest() : L2ForwardTest(Sized(1, 2)) {}
};

// BESS shifted by the width of the word for a table of one bucket.
TEST_F(TinyL2ForwardTest, AFullTableSaysSoAndKeepsWhatItHas) {
  ASSERT_TRUE(Add({{kFirst, 1}}).ok());
  ExpectError(Add({{kSecond, 2}, {kThird, 3}}), ENOSPC, kThird);
  ExpectError(Lookup({kSecond}), ENOENT, kSecond);
  ASSERT_TRUE(Add({{kSecond, 2}}).ok());
  ExpectError(Add({{kThird, 3}}), ENOSPC, kThird);
  ASSERT_TRUE(Lookup({kFirst, kSecond}).ok());
  EXPECT_THAT(found_.gates(), ElementsAre(1, 2));
  ASSERT_TRUE(Delete({kFirst}).ok());
  EXPECT_TRUE(Add({{kThird, 3}}).ok());
}

void ExpectRefused(const pb::L2ForwardArg& arg, const std::string& text) {
  ExpectError(ModuleTester("L2Forward", arg).status(), EINVAL, text);
}

TEST(L2ForwardInitTest, RefusesBadSizes) {
  ExpectRefused(Sized(3, 4), "'size' must be a power of two, 1..4194304, not 3");
  ExpectRefused(Sized(-1, 4), "1..4194304, not -1");
  ExpectRefused(Sized(INT64_MIN, 4), "1..4194304, not -9223372036854775808");
  ExpectRefused(Sized(8388608, 4), "1..4194304, not 8388608");
  ExpectRefused(Sized(1024, 3), "'bucket' must be 1, 2 or 4, not 3");
  ExpectRefused(Sized(1024, 8), "'bucket' must be 1, 2 or 4, not 8");
  ExpectRefused(Sized(1024, -4), "'bucket' must be 1, 2 or 4, not -4");
}

// Addresses come and go in a table that is often full; a map says where each packet must leave.
class AddressDuel {
 public:
  explicit AddressDuel(uint32_t seed) : tester_("L2Forward", Sized(16, 4)), random_(seed) {}

  void Step() {
    const auto address = static_cast<uint8_t>(random_() % kAddresses);
    gates_.erase(address) != 0 ? Delete(address) : Add(address);
    ExpectGates(
        tester_, kGates, [&] { return To(random_() % kAddresses); },
        [&](const std::string& packet) {
          const auto it = gates_.find(static_cast<uint8_t>(packet[5]));
          return it == gates_.end() ? kGates : it->second;
        });
  }

  uint64_t refused = 0;

 private:
  static constexpr uint32_t kGates = 6, kAddresses = 200;

  void Delete(uint8_t address) {
    pb::L2ForwardCommandDeleteArg arg;
    arg.add_addrs(FormatMac({0, 0, 0, 0, 0, address}));
    ASSERT_TRUE(tester_.Command("delete", arg).ok());
  }
  void Add(uint8_t address) {
    const auto gate = static_cast<uint32_t>(random_() % kGates);
    pb::L2ForwardCommandAddArg arg;
    auto& entry = *arg.add_entries();
    entry.set_addr(FormatMac({0, 0, 0, 0, 0, address}));
    entry.set_gate(gate);
    const absl::Status added = tester_.Command("add", arg);
    added.ok() ? gates_[address] = gate : ++refused;
    ASSERT_TRUE(added.ok() || StatusErrno(added) == ENOSPC) << added;
  }

  ModuleTester tester_;
  std::mt19937 random_;
  std::map<uint8_t, uint32_t> gates_;
};

TEST(L2ForwardDuelTest, AgreesWithAMapWhileAddressesChange) {
  constexpr uint64_t kBatches = 2000;  // of each duel
  const uint64_t duels = SoakPackets(2 * kBatches * kBatchSize) / (kBatches * kBatchSize);
  for (uint32_t seed = 0; seed < duels && !testing::Test::HasFatalFailure(); ++seed) {
    AddressDuel duel(seed);
    for (uint64_t i = 0; i < kBatches && !testing::Test::HasFatalFailure(); ++i) duel.Step();
    EXPECT_GT(duel.refused, 0u) << "the table is full now and then";
  }
}

TEST(L2ForwardKindsTest, ALookupOnlyReads) {
  const auto l2_forward = ModuleRegistry::Get().Find("L2Forward");
  EXPECT_EQ(l2_forward->FindCommand("lookup")->kind, CommandKind::kReads);
}

}  // namespace
}  // namespace bess
