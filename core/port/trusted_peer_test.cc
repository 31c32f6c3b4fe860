// SPDX-License-Identifier: Apache-2.0
//
// memif and vhost: ports of memory shared with a peer. No rights and no hugepages are needed.
#include <gmock/gmock.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing::ElementsAreArray;
using testing_ports::Bytes;
using testing_ports::Frame;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;

constexpr std::chrono::milliseconds kPatience{100};

class TrustedPeerTest : public PortTest {
 protected:
  bool LinkComesUp(const std::string& port) {
    for (int i = 0; i < 50 && !Link(port).up; ++i) std::this_thread::sleep_for(kPatience);
    return Link(port).up;
  }
  static std::vector<std::string> Frames() {
    std::vector<std::string> frames;
    for (int i = 0; i < 32; ++i) frames.push_back(Frame(60 + 40 * i, static_cast<char>('a' + i)));
    return frames;
  }

  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.path();
};

class MemifTest : public TrustedPeerTest {
 protected:
  void MakePair() {
    const std::string socket = ",id=0,socket-abstract=no,socket=" + folder_ + "/memif";
    const absl::Status server = MakeVdev("server", "net_memif0,role=server" + socket);
    ASSERT_TRUE(server.ok()) << server;
    const absl::Status client = MakeVdev("client", "net_memif1,role=client" + socket);
    ASSERT_TRUE(client.ok()) << client;
    ASSERT_TRUE(LinkComesUp("server"));
    ASSERT_TRUE(LinkComesUp("client"));
  }
};

TEST_F(MemifTest, PairsExchangePackets) {
  MakePair();
  if (HasFatalFailure()) return;
  for (const auto& [from, to] : {std::pair("server", "client"), std::pair("client", "server")}) {
    const auto out = Lease(from, Direction::kSend);
    const auto in = Lease(to, Direction::kReceive);
    // The client makes room in both rings, in this one when it receives.
    ReceiveAll(in->port(), 1, kPatience);
    EXPECT_EQ(SendAll(out->port(), Frames()), 32u);
    EXPECT_THAT(ReceiveAll(in->port(), 32), ElementsAreArray(Frames()));
    EXPECT_EQ(Stats(from, Direction::kSend).packets, 32u);
    EXPECT_EQ(Stats(to, Direction::kReceive).packets, 32u);
  }
}

// memif's own buffers have 2 KB.
TEST_F(MemifTest, LongPacketsTravelWhole) {
  MakePair();
  if (HasFatalFailure()) return;
  const auto out = Lease("client", Direction::kSend);
  const auto in = Lease("server", Direction::kReceive);
  Packet* packet = testing_ports::Pool().AllocLong(5000);
  ASSERT_NE(packet, nullptr);
  const std::string frame = Frame(5000, 'm');
  WriteBytes(*packet, 0, {reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
  ASSERT_EQ(out->port().Send(0, &packet, 1), 1u);
  EXPECT_THAT(ReceiveAll(in->port(), 1), testing::ElementsAre(frame));
}

// What a virtual machine has at its end: a device of DPDK's own, with memory of DPDK's own.
class VirtioPeer {
 public:
  explicit VirtioPeer(const std::string& socket) {
    pool_ = rte_pktmbuf_pool_create("virtio_peer", 1023, 0, 0, 2176, SOCKET_ID_ANY);
    const std::string arguments = "path=" + socket + ",queues=1";
    made_ = pool_ != nullptr && rte_eal_hotplug_add("vdev", kName, arguments.c_str()) == 0 &&
            rte_eth_dev_get_port_by_name(kName, &id_) == 0;
    rte_eth_conf configuration{};
    ready_ = made_ && rte_eth_dev_configure(id_, 1, 1, &configuration) == 0 &&
             rte_eth_rx_queue_setup(id_, 0, 256, SOCKET_ID_ANY, nullptr, pool_) == 0 &&
             rte_eth_tx_queue_setup(id_, 0, 256, SOCKET_ID_ANY, nullptr) == 0 &&
             rte_eth_dev_start(id_) == 0;
  }
  ~VirtioPeer() {
    if (ready_) rte_eth_dev_stop(id_);
    if (made_) rte_eal_hotplug_remove("vdev", kName);
    rte_mempool_free(pool_);
  }

  bool ready() const { return ready_; }

  void Send(const std::string& bytes) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
    ASSERT_NE(mbuf, nullptr);
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    ASSERT_EQ(rte_eth_tx_burst(id_, 0, &mbuf, 1), 1);
  }
  // The next packet, or nothing if none comes.
  std::string Receive() {
    rte_mbuf* mbuf;
    for (int i = 0; i < 2000 && rte_eth_rx_burst(id_, 0, &mbuf, 1) == 0; ++i) {
      if (i == 1999) return "nothing";
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::string bytes(rte_pktmbuf_mtod(mbuf, char*), rte_pktmbuf_data_len(mbuf));
    rte_pktmbuf_free(mbuf);
    return bytes;
  }

 private:
  static constexpr const char* kName = "net_virtio_user7";

  rte_mempool* pool_ = nullptr;
  uint16_t id_ = 0;
  bool made_ = false;
  bool ready_ = false;
};

TEST_F(TrustedPeerTest, VhostExchangesPacketsWithAVirtioDevice) {
  const std::string socket = folder_ + "/vhost";
  const absl::Status status = MakeVdev("p", "net_vhost0,iface=" + socket);
  ASSERT_TRUE(status.ok()) << status;
  VirtioPeer peer(socket);
  ASSERT_TRUE(peer.ready());
  ASSERT_TRUE(LinkComesUp("p"));
  const auto out = Lease("p", Direction::kSend);
  const auto in = Lease("p", Direction::kReceive);
  for (const std::string& frame : Frames()) peer.Send(frame);
  EXPECT_THAT(ReceiveAll(in->port(), 32), ElementsAreArray(Frames()));
  EXPECT_EQ(SendAll(out->port(), Frames()), 32u);
  for (const std::string& frame : Frames()) EXPECT_EQ(peer.Receive(), frame);
}

// It would have to reach packet memory, which the peer does not map.
TEST_F(TrustedPeerTest, VirtioUserIsNoPort) {
  const absl::Status status = MakeVdev("p", "net_virtio_user0,server=1,path=" + folder_ + "/s");
  EXPECT_EQ(StatusErrno(status), ENOTSUP) << status;
}

}  // namespace
}  // namespace bess
