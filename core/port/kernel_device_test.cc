// SPDX-License-Identifier: Apache-2.0
//
// Drivers on top of the kernel's network devices.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "core/packet/frames_testing.h"
#include "core/port/namespace_testing.h"
#include "core/port/port_testing.h"
#include "ports/pcap_port.pb.h"
#include "ports/vport.pb.h"

// net_af_xdp never deletes its umem (see new_sockets.h). The library has no frame pointers, so the
// sanitizer sees only the function that made the umem; nobody but net_af_xdp calls it.
extern "C" const char* __lsan_default_suppressions() { return "leak:xsk_umem__create\n"; }

namespace bess {
namespace {

using testing_ports::Frame;
using testing_ports::MakePackets;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;
using testing_ports::Shell;

// Two drivers and how they meet.
struct Wire {
  std::string name;
  std::string near;  // two devices at the ends of a wire
  std::string far;
};

std::vector<Wire> WiresWeMayTest() {
  if (!testing_ports::MayMakeNamespaces("af_packet, af_xdp and tap")) return {};
  return {{"AfPacket", "net_af_packet0,iface=wire0", "net_af_packet1,iface=wire1"},
          {"AfXdp", "net_af_xdp0,iface=wire0", "net_af_xdp1,iface=wire1"},
          {"AfXdpCopy", "net_af_xdp0,iface=wire0,force_copy=1", "net_af_packet1,iface=wire1"},
          {"Tap", "net_tap0,iface=tap0", "net_af_packet1,iface=tap0"},
          {"Pcap", "pcap:wire0", "pcap:wire1"},
          {"PcapAndPacketSocket", "pcap:wire0", "net_af_packet1,iface=wire1"},
          {"VPort", "vport:tap0", "net_af_packet1,iface=tap0"}};
}

const std::vector<Wire> wires = WiresWeMayTest();

// Frames that the test did not send come from the kernel.
std::vector<std::string> OnlyFrames(const std::vector<std::string>& received) {
  std::vector<std::string> frames;
  for (const std::string& bytes : received) {
    if (bytes.size() >= 14 && bytes.substr(12, 2) == "\x88\xb5") frames.push_back(bytes);
  }
  return frames;
}

[[maybe_unused]] void PrintTo(const Wire& wire, std::ostream* out) { *out << wire.name; }

class KernelDeviceTest : public PortTest, public testing::WithParamInterface<Wire> {
 protected:
  // Runs the test in a network namespace with a wire in it.
  template <typename Body>
  void InNamespace(Body body) {
    testing_ports::InNewNamespace([&] {
      Shell("ip link add wire0 type veth peer name wire1");
      Shell("ip link set wire0 up");
      Shell("ip link set wire1 up");
      body();
      ASSERT_TRUE(table_.Reset().ok());
    });
  }

  template <typename Argument>
  absl::Status MakeOf(const std::string& driver, const std::string& name, const Argument& arg) {
    PortRequest request{.name = name, .driver = driver};
    request.argument.PackFrom(arg);
    return Make(request);
  }

  absl::Status MakeEnd(const std::string& name, const std::string& device) {
    const size_t colon = device.find(':');
    if (colon == device.npos) return MakeVdev(name, device);
    const std::string interface = device.substr(colon + 1);
    if (device.starts_with("vport")) {
      pb::VPortArg arg;
      arg.set_ifname(interface);
      return MakeOf("VPort", name, arg);
    }
    pb::PCAPPortArg arg;
    arg.set_dev(interface);
    return MakeOf("PCAPPort", name, arg);
  }

  void MakeBoth() {
    const absl::Status near = MakeEnd("near", GetParam().near);
    ASSERT_TRUE(near.ok()) << near;
    Shell("ip link set tap0 up 2>/dev/null || true");
    const absl::Status far = MakeEnd("far", GetParam().far);
    ASSERT_TRUE(far.ok()) << far;
  }

