// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_port.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "core/base/status.h"
#include "core/port/nf_testing.h"
#include "nf/bessnf.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_nf::Eventually;
using testing_ports::Frame;
using testing_ports::PortTest;
using testing_ports::ReceiveAll;
using testing_ports::SendAll;

class NFPortTest : public PortTest {
 protected:
  absl::Status Make(const std::string& name, uint64_t rx_queues = 1, uint64_t tx_queues = 1) {
    PortRequest request{.name = name,
                        .driver = "NFPort",
                        .rx_queues = rx_queues,
                        .tx_queues = tx_queues,
                        .rx_size = 100,
                        .tx_size = 100};
    request.argument.PackFrom(arg_);
    return table_.Create(request).status();
  }
  void MakeAttached(uint64_t rx_queues = 1, uint64_t tx_queues = 1) {
    arg_.set_path(path_);
    const absl::Status status = Make("p", rx_queues, tx_queues);
    ASSERT_TRUE(status.ok()) << status;
    in_ = Lease("p", Direction::kReceive);
    out_ = Lease("p", Direction::kSend);
    nf_ = bess_nf_attach(path_.c_str(), nullptr);
    ASSERT_NE(nf_, nullptr) << bess_nf_error();
    ASSERT_TRUE(Eventually([this] { return Link("p").up; }));
  }
  void TearDown() override {
    bess_nf_detach(nf_);
    in_.reset();
    out_.reset();
    PortTest::TearDown();
  }
  void ExpectError(const absl::Status& status, const std::string& text) {
    EXPECT_EQ(StatusErrno(status), EINVAL) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
  // Sends back what waits in a queue.
  uint32_t Echo(uint32_t from = 0, uint32_t to = 0) {
    BessNfPacket packets[64];
    EXPECT_EQ(bess_nf_wait(nf_, from, 5000), 1);
    const int n = bess_nf_receive(nf_, from, packets, 64);
    return bess_nf_send(nf_, to, packets, static_cast<uint32_t>(n));
  }
  uint64_t Pools() {
    uint64_t in_use = 0;
    table_.VisitPools([&](const PacketPool& pool) { in_use += pool.in_use(); });
    return in_use;
  }

  const std::string path_ = "@nf_port_test_" + std::to_string(getpid());
  pb::NFPortArg arg_;
  std::unique_ptr<PortLease> in_;
  std::unique_ptr<PortLease> out_;
  BessNf* nf_ = nullptr;
};

TEST_F(NFPortTest, ChecksItsArgument) {
  ExpectError(Make("p", 17), "at most 16 queues each way, not 17");
  ExpectError(Make("p", 1, 17), "not 17");
  ExpectError(Make("a/b"), "needs a 'path'");
  arg_.set_path(std::string(200, 'x'));
  ExpectError(Make("p"), "at most 107 bytes");
  arg_.set_path(path_);
  arg_.set_domain("no spaces");
  ExpectError(Make("p"), "unlike 'no spaces'");
  arg_.set_domain(std::string(17, 'x'));
  ExpectError(Make("p"), "at most 16");
}

TEST_F(NFPortTest, OpensTheSocketToThoseOnTheList) {
  const std::string path = "/tmp/nf_port_test_" + std::to_string(getpid());
  const mode_t old = umask(077);
  arg_.set_path(path);
  ASSERT_TRUE(Make("p").ok());
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700u);
  ASSERT_TRUE(table_.Destroy("p").ok());
  arg_.add_uids(4711);
  ASSERT_TRUE(Make("p").ok());
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0666u);
  ASSERT_TRUE(table_.Destroy("p").ok());
  EXPECT_NE(stat(path.c_str(), &found), 0);
  umask(old);
}

TEST_F(NFPortTest, IsAPortLikeAnyOther) {
  for (const bool trusted : {false, true}) {
    arg_.set_trusted(trusted);
    MakeAttached();
    EXPECT_EQ(SendAll(out_->port(), {Frame(60, 'a'), Frame(1500, 'b')}), 2u);
    EXPECT_EQ(Echo(), 2u);
    EXPECT_THAT(ReceiveAll(in_->port(), 2), ElementsAre(Frame(60, 'a'), Frame(1500, 'b')));
    EXPECT_EQ(Stats("p", Direction::kSend).bytes, 1560u);
    EXPECT_EQ(Stats("p", Direction::kReceive).bytes, 1560u);
    BessNfStats stats;
    bess_nf_statistics(nf_, &stats);
    EXPECT_EQ(stats.received, 2u);
    EXPECT_EQ(stats.sent_bytes, 1560u);
    bess_nf_detach(nf_);
    nf_ = nullptr;
    EXPECT_TRUE(Eventually([this] { return !Link("p").up; }));
    in_.reset();
    out_.reset();
    ASSERT_TRUE(table_.Destroy("p").ok());
  }
}

