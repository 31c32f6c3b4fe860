// SPDX-License-Identifier: Apache-2.0
//
// Each virtual driver an ordinary user can use, settings, limits and errors. Those that need
// privilege are in kernel_device_test.cc.
#include "core/port/pmd_port.h"

#include <gmock/gmock.h>
#include <rte_lcore.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing::Each;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::SizeIs;
using testing_ports::Frame;
using testing_ports::Pool;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;

constexpr Direction kIn = Direction::kReceive;
constexpr Direction kOut = Direction::kSend;

using PmdPortTest = PortTest;

// --- drivers ------------------------------------------------------------------------------------

TEST_F(PmdPortTest, NullReceivesAndSends) {
  ASSERT_TRUE(MakeVdev("p", "net_null0,size=100").ok());
  const auto in = Lease("p", kIn);
  const auto out = Lease("p", kOut);
  EXPECT_THAT(ReceiveAll(in->port(), 128), Each(SizeIs(100)));
  EXPECT_EQ(SendAll(out->port(), std::vector<std::string>(30, Frame(60))), 30u);
  EXPECT_EQ(Stats("p", kIn).packets, 128u);
  EXPECT_EQ(Stats("p", kIn).bytes, 12800u);
  EXPECT_EQ(Stats("p", kIn).actual[64], 2u);
  EXPECT_EQ(Stats("p", kOut).packets, 30u);
  EXPECT_EQ(Stats("p", kOut).bytes, 1800u);
}

TEST_F(PmdPortTest, ReceivesIntoItsTrustDomain) {
  pb::PMDPortArg arg;
  arg.set_vdev("net_null0");
  arg.set_domain("blue");
  ASSERT_TRUE(MakePmd("p", arg).ok());
  const auto in = Lease("p", kIn);
  Packet* packets[2];
  ASSERT_EQ(in->port().Receive(0, packets, 2).packets, 2u);
  EXPECT_EQ(PacketPool::Of(*packets[0]).name(), "domain_blue");
  FreePackets(packets, 2);
}

// It would bring packets of any domain.
TEST_F(PmdPortTest, ARingHasNoTrustDomain) {
  pb::PMDPortArg arg;
  arg.set_vdev("net_ring0");
  arg.set_domain("blue");
  const absl::Status status = MakePmd("p", arg);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr("net_ring receives what it was sent"));
}

TEST_F(PmdPortTest, RingLoopsBackAndConserves) {
  ASSERT_TRUE(MakeVdev("p", "net_ring0").ok());
  const auto in = Lease("p", kIn);
  const auto out = Lease("p", kOut);
  uint32_t sent = 0;
  for (int i = 0; i < 40; ++i) {
    sent += SendAll(out->port(), std::vector<std::string>(64, Frame(60 + i)));
  }
  EXPECT_LT(sent, 40u * 64) << "the ring must be full by now";
  EXPECT_EQ(sent + Stats("p", kOut).dropped, 40u * 64);
  EXPECT_THAT(ReceiveAll(in->port(), sent), SizeIs(sent));
  EXPECT_EQ(Stats("p", kIn).bytes, Stats("p", kOut).bytes);
}

