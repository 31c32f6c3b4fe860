// SPDX-License-Identifier: Apache-2.0
//
// What the port is beyond carrying packets, which kernel_device_test.cc tests of all such drivers.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/base/status.h"
#include "core/packet/frames_testing.h"
#include "core/port/kernel_link.h"
#include "core/port/namespace_testing.h"
#include "core/port/port_testing.h"
#include "ports/vport.pb.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing_ports::Frame;
using testing_ports::InNewNamespace;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;
using testing_ports::Shell;

constexpr std::chrono::seconds kLong(60);

class VPortTest : public PortTest {
 protected:
  absl::Status MakeVport(const pb::VPortArg& arg, PortRequest request = {.name = "p"}) {
    request.driver = "VPort";
    request.argument.PackFrom(arg);
    return Make(request);
  }
};

size_t Interfaces() {
  struct if_nameindex* all = if_nameindex();
  size_t count = 0;
  while (all[count].if_index != 0) ++count;
  if_freenameindex(all);
  return count;
}

// --- refusals that need no rights ---------------------------------------------------------------

struct Wrong {
  std::function<void(pb::VPortArg&)> set;
  int code;
  std::string text;
};

TEST_F(VPortTest, RefusesWhatIsWrongAndLeavesNothing) {
  const std::vector<Wrong> wrongs = {
      {[](auto& arg) { arg.set_ifname("sixteen--letters"); }, EINVAL, "'ifname': "},
      {[](auto& arg) { arg.set_ifname("a/b"); }, EINVAL, "'a/b' is none"},
      {[](auto& arg) { arg.set_docker("web"); }, ENOTSUP, "'container_pid' of 'web'"},
      {[](auto& arg) { arg.set_container_pid(-5); }, EINVAL, "not -5"},
      {[](auto& arg) { arg.set_container_pid(1LL << 40); }, ENOENT, "no process 1099511627776"},
      {[](auto& arg) { arg.set_netns("no-such"); }, ENOENT, "network namespace 'no-such'"},
      {[](auto& arg) { arg.set_netns("/dev/null"); }, EINVAL, "'/dev/null' is no network"},
      {[](auto& arg) { arg.add_ip_addrs("10.0.0.300/8"); }, EINVAL, "ip_addrs[0]: "},
      {[](auto& arg) { arg.set_tx_tci(65536); }, EINVAL, "'tx_tci' must be 0..65535, not 65536"},
      {[](auto& arg) { arg.set_tx_outer_tci(1 << 20); }, EINVAL, "'tx_outer_tci' must be"},
      {[](auto& arg) { arg.set_domain("a b"); }, EINVAL, "unlike 'a b'"},
      {[](auto& arg) { (arg.set_domain("blue"), arg.set_loopback(true)); }, EINVAL, "'loopback'"},
      {[](auto& arg) { arg.set_mtu(67); }, EINVAL, "'mtu' must be 68..65521, not 67"},
      {[](auto& arg) { arg.set_mtu(65522); }, EINVAL, "not 65522"},
      {[](auto& arg) { arg.add_rxq_cpus(-1); }, EINVAL, "'rxq_cpus' are 0.."},
      {[](auto& arg) { arg.add_rxq_cpus(1 << 20); }, EINVAL, "not 1048576"},
      {[](auto& arg) { arg.mutable_rxq_cpus()->Resize(2, 0); }, EINVAL, "a core for each of the 1"},
  };
  const size_t before = Interfaces();
  for (const Wrong& wrong : wrongs) {
    pb::VPortArg arg;
    wrong.set(arg);
    const absl::Status status = MakeVport(arg);
    EXPECT_EQ(StatusErrno(status), wrong.code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(wrong.text));
  }
  EXPECT_EQ(StatusErrno(MakeVport({}, {.name = "a name that no interface has"})), EINVAL);
  EXPECT_EQ(Interfaces(), before);
}

// --- with rights --------------------------------------------------------------------------------

class VPortRootTest : public VPortTest, public testing::WithParamInterface<int> {
 protected:
  void TearDown() override {
    VPortTest::TearDown();
    EXPECT_FALSE(KernelLink::Find("v0").ok()) << "made in the wrong namespace";
  }

