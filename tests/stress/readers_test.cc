// SPDX-License-Identifier: Apache-2.0
//
// What can be read while packets flow is right at every moment: the statistics of ports, the flows
// of a NAT.
#include <set>

#include "core/base/parse.h"
#include "core/packet/frames_testing.h"
#include "core/port/port.h"
#include "modules/nat.pb.h"
#include "modules/nat/flow_table.h"
#include "modules/port_inc.pb.h"
#include "modules/port_out.pb.h"
#include "modules/random_update.pb.h"
#include "modules/rewrite.pb.h"
#include "modules/source.pb.h"
#include "tests/stress/stress_testing.h"

namespace bess {
namespace {

constexpr uint64_t kLeastPackets = 20000;

// Takes every second packet offered to it, and has none to give.
class HalfPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "HalfPort", .help = "takes half of what it is sent", .template_name = "half"};
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }

 private:
  uint32_t DoReceive(uint32_t, Packet**, uint32_t) override { return 0; }
  uint32_t DoSend(uint32_t, Packet** packets, uint32_t n) override {
    FreePackets(packets, n / 2);
    return n / 2;
  }
};
REGISTER_DRIVER(HalfPort);

class ReadersTest : public HeapStressTest {
 protected:
  // source -> frame -> any port -> nat -> port, on a worker.
  void Build() {
    ASSERT_TRUE(engine_.AddWorker(0, AllowedCores().back(), "").ok());
    ASSERT_TRUE(engine_.CreatePort({.name = "half", .driver = "HalfPort"}).ok());
    pb::RewriteArg frame;
    frame.add_templates(EthernetFrame(kEtherTypeIpv4, Ipv4Packet({}, UdpSegment(1000, 53))));
    Create("frame", "Rewrite", frame);
    pb::RandomUpdateArg any_port;
    auto& field = *any_port.add_fields();
    field.set_offset(34);
    field.set_size(2);
    field.set_min(1);
    field.set_max(60000);  // fewer than there are external ports
    Create("any_port", "RandomUpdate", any_port);
    pb::NATArg nat;
    nat.add_ext_addrs()->set_ext_addr("192.0.2.1");
    Create("nat", "NAT", nat);
    pb::PortOutArg out;
    out.set_port("half");
    Create("out", "PortOut", out);
    pb::PortIncArg inc;
    inc.set_port("half");
    Create("inc", "PortInc", inc);
    Create("sink", "Sink");
    Connect("inc", 0, "sink");
    Connect("nat", 1, "out");
    Connect("any_port", 0, "nat");
    Connect("frame", 0, "any_port");
    Create("source", "Source", pb::SourceArg());
    Connect("source", 0, "frame");
  }

  pb::NATCommandGetFlowsResponse Flows(uint64_t start) {
    pb::NATCommandGetFlowsArg page;
    page.set_start(start);
    google::protobuf::Any any, reply;
    any.PackFrom(page);
    EXPECT_TRUE(engine_.RunCommand("nat", "get_flows", any, &reply).ok());
    pb::NATCommandGetFlowsResponse response;
    EXPECT_TRUE(reply.UnpackTo(&response));
    return response;
  }

  // Each page in turn: no end may be there twice.
  uint64_t ReadFlows() {
    std::set<uint32_t> inside, outside;
    uint64_t start = 0;
    do {
      const auto page = Flows(start);
      for (const auto& flow : page.flows()) {
        EXPECT_EQ(flow.outside_addr(), "192.0.2.1");
        EXPECT_TRUE(inside.insert(flow.inside_port()).second) << flow.inside_port();
        EXPECT_TRUE(outside.insert(flow.outside_port()).second) << flow.outside_port();
      }
      start = page.next();
    } while (start != 0);
    return inside.size();
  }

  pb::GetPortStatsResponse ReadPort() {
    pb::GetPortStatsRequest request;
    request.set_name("half");
    pb::GetPortStatsResponse response;
    EXPECT_TRUE(rpc::GetPortStats(engine_, request, &response).ok());
    return response;
  }
};

TEST_F(ReadersTest, FlowsAndStatisticsAreRightAtEveryMoment) {
  Build();
  uint64_t packets = 0, flows = 0;
  while (packets < kLeastPackets && !HasFailure()) {
    const pb::GetPortStatsResponse stats = ReadPort();
    EXPECT_GE(stats.out().packets(), packets) << "a counter went back";
    EXPECT_EQ(stats.inc().packets(), 0u);
    packets = stats.out().packets();
    const uint64_t now = ReadFlows();
    EXPECT_GE(now, flows) << "none has expired yet";
    flows = now;
  }
  EXPECT_GT(flows, 0u);
  ASSERT_TRUE(engine_.PauseAll().ok());
  const native::GetLedgerResponse ledger = Ledger();
  for (const native::ModuleLedger& books : ledger.modules()) {
    EXPECT_TRUE(books.name() == "out" || books.name() == "source" || books.drops().empty());
    if (books.name() != "out") continue;
    EXPECT_EQ(ReadPort().out().packets(), books.consumed());
    ASSERT_EQ(books.drops_size(), 1);
    EXPECT_EQ(ReadPort().out().dropped(), books.drops(0).packets());
  }
  ASSERT_TRUE(engine_.ResumeAll().ok());
}

// Flows that come and go in a few places, each with an outside end that tells its inside end.
TEST(FlowTableReadersTest, APeekIsOfOneFlow) {
  constexpr uint32_t kPlaces = 4;
  nat::FlowTable table(kPlaces, 1);
  const auto end = [](uint32_t address, uint32_t port) {
    return nat::Endpoint(Be32(address), Be16(static_cast<uint16_t>(port)), nat::Protocol::kUdp);
  };
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (nat::Ticks now = 0; !stop; now += nat::kIdleTimeout + 1) {
      table.Expire(now, 2 * kPlaces, [](const nat::Flow&) {});
      for (uint32_t i = 0; i < kPlaces; ++i) table.Insert(end(1, now + i), end(2, ~(now + i)), now);
    }
  });
  uint64_t seen = 0;
  for (uint64_t i = 0; seen < kLeastPackets; ++i) {
    const auto flow = table.Peek(i % kPlaces);
    if (!flow) continue;
    ++seen;
    ASSERT_EQ(flow->outside.port().value(), static_cast<uint16_t>(~flow->inside.port().value()));
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace bess
