// SPDX-License-Identifier: Apache-2.0
//
// On a port driver of the test's own, so that no DPDK is needed.
#include "bess/util.pb.h"
#include "core/control/engine_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

// Receives nothing, sends nowhere.
class TestPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "TestPort", .help = "a port to nowhere", .template_name = "test_port"};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  PortSettings settings() const override { return settings_; }
  absl::Status Configure(const PortChange& change) override {
    if (change.mtu && *change.mtu > 9000) return Error(EINVAL, "MTU ", *change.mtu);
    if (change.mac) settings_.mac = *change.mac;
    if (change.mtu) settings_.mtu = *change.mtu;
    if (change.admin_up) settings_.admin_up = *change.admin_up;
    return absl::OkStatus();
  }

 private:
  uint32_t DoReceive(uint32_t, Packet**, uint32_t) override { return 0; }
  uint32_t DoSend(uint32_t, Packet** packets, uint32_t n) override {
    FreePackets(packets, n);
    return n;
  }

  PortSettings settings_;
};

REGISTER_DRIVER(TestPort);

class PortRpcsTest : public EngineTest {
 protected:
  absl::Status CreatePort(const std::string& name, uint64_t queues = 0) {
    pb::CreatePortRequest request;
    request.set_name(name);
    request.set_driver("TestPort");
    request.set_num_inc_q(queues);
    return rpc::CreatePort(*engine_, request, &created_);
  }

  pb::CreatePortResponse created_;
};

TEST_F(PortRpcsTest, DriversAreListed) {
  pb::ListDriversResponse list;
  ASSERT_TRUE(rpc::ListDrivers(*engine_, {}, &list).ok());
  const auto& names = list.driver_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "TestPort"), names.end());
  pb::GetDriverInfoRequest request;
  pb::GetDriverInfoResponse info;
  request.set_driver_name("TestPort");
  ASSERT_TRUE(rpc::GetDriverInfo(*engine_, request, &info).ok());
  EXPECT_EQ(info.help(), "a port to nowhere");
  request.set_driver_name("Nonsense");
  ExpectError(rpc::GetDriverInfo(*engine_, request, &info), ENOENT, "'Nonsense'");
}

TEST_F(PortRpcsTest, PortsComeAndGo) {
  ASSERT_TRUE(CreatePort("").ok());
  EXPECT_EQ(created_.name(), "test_port0");
  EXPECT_EQ(created_.mac_addr(), "00:00:00:00:00:00");
  ExpectError(CreatePort("test_port0"), EEXIST, "'test_port0'");
  ExpectError(CreatePort("many", 129), EINVAL, "129");
  pb::ListPortsResponse list;
  ASSERT_TRUE(rpc::ListPorts(*engine_, {}, &list).ok());
  ASSERT_EQ(list.ports_size(), 1);
  EXPECT_EQ(list.ports(0).driver(), "TestPort");
  EXPECT_EQ(list.ports(0).num_inc_q(), 1u);
  EXPECT_EQ(list.ports(0).size_inc_q(), kDefaultQueueSize);
  pb::DestroyPortRequest destroy;
  pb::EmptyResponse done;
  destroy.set_name("test_port0");
  ASSERT_TRUE(rpc::DestroyPort(*engine_, destroy, &done).ok());
  ExpectError(rpc::DestroyPort(*engine_, destroy, &done), ENOENT, "'test_port0'");
  EXPECT_TRUE(rpc::ResetPorts(*engine_, {}, &done).ok());
}

TEST_F(PortRpcsTest, SettingsAreSetAndRead) {
  ASSERT_TRUE(CreatePort("p").ok());
  pb::SetPortConfRequest set;
  pb::CommandResponse done;
  set.set_name("p");
  set.mutable_conf()->set_mac_addr("02:00:00:00:00:01");
  set.mutable_conf()->set_mtu(1400);
  ASSERT_TRUE(rpc::SetPortConf(*engine_, set, &done).ok());
  pb::GetPortConfRequest get;
  pb::GetPortConfResponse conf;
  get.set_name("p");
  ASSERT_TRUE(rpc::GetPortConf(*engine_, get, &conf).ok());
  EXPECT_EQ(conf.conf().mac_addr(), "02:00:00:00:00:01");
  EXPECT_EQ(conf.conf().mtu(), 1400u);
  EXPECT_FALSE(conf.conf().admin_up());
  set.mutable_conf()->set_mac_addr("zz");
  ExpectError(rpc::SetPortConf(*engine_, set, &done), EINVAL, "zz");
  set.mutable_conf()->set_mac_addr("00:00:00:00:00:00");
  set.mutable_conf()->set_mtu(0);
  ASSERT_TRUE(rpc::SetPortConf(*engine_, set, &done).ok());
  ASSERT_TRUE(rpc::GetPortConf(*engine_, get, &conf).ok());
  EXPECT_EQ(conf.conf().mac_addr(), "02:00:00:00:00:01") << "zeros change nothing";
  EXPECT_EQ(conf.conf().mtu(), 1400u);
}