  // Runs `body` in a namespace where the port "p" is the interface "v0".
  template <typename Body>
  void WithPort(pb::VPortArg arg, PortRequest request, Body body) {
    InNewNamespace([&] {
      arg.set_ifname("v0");
      request.name = "p";
      const absl::Status made = MakeVport(arg, request);
      ASSERT_TRUE(made.ok()) << made;
      body();
      ASSERT_TRUE(table_.Reset().ok());
      EXPECT_FALSE(KernelLink::Find("v0").ok()) << "outlived its port";
    });
  }

  absl::Status Configure(const PortChange& change) { return table_.Configure("p", change); }
};

// A packet socket on v0: what it sends the port receives, and the other way round.
class RawSocket {
 public:
  explicit RawSocket(uint16_t protocol = 0x88b5)
      : fd_(socket(AF_PACKET, SOCK_RAW, htons(protocol))) {
    sockaddr_ll address = {.sll_family = AF_PACKET,
                           .sll_protocol = htons(protocol),
                           .sll_ifindex = static_cast<int>(if_nametoindex("v0"))};
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const timeval patience = {.tv_sec = kLong.count(), .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  bool Send(const std::string& frame) {
    return send(fd_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }
  std::string Receive() {
    std::string frame(70'000, 0);
    const ssize_t length = recv(fd_.get(), frame.data(), frame.size(), 0);
    frame.resize(length < 0 ? 0 : static_cast<size_t>(length));
    return frame;
  }

 private:
  FileDescriptor fd_;
};

FileDescriptor OpenOwnNamespace() {
  return FileDescriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

std::string PathOf(const FileDescriptor& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

TEST_P(VPortRootTest, IsNamedAddressedAndUpInAnotherNamespace) {
  InNewNamespace([this] {
    const FileDescriptor there = OpenOwnNamespace();
    InNewNamespace([&] {
      pb::VPortArg arg;
      arg.set_ifname("v0");
      arg.set_netns(PathOf(there));
      arg.set_mtu(1400);
      arg.add_ip_addrs("10.0.0.1/24");
      arg.add_ip_addrs("10.1.0.1/16");
      const absl::Status made = MakeVport(arg);
      ASSERT_TRUE(made.ok()) << made;
      EXPECT_FALSE(KernelLink::Find("v0").ok());
      EXPECT_EQ(Interfaces(), 1u) << "only lo";
    });
    auto link = KernelLink::Find("v0");
    ASSERT_TRUE(link.ok()) << link.status();
    EXPECT_TRUE(link->state().running);
    EXPECT_EQ(link->state().mtu, 1400u);
    EXPECT_EQ(link->state().mac, Settings("p").mac);
    EXPECT_EQ(Settings("p").mtu, 1400u);
    EXPECT_TRUE(Link("p").up);
    Shell("ip -o address show v0 | grep -q '10.0.0.1/24'");
    Shell("ip -o address show v0 | grep -q '10.1.0.1/16'");
    Shell("ip link show v0 | grep -q 'qlen 1024'");
    ASSERT_TRUE(table_.Reset().ok());
    EXPECT_FALSE(KernelLink::Find("v0").ok());
  });
}

TEST_P(VPortRootTest, AFailureHalfWayLeavesNothing) {
  InNewNamespace([this] {
    Shell("ip link add taken type veth peer name v1");
    const size_t before = Interfaces();
    pb::VPortArg arg;
    arg.set_ifname("taken");
    absl::Status status = MakeVport(arg);
    EXPECT_EQ(StatusErrno(status), EEXIST);
    EXPECT_THAT(std::string(status.message()), HasSubstr("an interface 'taken' already"));
    arg.set_ifname("v0");
    arg.add_ip_addrs("10.0.0.1/24");
    arg.add_ip_addrs("10.0.0.1/24");
    status = MakeVport(arg);
    EXPECT_EQ(StatusErrno(status), EEXIST);
    EXPECT_THAT(std::string(status.message()), HasSubstr("'v0' the address 10.0.0.1/24"));
    EXPECT_EQ(Interfaces(), before);
  });
}

TEST_P(VPortRootTest, LongFramesTravelInSeveralBuffers) {
  pb::VPortArg arg;
  arg.set_mtu(65521);
  WithPort(arg, {}, [this] {
    RawSocket kernel;
    const auto in = Lease("p", Direction::kReceive);
    const auto out = Lease("p", Direction::kSend);
    for (const size_t length : {2047, 2048, 2049, 9000, 65535}) {
      const std::string frame = Frame(length, static_cast<char>('a' + length % 26));
      ASSERT_TRUE(kernel.Send(frame)) << length;
      const std::vector<std::string> received = ReceiveAll(in->port(), 1, kLong);
      ASSERT_EQ(received.size(), 1u) << length;
      EXPECT_TRUE(received[0] == frame) << length;
    }
    EXPECT_EQ(Stats("p", Direction::kReceive).dropped, 0u);
    Packet* packet = testing_ports::Pool().AllocLong(9000);
    const std::string frame = Frame(9000);
    WriteBytes(*packet, 0, {reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
    ASSERT_EQ(out->port().Send(0, &packet, 1), 1u);
    EXPECT_TRUE(kernel.Receive() == frame);
  });
}

TEST_P(VPortRootTest, FramesTooShortForEthernetDoNotStopTheOthers) {
  WithPort({}, {}, [this] {
    RawSocket kernel;
    const auto out = Lease("p", Direction::kSend);
    EXPECT_EQ(SendAll(out->port(), {"short", Frame(60, 'a'), "", Frame(60, 'b'), "13 bytes long"}),
              2u);
    EXPECT_EQ(kernel.Receive(), Frame(60, 'a'));
    EXPECT_EQ(kernel.Receive(), Frame(60, 'b'));
    EXPECT_EQ(Stats("p", Direction::kSend).dropped, 3u);
  });
}

TEST_P(VPortRootTest, WhatTheKernelSendsGetsTheTags) {
  pb::VPortArg arg;
  arg.set_tx_tci(5);
  arg.set_tx_outer_tci(0x6007);
  WithPort(arg, {}, [this] {
    RawSocket kernel;
    const auto in = Lease("p", Direction::kReceive);
    const auto out = Lease("p", Direction::kSend);
    const std::string frame = Frame(60);
    ASSERT_TRUE(kernel.Send(frame));
    const std::string tags("\x88\xa8\x60\x07\x81\x00\x00\x05", 8);
    EXPECT_THAT(ReceiveAll(in->port(), 1, kLong),
                ElementsAre(frame.substr(0, 12) + tags + frame.substr(12)));
    ASSERT_EQ(SendAll(out->port(), {frame}), 1u);
    EXPECT_EQ(kernel.Receive(), frame) << "the other way there are none";
  });
}

TEST_P(VPortRootTest, LoopbackGivesBackWhatItWasSent) {
  pb::VPortArg arg;
  arg.set_loopback(true);
  arg.set_tx_tci(5);
  WithPort(arg, {.rx_size = 3, .tx_size = 3}, [this] {
    const auto in = Lease("p", Direction::kReceive);
    const auto out = Lease("p", Direction::kSend);
    EXPECT_EQ(in->port().wake_fd(0), -1);
    const auto tagged = [](const std::string& frame) {
      return frame.substr(0, 12) + std::string("\x81\x00\x00\x05", 4) + frame.substr(12);
    };
    EXPECT_EQ(SendAll(out->port(), {Frame(60, 'a'), "short", Frame(60, 'b')}), 3u);
    EXPECT_THAT(ReceiveAll(in->port(), 2, kLong),
                ElementsAre(tagged(Frame(60, 'a')), tagged(Frame(60, 'b'))));
    EXPECT_EQ(Stats("p", Direction::kReceive).dropped, 1u);
    EXPECT_EQ(SendAll(out->port(), std::vector<std::string>(6, Frame(60))), 4u)
        << "its ring is full";
    EXPECT_EQ(Stats("p", Direction::kSend).dropped, 2u);
  });
}

TEST_P(VPortRootTest, CountsWhatTheKernelCouldNotHandOver) {
  WithPort({}, {.rx_size = 64}, [this] {
    RawSocket kernel;
    int sent = 0;
    for (int i = 0; i < 100; ++i) sent += kernel.Send(Frame(60)) ? 1 : 0;
    EXPECT_EQ(Stats("p", Direction::kReceive).dropped, 36u) << sent;
    const auto in = Lease("p", Direction::kReceive);
    EXPECT_EQ(ReceiveAll(in->port(), 64, kLong).size(), 64u);
  });
}

std::string UdpFrom(uint32_t host) {
  const std::string ip = Ipv4Packet({.source = 0x0a000000 + host}, UdpSegment(1000, 53, "flow"));
  return EthernetFrame(kEtherTypeIpv4, ip);
}

// All queues of one direction, until there are `wanted` packets: for each queue what it had.
std::vector<std::vector<std::string>> ReceiveByQueue(PortQueues& port, size_t wanted) {
  std::vector<std::vector<std::string>> by_queue(port.rx_queues());
  size_t total = 0;
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (total < wanted && std::chrono::steady_clock::now() < end) {
    for (uint32_t queue = 0; queue < port.rx_queues(); ++queue) {
      Packet* packets[kBatchSize];
      const uint32_t n = port.Receive(queue, packets, kBatchSize).packets;
      for (uint32_t i = 0; i < n; ++i) by_queue[queue].push_back(testing_ports::Bytes(*packets[i]));
      FreePackets(packets, n);
      total += n;
    }
  }
  return by_queue;
}

TEST_P(VPortRootTest, SeveralQueuesShareTheFlows) {
  WithPort({}, {.rx_queues = 4, .tx_queues = 6}, [this] {
    RawSocket sender(kEtherTypeIpv4);
    RawSocket kernel;
    const auto in = Lease("p", Direction::kReceive);
    const auto out = Lease("p", Direction::kSend);
    constexpr uint32_t kFlows = 64;
    for (int round = 0; round < 2; ++round) {
      for (uint32_t flow = 0; flow < kFlows; ++flow) ASSERT_TRUE(sender.Send(UdpFrom(flow)));
    }
    std::multiset<std::string> all;
    uint32_t used = 0;
    for (const auto& frames : ReceiveByQueue(in->port(), 2 * kFlows)) {
      used += frames.empty() ? 0 : 1;
      for (const std::string& frame : frames) {
        EXPECT_EQ(std::count(frames.begin(), frames.end(), frame), 2) << "a flow in two queues";
        all.insert(frame);
      }
    }
    EXPECT_EQ(all.size(), 2 * kFlows);
    EXPECT_GT(used, 1u);
    for (uint32_t queue = 0; queue < 6; ++queue) {
      const std::string frame = Frame(60, static_cast<char>('a' + queue));
      ASSERT_EQ(SendAll(out->port(), {frame}, queue), 1u);
      EXPECT_EQ(kernel.Receive(), frame);
    }
  });
}

TEST_P(VPortRootTest, OutputQueuesHaveTheirCores) {
  InNewNamespace([this] {
    testing_ports::ShowInSys();
    pb::VPortArg arg;
    arg.set_ifname("v0");
    arg.add_rxq_cpus(0);
    EXPECT_EQ(StatusErrno(MakeVport(arg, {.name = "p", .tx_queues = 2})), EINVAL);
    const absl::Status made = MakeVport(arg, {.name = "p", .rx_queues = 2});
    ASSERT_TRUE(made.ok()) << made;
    std::string first;
    std::string second;
    std::ifstream("/sys/class/net/v0/queues/rx-0/rps_cpus") >> first;
    std::ifstream("/sys/class/net/v0/queues/rx-1/rps_cpus") >> second;
    ASSERT_FALSE(first.empty() || second.empty());
    EXPECT_EQ(first.back(), '1');
    EXPECT_EQ(second.back(), '0');
    RawSocket kernel;
    const auto out = Lease("p", Direction::kSend);
    ASSERT_EQ(SendAll(out->port(), {Frame(60)}), 1u);
    EXPECT_EQ(kernel.Receive(), Frame(60)) << "by way of that core";
  });
}

TEST_P(VPortRootTest, WakesWhoWaitsForPackets) {
  WithPort({}, {}, [this] {
    RawSocket kernel;
    const auto in = Lease("p", Direction::kReceive);
    EXPECT_THAT(ReceiveAll(in->port(), 1, std::chrono::milliseconds(1)), ElementsAre());
    pollfd waiting = {.fd = in->port().wake_fd(0), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&waiting, 1, 0), 0);
    ASSERT_TRUE(kernel.Send(Frame(60)));
    EXPECT_EQ(poll(&waiting, 1, static_cast<int>(kLong.count()) * 1000), 1);
    EXPECT_THAT(ReceiveAll(in->port(), 1, kLong), ElementsAre(Frame(60)));
  });
}

TEST_P(VPortRootTest, SettingsAreTheInterfaces) {
  WithPort({}, {}, [this] {
    const MacAddress mac = {2, 0, 0, 0, 0, 9};
    absl::Status changed = Configure({.mac = mac, .mtu = 4000});
    ASSERT_TRUE(changed.ok()) << changed;
    EXPECT_EQ(KernelLink::Find("v0")->state().mac, mac);
    EXPECT_EQ(Settings("p").mac, mac);
    EXPECT_EQ(Settings("p").mtu, 4000u);
    EXPECT_EQ(StatusErrno(Configure({.mac = MacAddress{1}, .mtu = 1500})), EINVAL);
    EXPECT_EQ(StatusErrno(Configure({.mtu = 65522})), EINVAL);
    EXPECT_EQ(Settings("p").mtu, 4000u);
    ASSERT_TRUE(Configure({.admin_up = false}).ok());
    EXPECT_FALSE(Settings("p").admin_up);
    EXPECT_FALSE(Link("p").up);
    const auto out = Lease("p", Direction::kSend);
    EXPECT_EQ(SendAll(out->port(), {Frame(60), Frame(60)}), 0u);
    EXPECT_EQ(Stats("p", Direction::kSend).dropped, 2u);
    ASSERT_TRUE(Configure({.admin_up = true}).ok());
    EXPECT_EQ(SendAll(out->port(), {Frame(60)}), 1u);
    Shell("ip link set v0 down && ip link set v0 name v9 && ip link set v9 up");
    EXPECT_TRUE(Configure({.mtu = 1500}).ok()) << "it is found under any name";
    EXPECT_EQ(KernelLink::Find("v9")->state().mtu, 1500u);
  });
}

TEST_P(VPortRootTest, OutlivesItsNamespace) {
  InNewNamespace([this] {
    auto home = NetworkNamespace::Current();
    ASSERT_TRUE(home.ok()) << home.status();
    InNewNamespace([&] {
      const FileDescriptor there = OpenOwnNamespace();
      pb::VPortArg arg;
      arg.set_ifname("v0");
      arg.set_netns(PathOf(there));
      const absl::Status made = home->Run([&] { return MakeVport(arg); });
      ASSERT_TRUE(made.ok()) << made;
      EXPECT_TRUE(Link("p").up);
    });
    const auto in = Lease("p", Direction::kReceive);
    const auto out = Lease("p", Direction::kSend);
    // The kernel takes a namespace apart in its own time, and the interfaces in it last.
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (SendAll(out->port(), {Frame(60)}) == 1 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(SendAll(out->port(), {Frame(60)}), 0u);
    EXPECT_FALSE(Link("p").up);
    EXPECT_TRUE(ReceiveAll(in->port(), 1, std::chrono::milliseconds(1)).empty());
    EXPECT_EQ(StatusErrno(Configure({.mtu = 1400})), ENODEV);
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VPortRootTest);
INSTANTIATE_TEST_SUITE_P(Root, VPortRootTest,
                         testing::ValuesIn(testing_ports::OnceWithNamespaces("VPort")));

}  // namespace
}  // namespace bess