  void ExpectDelivery(const std::string& from, const std::string& to) {
    const auto out = Lease(from, Direction::kSend);
    const auto in = Lease(to, Direction::kReceive);
    std::vector<std::string> frames;
    for (int i = 0; i < 32; ++i) frames.push_back(Frame(60 + 40 * i, static_cast<char>('a' + i)));
    ASSERT_EQ(SendAll(out->port(), frames), 32u);
    std::vector<std::string> received;
    for (int round = 0; round < 20 && received.size() < frames.size(); ++round) {
      const auto more = OnlyFrames(ReceiveAll(in->port(), 32, std::chrono::milliseconds(100)));
      received.insert(received.end(), more.begin(), more.end());
    }
    EXPECT_THAT(received, testing::ElementsAreArray(frames));
  }
};

TEST_P(KernelDeviceTest, CarriesPacketsBothWays) {
  InNamespace([this] {
    MakeBoth();
    if (HasFatalFailure()) return;
    ExpectDelivery("near", "far");
    ExpectDelivery("far", "near");
    EXPECT_EQ(Stats("near", Direction::kSend).packets, 32u);
    EXPECT_GE(Stats("near", Direction::kReceive).packets, 32u);
    EXPECT_TRUE(Link("near").up);
  });
}

TEST_P(KernelDeviceTest, CarriesPacketsOfSeveralSegments) {
  InNamespace([this] {
    MakeBoth();
    if (HasFatalFailure()) return;
    const auto out = Lease("near", Direction::kSend);
    const auto in = Lease("far", Direction::kReceive);
    std::vector<Packet*> packets = MakePackets({Frame(300), "0123", "456"});
    AddSegment(*packets[0], packets[1]);
    AddSegment(*packets[0], packets[2]);
    ASSERT_EQ(out->port().Send(0, packets.data(), 1), 1u);
    std::vector<std::string> received;
    for (int round = 0; round < 20 && received.empty(); ++round) {
      received = OnlyFrames(ReceiveAll(in->port(), 1, std::chrono::milliseconds(100)));
    }
    EXPECT_THAT(received, testing::ElementsAre(Frame(300) + "0123456"));
  });
}

// A packet socket refuses what is too short for an Ethernet header, and that only.
TEST_P(KernelDeviceTest, ARuntDoesNotHoldUpTheOthers) {
  if (GetParam().name != "Pcap") return;
  InNamespace([this] {
    MakeBoth();
    if (HasFatalFailure()) return;
    const auto out = Lease("near", Direction::kSend);
    const auto in = Lease("far", Direction::kReceive);
    EXPECT_EQ(SendAll(out->port(), {Frame(60, 'a'), "runt", "", Frame(60, 'b')}), 2u);
    std::vector<std::string> received;
    for (int round = 0; round < 20 && received.size() < 2; ++round) {
      for (const std::string& frame :
           OnlyFrames(ReceiveAll(in->port(), 2, std::chrono::milliseconds(100)))) {
        received.push_back(frame);
      }
    }
    EXPECT_THAT(received, testing::ElementsAre(Frame(60, 'a'), Frame(60, 'b')));
    EXPECT_EQ(Stats("near", Direction::kSend).dropped, 2u);
  });
}

TEST_P(KernelDeviceTest, CanBeMadeAgain) {
  InNamespace([this] {
    for (int i = 0; i < 3; ++i) {
      MakeBoth();
      if (HasFatalFailure()) return;
      ExpectDelivery("near", "far");
      ASSERT_TRUE(table_.Reset().ok());
    }
  });
}

std::string UdpFrom(uint32_t host) {
  return EthernetFrame(kEtherTypeIpv4,
                       Ipv4Packet({.source = 0x0a000000 + host}, UdpSegment(1000, 53, "flow")));
}

// What waits in one queue.
std::vector<std::string> ReceiveFrom(PortQueues& port, uint32_t queue) {
  std::vector<std::string> bytes;
  Packet* packets[kBatchSize];
  while (const uint32_t n = port.Receive(queue, packets, kBatchSize).packets) {
    for (uint32_t i = 0; i < n; ++i) bytes.push_back(testing_ports::Bytes(*packets[i]));
    FreePackets(packets, n);
  }
  return bytes;
}

// The kernel spreads flows over the rings of a packet socket; each stays in one of them.
TEST_P(KernelDeviceTest, SeveralQueuesShareTheFlows) {
  if (GetParam().name != "AfPacket") return;
  InNamespace([this] {
    ASSERT_TRUE(MakeVdev("near", "net_af_packet0,iface=wire0,qpairs=2", 2).ok());
    ASSERT_TRUE(MakeVdev("far", "net_af_packet1,iface=wire1,qpairs=2", 2).ok());
    const auto out = Lease("near", Direction::kSend);
    const auto in = Lease("far", Direction::kReceive);
    constexpr uint32_t kFlows = 32, kRounds = 8;
    for (uint32_t round = 0; round < kRounds; ++round) {
      for (const uint32_t queue : {0, 1}) {
        std::vector<std::string> frames;
        for (uint32_t flow = queue; flow < kFlows; flow += 2) frames.push_back(UdpFrom(flow));
        ASSERT_EQ(SendAll(out->port(), frames, queue), kFlows / 2);
      }
    }
    std::map<std::string, size_t> arrived[2];
    size_t total = 0;
    for (int wait = 0; wait < 2000 && total < kFlows * kRounds; ++wait) {
      for (const uint32_t queue : {0, 1}) {
        for (const std::string& bytes : ReceiveFrom(in->port(), queue)) {
          ++arrived[queue][bytes];
          ++total;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(total, kFlows * kRounds);
    EXPECT_EQ(Stats("near", Direction::kSend).packets, kFlows * kRounds);
    for (uint32_t flow = 0; flow < kFlows; ++flow) {
      const std::string frame = UdpFrom(flow);
      EXPECT_EQ(std::max(arrived[0][frame], arrived[1][frame]), kRounds) << "flow " << flow;
    }
    for (const auto& queue : arrived) EXPECT_GT(queue.size(), 0u);
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KernelDeviceTest);
INSTANTIATE_TEST_SUITE_P(Kernel, KernelDeviceTest, testing::ValuesIn(wires),
                         [](const auto& wire) { return wire.param.name; });

}  // namespace
}  // namespace bess