TEST_F(PortRpcsTest, StatisticsAndLink) {
  ASSERT_TRUE(CreatePort("p").ok());
  pb::GetPortStatsRequest request;
  pb::GetPortStatsResponse stats;
  request.set_name("p");
  ASSERT_TRUE(rpc::GetPortStats(*engine_, request, &stats).ok());
  EXPECT_EQ(stats.inc().requested_hist_size(), static_cast<int>(kBatchSize + 1));
  EXPECT_GT(stats.timestamp(), 0.0);
  pb::GetLinkStatusRequest link_request;
  pb::GetLinkStatusResponse link;
  link_request.set_name("p");
  ASSERT_TRUE(rpc::GetLinkStatus(*engine_, link_request, &link).ok());
  EXPECT_TRUE(link.link_up());
  request.set_name("nobody");
  ExpectError(rpc::GetPortStats(*engine_, request, &stats), ENOENT, "'nobody'");
}

// BESS cut counts to eight bits: 256 queues became none, and then the default.
TEST_F(PortRpcsTest, QueueCountsAndSizesAreCheckedInFull) {
  using Set = void (pb::CreatePortRequest::*)(uint64_t);
  const auto expect_refused = [this](Set set, uint64_t value, const std::string& field) {
    pb::CreatePortRequest request;
    request.set_driver("TestPort");
    (request.*set)(value);
    ExpectError(rpc::CreatePort(*engine_, request, &created_), EINVAL, field);
  };
  for (const uint64_t value : {uint64_t{256}, uint64_t{65536}, (uint64_t{1} << 32) + 1}) {
    expect_refused(&pb::CreatePortRequest::set_num_inc_q, value, "'num_inc_q'");
    expect_refused(&pb::CreatePortRequest::set_num_out_q, value, "'num_out_q'");
    expect_refused(&pb::CreatePortRequest::set_size_inc_q, value << 8, "'size_inc_q'");
    expect_refused(&pb::CreatePortRequest::set_size_out_q, value << 8, "'size_out_q'");
  }
  pb::ListPortsResponse list;
  ASSERT_TRUE(rpc::ListPorts(*engine_, {}, &list).ok());
  EXPECT_EQ(list.ports_size(), 0);
  ASSERT_TRUE(CreatePort("largest", 128).ok());
}

TEST_F(PortRpcsTest, DriversThatAreMissingOrUnknown) {
  pb::CreatePortRequest request;
  ExpectError(rpc::CreatePort(*engine_, request, &created_), EINVAL, "'driver'");
  request.set_driver("NoDriver");
  ExpectError(rpc::CreatePort(*engine_, request, &created_), ENOENT, "'NoDriver'");
  pb::GetDriverInfoResponse info;
  ExpectError(rpc::GetDriverInfo(*engine_, {}, &info), EINVAL, "'driver_name'");
}

TEST_F(PortRpcsTest, PortsThatAreMissingOrUnknown) {
  const auto expect_errors = [this](auto call, auto request, auto response, int nameless = EINVAL) {
    ExpectError(call(*engine_, request, &response), nameless, "name is missing");
    request.set_name("nobody");
    ExpectError(call(*engine_, request, &response), ENOENT, "'nobody'");
  };
  expect_errors(rpc::DestroyPort, pb::DestroyPortRequest(), pb::EmptyResponse());
  expect_errors(rpc::SetPortConf, pb::SetPortConfRequest(), pb::CommandResponse());
  expect_errors(rpc::GetPortConf, pb::GetPortConfRequest(), pb::GetPortConfResponse());
  expect_errors(rpc::GetPortStats, pb::GetPortStatsRequest(), pb::GetPortStatsResponse(), ENOENT);
  expect_errors(rpc::GetLinkStatus, pb::GetLinkStatusRequest(), pb::GetLinkStatusResponse(),
                ENOENT);
}

TEST_F(PortRpcsTest, PortsInUseStay) {
  ASSERT_TRUE(CreatePort("free").ok());
  ASSERT_TRUE(CreatePort("used").ok());
  auto lease = engine_->ports().Lease("used", Direction::kReceive, "in");
  ASSERT_TRUE(lease.ok()) << lease.status();
  pb::DestroyPortRequest request;
  request.set_name("used");
  pb::EmptyResponse done;
  ExpectError(rpc::DestroyPort(*engine_, request, &done), EBUSY, "'in'");
  ExpectError(rpc::ResetPorts(*engine_, {}, &done), EBUSY, "'used'");
  pb::ListPortsResponse list;
  ASSERT_TRUE(rpc::ListPorts(*engine_, {}, &list).ok());
  EXPECT_EQ(list.ports_size(), 2) << "all or none";
  lease->reset();
  EXPECT_TRUE(rpc::ResetPorts(*engine_, {}, &done).ok());
}

}  // namespace
}  // namespace bess