class PcapTest : public PortTest {
 protected:
  // The classic format: a header of the file, and of each packet.
  void Write(const std::string& name, const std::vector<std::string>& packets) {
    std::ofstream file(folder_ + "/" + name, std::ios::binary);
    const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    file.write(reinterpret_cast<const char*>(header), sizeof(header));
    for (const std::string& packet : packets) {
      const auto length = static_cast<uint32_t>(packet.size());
      const uint32_t record[] = {1, 2, length, length};
      file.write(reinterpret_cast<const char*>(record), sizeof(record));
      file << packet;
    }
  }
  std::vector<std::string> Read(const std::string& name) {
    std::ifstream file(folder_ + "/" + name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    const std::string bytes = text.str();
    std::vector<std::string> packets;
    for (size_t at = 24; at + 16 <= bytes.size();) {
      uint32_t length;
      std::memcpy(&length, &bytes[at + 8], sizeof(length));
      packets.push_back(bytes.substr(at + 16, length));
      at += 16 + length;
    }
    return packets;
  }

  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.path();
};

TEST_F(PcapTest, WhatIsReadIsWritten) {
  std::vector<std::string> frames;
  for (int i = 0; i < 200; ++i) frames.push_back(Frame(60 + 7 * i, static_cast<char>(i)));
  Write("in.pcap", frames);
  ASSERT_TRUE(
      MakeVdev("p", "net_pcap0,rx_pcap=" + folder_ + "/in.pcap,tx_pcap=" + folder_ + "/out.pcap")
          .ok());
  {
    const auto in = Lease("p", kIn);
    const auto out = Lease("p", kOut);
    Packet* packets[kBatchSize];
    while (const uint32_t n = in->port().Receive(0, packets, kBatchSize).packets) {
      ASSERT_EQ(out->port().Send(0, packets, n), n);
    }
  }
  EXPECT_EQ(Stats("p", kIn).packets, 200u);
  ASSERT_TRUE(table_.Destroy("p").ok());
  EXPECT_THAT(Read("out.pcap"), ElementsAreArray(frames));
}

TEST_F(PcapTest, WhatFitsNoBufferTravelsInSeveral) {
  const std::vector<std::string> frames = {Frame(60), Frame(5000, 'l'), Frame(2048), Frame(70)};
  Write("in.pcap", frames);
  ASSERT_TRUE(
      MakeVdev("p", "net_pcap0,rx_pcap=" + folder_ + "/in.pcap,tx_pcap=" + folder_ + "/out.pcap")
          .ok());
  {
    const auto in = Lease("p", kIn);
    const auto out = Lease("p", kOut);
    Packet* packets[kBatchSize];
    ASSERT_EQ(in->port().Receive(0, packets, kBatchSize).packets, 4u);
    EXPECT_EQ(packets[1]->segments(), 3);
    EXPECT_EQ(testing_ports::Bytes(*packets[1]), frames[1]);
    ASSERT_EQ(out->port().Send(0, packets, 4), 4u);
  }
  EXPECT_EQ(Stats("p", kIn).dropped, 0u);
  EXPECT_EQ(Stats("p", kIn).bytes, 60u + 5000 + 2048 + 70);
  ASSERT_TRUE(table_.Destroy("p").ok());
  EXPECT_THAT(Read("out.pcap"), ElementsAreArray(frames));
}

TEST_F(PcapTest, NamesTheMissingFile) {
  const absl::Status status = MakeVdev("p", "net_pcap0,rx_pcap=" + folder_ + "/missing");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("missing"));
}

// --- settings -----------------------------------------------------------------------------------

TEST_F(PmdPortTest, RefusesWhatTheDeviceCannotDo) {
  const auto expect = [&](const pb::PMDPortArg& arg, int code, const std::string& text) {
    const absl::Status status = MakePmd("p", arg);
    EXPECT_EQ(StatusErrno(status), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  };
  pb::PMDPortArg null;
  null.set_vdev("net_null0");
  pb::PMDPortArg arg = null;
  arg.set_loopback(true);
  expect(arg, ENOTSUP, "'loopback'");
  arg = null;
  arg.set_hwcksum(true);
  expect(arg, ENOTSUP, "'hwcksum'");
  arg = null;
  arg.set_vlan_offload_rx_strip(true);
  expect(arg, ENOTSUP, "'vlan_offload_rx_strip'");
  arg = null;
  arg.set_socket_id(77);
  expect(arg, EINVAL, "NUMA node 77");
  arg = null;
  arg.add_flow_profiles(4);
  expect(arg, EINVAL, "3, 6 and 9, not 4");
  arg.set_flow_profiles(0, 3);
  expect(arg, ENOTSUP, "flow profile 3");
}

TEST_F(PmdPortTest, SeveralQueues) {
  ASSERT_TRUE(MakeVdev("p", "net_null0", 4).ok());
  const auto in = Lease("p", kIn);
  Packet* packets[kBatchSize];
  for (uint32_t queue = 0; queue < 4; ++queue) {
    const uint32_t n = in->port().Receive(queue, packets, kBatchSize).packets;
    FreePackets(packets, n);
    EXPECT_EQ(n, 64u);
  }
  EXPECT_EQ(Stats("p", kIn).packets, 256u);
  const absl::Status status = MakeVdev("q", "net_ring0", 128);
  EXPECT_EQ(StatusErrno(status), EINVAL) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("at most"));
}

