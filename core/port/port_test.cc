// SPDX-License-Identifier: Apache-2.0
//
// The base class: accounting, chains of segments, forgotten layouts, the registry.
#include "core/port/port.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/packet/segments.h"
#include "core/port/port_pools.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing_ports::Frame;
using testing_ports::MakePackets;
using testing_ports::Pool;

// Gives what it is told to give, and takes as many as it is told to take.
class FakePort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "FakePort", .help = "for tests", .template_name = "fake"};

  absl::Status Init(const pb::PMDPortArg& arg) {
    return arg.loopback() ? Error(EINVAL, "no") : absl::OkStatus();
  }

  std::vector<Packet*> waiting;
  uint32_t takes = kBatchSize;
  bool sends_chains = false;
  std::vector<uint32_t> sent;  // lengths of the packets

 private:
  uint32_t DoReceive(uint32_t, Packet** packets, uint32_t max) override {
    const auto n = std::min<uint32_t>(max, static_cast<uint32_t>(waiting.size()));
    std::copy_n(waiting.begin(), n, packets);
    waiting.erase(waiting.begin(), waiting.begin() + n);
    return n;
  }
  uint32_t DoSend(uint32_t, Packet** packets, uint32_t n) override {
    n = std::min(n, takes);
    for (uint32_t i = 0; i < n; ++i) {
      EXPECT_TRUE(sends_chains || packets[i]->linear());
      sent.push_back(packets[i]->total_length());
    }
    FreePackets(packets, n);
    return n;
  }
  bool SendsChains() const override { return sends_chains; }
  uint64_t LostByDevice() const override { return 1000; }
};

class PortBaseTest : public testing::Test {
 protected:
  PortBaseTest() {
    static const DriverClass driver = port_internal::Describe<FakePort>();
    auto port = driver.Create("fake", {.rx_queues = 2, .tx_queues = 2}, pools_, {});
    EXPECT_TRUE(port.ok()) << port.status();
    owner_ = *std::move(port);
    port_ = static_cast<FakePort*>(owner_.get());
  }
  ~PortBaseTest() override { EXPECT_EQ(Pool().in_use(), 0u); }

  PortPools pools_{Pool()};
  std::unique_ptr<Port> owner_;
  FakePort* port_;
  Packet* packets_[kBatchSize];
};

TEST_F(PortBaseTest, CountsWhatComesIn) {
  port_->waiting = MakePackets({Frame(60), Frame(100), Frame(1500)});
  EXPECT_EQ(port_->Receive(0, packets_, 2).packets, 2u);
  FreePackets(packets_, 2);
  EXPECT_EQ(port_->Receive(1, packets_, 64).packets, 1u);
  FreePackets(packets_, 1);
  EXPECT_EQ(port_->Receive(1, packets_, 64).packets, 0u);
  const PortStats stats = port_->Stats(Direction::kReceive);
  EXPECT_EQ(stats.packets, 3u);
  EXPECT_EQ(stats.bytes, 1660u);
  EXPECT_EQ(stats.dropped, 1000u) << "what the device lost";
  EXPECT_EQ(stats.requested[2], 1u);
  EXPECT_EQ(stats.requested[64], 2u);
  EXPECT_EQ(stats.actual[2], 1u);
  EXPECT_EQ(stats.actual[1], 1u);
  EXPECT_EQ(stats.actual[0], 1u);
  EXPECT_EQ(stats.diff[0], 1u);
  EXPECT_EQ(stats.diff[63], 1u);
  EXPECT_EQ(stats.diff[64], 1u);
  EXPECT_EQ(port_->Stats(Direction::kSend).packets, 0u);
}

TEST_F(PortBaseTest, CountsWhatGoesOutAndWhatDoesNot) {
  port_->takes = 2;
  std::vector<Packet*> packets = MakePackets({Frame(60), Frame(70), Frame(80), Frame(90)});
  EXPECT_EQ(port_->Send(1, packets.data(), 4), 2u);
  FreePackets(packets.data() + 2, 2);
  const PortStats stats = port_->Stats(Direction::kSend);
  EXPECT_EQ(stats.packets, 2u);
  EXPECT_EQ(stats.bytes, 130u);
  EXPECT_EQ(stats.dropped, 2u);
  EXPECT_EQ(stats.requested[4], 1u);
  EXPECT_EQ(stats.actual[2], 1u);
  EXPECT_EQ(stats.diff[2], 1u);
}

TEST_F(PortBaseTest, ForgetsTheLayout) {
  port_->waiting = MakePackets({Frame(60)});
  port_->waiting[0]->layout();
  ASSERT_NE(port_->waiting[0]->mbuf()->hash.fdir.hi, 0u);
  ASSERT_EQ(port_->Receive(0, packets_, 64).packets, 1u);
  EXPECT_EQ(packets_[0]->mbuf()->hash.fdir.hi, 0u);
  FreePackets(packets_, 1);
}

// Adds segments of `length` bytes each.
void Chain(Packet* head, uint16_t length, uint32_t times = 1) {
  for (uint32_t i = 0; i < times; ++i) {
    Packet* tail;
    ASSERT_TRUE(Pool().Alloc(&tail, 1, length));
    std::memset(tail->data(), 't', length);
    AddSegment(*head, tail);
  }
}