TEST_F(NFPortTest, HasQueues) {
  MakeAttached(2, 3);
  ASSERT_EQ(bess_nf_receive_queues(nf_), 3u);
  ASSERT_EQ(bess_nf_send_queues(nf_), 2u);
  EXPECT_EQ(SendAll(out_->port(), {Frame(60, 'c')}, 2), 1u);
  EXPECT_EQ(Echo(2, 1), 1u);
  Packet* packet = nullptr;
  EXPECT_EQ(in_->port().Receive(0, &packet, 1).packets, 0u);
  ASSERT_EQ(in_->port().Receive(1, &packet, 1).packets, 1u);
  FreePackets(&packet, 1);
}

TEST_F(NFPortTest, FullRingsDropAndCount) {
  MakeAttached();
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u);
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u) << "128 slots";
  EXPECT_EQ(SendAll(out_->port(), {Frame(60)}), 0u);
  EXPECT_EQ(Stats("p", Direction::kSend).dropped, 1u);
}

// At 90 % of 128 slots; what finds no room is dropped all the same.
TEST_F(NFPortTest, WithBackpressureItBrakesWhileARingIsFull) {
  arg_.set_backpressure(true);
  MakeAttached();
  Brake* brake = out_->port().brake();
  ASSERT_NE(brake, nullptr);
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u);
  EXPECT_FALSE(brake->Holds());
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(60, Frame(60))), 60u);
  EXPECT_TRUE(brake->Holds());
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(5, Frame(60))), 4u);
  EXPECT_EQ(Echo(), 64u);
  EXPECT_TRUE(brake->Holds()) << "64 are left";
  EXPECT_EQ(Echo(), 64u);
  EXPECT_FALSE(brake->Holds());
}

TEST_F(NFPortTest, WithoutAnNfNothingIsBraked) {
  arg_.set_backpressure(true);
  MakeAttached();
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u);
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u);
  EXPECT_TRUE(out_->port().brake()->Holds());
  bess_nf_detach(nf_);
  nf_ = nullptr;
  EXPECT_TRUE(Eventually([this] { return !out_->port().brake()->Holds(); }));
}

TEST_F(NFPortTest, WhoIsBrakedForTooLongIsDetached) {
  arg_.set_backpressure(true);
  arg_.set_stall_ms(20);
  MakeAttached();
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u);
  EXPECT_EQ(SendAll(out_->port(), std::vector<std::string>(64, Frame(60))), 64u);
  EXPECT_TRUE(Eventually([this] { return !Link("p").up; }));
  EXPECT_FALSE(out_->port().brake()->Holds());
}

TEST_F(NFPortTest, WithoutBackpressureThereIsNoBrake) {
  MakeAttached();
  EXPECT_EQ(out_->port().brake(), nullptr);
}

// Two tenants share nothing; the ports of one do.
TEST_F(NFPortTest, DomainsHavePoolsOfTheirOwn) {
  arg_.set_trusted(true);
  arg_.set_domain("blue");
  MakeAttached();
  EXPECT_EQ(SendAll(out_->port(), {Frame(60, 'a')}), 1u);
  EXPECT_EQ(testing_ports::Pool().in_use(), 0u) << "it crossed into the domain by a copy";
  EXPECT_EQ(Echo(), 1u);
  EXPECT_THAT(ReceiveAll(in_->port(), 1), ElementsAre(Frame(60, 'a')));
  bess_nf_detach(nf_);
  nf_ = nullptr;
  EXPECT_TRUE(Eventually([this] { return Pools() == 0; }));
}

// Whether it is the argument or the socket that is wrong.
TEST_F(NFPortTest, ARefusedPortLeavesNoDomainBehind) {
  const auto pools = [this] {
    int found = 0;
    table_.VisitPools([&](const PacketPool&) { ++found; });
    return found;
  };
  const int before = pools();
  for (int i = 0; i < 20; ++i) {
    arg_.set_domain("refused" + std::to_string(i));
    arg_.set_path(i % 2 == 0 ? std::string(200, 'x') : "/none/such/folder");
    EXPECT_FALSE(Make("p").ok());
    EXPECT_FALSE(Make("p", 17).ok());
  }
  EXPECT_EQ(pools(), before);
}

TEST_F(NFPortTest, LongPacketsAreRefused) {
  MakeAttached();
  Packet* packets[2] = {testing_ports::Pool().AllocLong(5000), nullptr};
  ASSERT_TRUE(testing_ports::Pool().Alloc(packets + 1, 1, 60));
  EXPECT_EQ(out_->port().Send(0, packets, 2), 1u);
  EXPECT_EQ(packets[1]->total_length(), 5000u);
  FreePackets(packets + 1, 1);
}

}  // namespace
}  // namespace bess