TEST_F(PmdPortTest, CountersAddUpWhatSeveralQueuesDo) {
  ASSERT_TRUE(MakeVdev("p", "net_ring0", 4).ok());
  const auto in = Lease("p", kIn);
  const auto out = Lease("p", kOut);
  for (uint32_t queue = 0; queue < 4; ++queue) {
    ASSERT_EQ(SendAll(out->port(), std::vector<std::string>(queue + 1, Frame(60)), queue),
              queue + 1);
  }
  Packet* packets[kBatchSize];
  uint32_t received = 0;
  for (uint32_t queue = 0; queue < 4; ++queue) {
    const uint32_t n = in->port().Receive(queue, packets, kBatchSize).packets;
    EXPECT_EQ(n, queue + 1) << "net_ring joins the queues of the same number";
    FreePackets(packets, n);
    received += n;
  }
  EXPECT_EQ(received, 10u);
  for (const Direction direction : {kIn, kOut}) {
    const PortStats stats = Stats("p", direction);
    EXPECT_EQ(stats.packets, 10u);
    EXPECT_EQ(stats.bytes, 600u);
    for (uint32_t n = 1; n <= 4; ++n) EXPECT_EQ(stats.actual[n], 1u);
  }
}

// Every node up to the last is asked for by its number, none behind it.
TEST_F(PmdPortTest, NumaNodesThatAreNotThereAreRefused) {
  pb::PMDPortArg arg;
  arg.set_vdev("net_null0");
  for (const int node : {-2, static_cast<int>(rte_socket_count()), INT32_MAX, INT32_MIN}) {
    arg.set_socket_id(node);
    const absl::Status status = MakePmd("p", arg);
    EXPECT_EQ(StatusErrno(status), EINVAL) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("NUMA node ", node)));
  }
  arg.set_socket_id(rte_socket_id_by_idx(rte_socket_count() - 1));
  EXPECT_TRUE(MakePmd("p", arg).ok());
}

TEST_F(PmdPortTest, PromiscuousIsNoProblemWhereItIsNoChoice) {
  pb::PMDPortArg arg;
  arg.set_vdev("net_null0");
  arg.set_promiscuous_mode(true);
  EXPECT_TRUE(MakePmd("p", arg).ok());
}

TEST_F(PmdPortTest, MacMtuAndAdmin) {
  ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
  const MacAddress mac = {2, 0, 0, 0, 0, 7};
  ASSERT_TRUE(table_.Configure("p", {.mac = mac, .mtu = 1400}).ok());
  EXPECT_EQ(Settings("p").mac, mac);
  EXPECT_EQ(Settings("p").mtu, 1400u);
  EXPECT_TRUE(Settings("p").admin_up);
  EXPECT_TRUE(Link("p").up);

  ASSERT_TRUE(table_.Configure("p", {.admin_up = false}).ok());
  EXPECT_FALSE(Settings("p").admin_up);
  const auto in = Lease("p", kIn);
  const auto out = Lease("p", kOut);
  EXPECT_TRUE(ReceiveAll(in->port(), 1, std::chrono::milliseconds(5)).empty());
  EXPECT_EQ(SendAll(out->port(), {Frame(60)}), 0u);
  EXPECT_EQ(Stats("p", kOut).dropped, 1u);

  ASSERT_TRUE(table_.Configure("p", {.admin_up = true}).ok());
  EXPECT_GE(ReceiveAll(in->port(), 1).size(), 1u);
  EXPECT_EQ(Settings("p").mac, mac);
}