TEST_F(PortBaseTest, LetsChainsInWithTheirHeadersInTheFirstSegment) {
  port_->waiting = MakePackets({Frame(60), Frame(100), Frame(20), Frame(2000)});
  Chain(port_->waiting[1], 50);
  Chain(port_->waiting[2], 200, 3);
  Chain(port_->waiting[3], 1000);
  ASSERT_EQ(port_->Receive(0, packets_, 64).packets, 4u);
  EXPECT_TRUE(packets_[1]->linear());
  EXPECT_EQ(packets_[1]->length(), 150);
  EXPECT_EQ(packets_[1]->data()[149], 't');
  EXPECT_EQ(packets_[2]->length(), kHeaderRoom);
  EXPECT_EQ(packets_[2]->total_length(), 620u);
  EXPECT_EQ(packets_[3]->length(), 2000) << "is left as it came";
  EXPECT_EQ(packets_[3]->total_length(), 3000u);
  FreePackets(packets_, 4);
  const PortStats stats = port_->Stats(Direction::kReceive);
  EXPECT_EQ(stats.bytes, 60u + 150u + 620u + 3000u);
  EXPECT_EQ(stats.dropped, 1000u) << "none but what the device lost";
}

TEST_F(PortBaseTest, DropsChainsThatModulesMustNotSee) {
  port_->waiting = MakePackets({Frame(60), Frame(20), Frame(2000), Frame(70)});
  rte_mbuf* no_room = port_->waiting[1]->mbuf();
  no_room->data_off = static_cast<uint16_t>(no_room->buf_len - no_room->data_len);
  Chain(port_->waiting[1], 50);
  Chain(port_->waiting[2], kDefaultDataRoom, kMaxPacketSegments);
  ASSERT_EQ(port_->Receive(0, packets_, 64).packets, 2u);
  EXPECT_EQ(packets_[0]->length(), 60);
  EXPECT_EQ(packets_[1]->length(), 70);
  FreePackets(packets_, 2);
  const PortStats stats = port_->Stats(Direction::kReceive);
  EXPECT_EQ(stats.packets, 2u);
  EXPECT_EQ(stats.bytes, 130u);
  EXPECT_EQ(stats.dropped, 1002u);
  EXPECT_EQ(stats.actual[2], 1u);
}

TEST_F(PortBaseTest, GivesChainsToDriversThatGather) {
  port_->sends_chains = true;
  std::vector<Packet*> packets = MakePackets({Frame(60), Frame(2000)});
  Chain(packets[1], 1000);
  EXPECT_EQ(port_->Send(0, packets.data(), 2), 2u);
  EXPECT_EQ(port_->sent, (std::vector<uint32_t>{60, 3000}));
  EXPECT_EQ(port_->Stats(Direction::kSend).bytes, 3060u);
}

TEST_F(PortBaseTest, OtherDriversGetLinearPacketsAndTheOthersStillGo) {
  std::vector<Packet*> packets = MakePackets({Frame(2000), Frame(60), Frame(100), Frame(70)});
  Chain(packets[0], 1000);  // more than a buffer holds
  Chain(packets[2], 50);
  Packet* too_long = packets[0];
  EXPECT_EQ(port_->Send(0, packets.data(), 4), 3u);
  EXPECT_EQ(port_->sent, (std::vector<uint32_t>{60, 150, 70})) << "in order";
  EXPECT_EQ(packets[3], too_long) << "the caller's, whole";
  EXPECT_EQ(too_long->total_length(), 3000u);
  FreePackets(&packets[3], 1);
  const PortStats stats = port_->Stats(Direction::kSend);
  EXPECT_EQ(stats.packets, 3u);
  EXPECT_EQ(stats.bytes, 280u);
  EXPECT_EQ(stats.dropped, 1u);
}

TEST_F(PortBaseTest, HasNothingToConfigure) {
  EXPECT_TRUE(port_->Configure({}).ok());
  EXPECT_TRUE(port_->Configure({.admin_up = true}).ok());
  const absl::Status status = port_->Configure({.mtu = 9000});
  EXPECT_EQ(StatusErrno(status), ENOTSUP);
  EXPECT_EQ(status.message(), "ports of FakePort have no settings to change");
  EXPECT_EQ(StatusErrno(port_->Configure({.admin_up = false})), ENOTSUP);
}

TEST_F(PortBaseTest, ArgumentsAreTyped) {
  static const DriverClass driver = port_internal::Describe<FakePort>();
  pb::PMDPortArg arg;
  arg.set_loopback(true);
  google::protobuf::Any any;
  any.PackFrom(arg);
  EXPECT_EQ(driver.Create("x", {}, pools_, any).status().message(), "no");
  any.set_type_url("type.googleapis.com/bess.pb.UnixSocketPortArg");
  EXPECT_EQ(StatusErrno(driver.Create("x", {}, pools_, any).status()), EINVAL);
}

TEST(DriverRegistryTest, KnowsTheDrivers) {
  const DriverRegistry& registry = DriverRegistry::Get();
  for (const char* name : {"NFPort", "PCAPPort", "PMDPort", "UnixSocketPort"}) {
    const auto driver = registry.Find(name);
    ASSERT_NE(driver, nullptr) << name;
    EXPECT_EQ(driver->info.name, name);
    EXPECT_FALSE(driver->info.help.empty());
  }
  EXPECT_EQ(registry.Find("NoPort"), nullptr);
}

}  // namespace
}  // namespace bess