TEST_F(PmdPortTest, SettingsOutOfRange) {
  ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
  const PortSettings before = Settings("p");
  for (const uint32_t mtu : {67u, 2023u, 65536u + 1500u, ~0u}) {
    const absl::Status status = table_.Configure("p", {.mtu = mtu});
    EXPECT_EQ(StatusErrno(status), EINVAL);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("'mtu' must be 68..2022, not ", mtu,
                                       "; the device takes up to 65535 and packet buffers "
                                       "(--buffer_size) 2022")));
  }
  const MacAddress group = {1, 0, 0, 0, 0, 7};
  EXPECT_EQ(StatusErrno(table_.Configure("p", {.mac = group, .mtu = 1000})), EINVAL);
  EXPECT_EQ(Settings("p").mtu, before.mtu) << "all or nothing";
}

TEST_F(PmdPortTest, LargerBuffersTakeJumboFrames) {
  auto pool = PacketPool::Create("jumbo", PacketPool::Kind::kShareable, 4096, 9728);
  ASSERT_TRUE(pool.ok()) << pool.status();
  {
    PortTable table(**pool);
    pb::PMDPortArg arg;
    arg.set_vdev("net_null0,size=9018");
    PortRequest request{.name = "p", .driver = "PMDPort"};
    request.argument.PackFrom(arg);
    ASSERT_TRUE(table.Create(request).ok());
    EXPECT_TRUE(table.Configure("p", {.mtu = 9000}).ok());
    EXPECT_THAT(std::string(table.Configure("p", {.mtu = 9800}).message()), HasSubstr("68..9702"));
    auto lease = table.Lease("p", kIn, "test");
    ASSERT_TRUE(lease.ok());
    Packet* packets[kBatchSize];
    ASSERT_EQ((*lease)->port().Receive(0, packets, 32).packets, 32u);
    EXPECT_TRUE(packets[0]->linear());
    EXPECT_EQ(packets[0]->length(), 9018);
    FreePackets(packets, 32);
  }
  EXPECT_EQ((*pool)->in_use(), 0u);
}

// net_ring could spread frames over buffers; that it has no MTU is found out after it was told to.
TEST_F(PmdPortTest, AnMtuThatIsRefusedLeavesThePortAtWork) {
  ASSERT_TRUE(MakeVdev("p", "net_ring0").ok());
  EXPECT_FALSE(table_.Configure("p", {.mtu = 9000}).ok());
  EXPECT_EQ(Settings("p").mtu, 1500u);
  const auto in = Lease("p", kIn);
  const auto out = Lease("p", kOut);
  ASSERT_EQ(SendAll(out->port(), {Frame(60), Frame(70)}), 2u);
  EXPECT_THAT(ReceiveAll(in->port(), 2), SizeIs(2));
}

TEST_F(PmdPortTest, SettingsChangeUnderTraffic) {
  ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
  const auto in = Lease("p", kIn);
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> received = 0;
  std::thread worker([&] {
    ASSERT_TRUE(RegisterThread().ok());
    Packet* packets[kBatchSize];
    while (!stop) {
      const uint32_t n = in->port().Receive(0, packets, kBatchSize).packets;
      FreePackets(packets, n);
      received += n;
    }
    UnregisterThread();
  });
  for (uint32_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(table_.Configure("p", {.mtu = 1400 + i, .admin_up = i % 2 == 0}).ok());
    Stats("p", kIn);
  }
  ASSERT_TRUE(table_.Configure("p", {.admin_up = true}).ok());
  const uint64_t before = received;
  while (received == before) std::this_thread::yield();
  stop = true;
  worker.join();
}

TEST_F(PmdPortTest, PlacementIsAnyNodeForVirtualDevices) {
  ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
  ASSERT_TRUE(
      table_.Visit("p", [](const Port& port, const auto&) { EXPECT_NE(port.numa_nodes() & 1, 0u); })
          .ok());
}

}  // namespace
}  // namespace bess
