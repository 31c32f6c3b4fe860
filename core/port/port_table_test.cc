// SPDX-License-Identifier: Apache-2.0
#include "core/port/port_table.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "core/base/status.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing::HasSubstr;
using testing_ports::PortTest;

using PortTableTest = PortTest;

void ExpectError(const absl::Status& status, int code, const std::string& text) {
  EXPECT_EQ(StatusErrno(status), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
}

TEST_F(PortTableTest, ChecksRequests) {
  ExpectError(Make({}), EINVAL, "'driver' is missing");
  ExpectError(Make({.driver = "Nope"}), ENOENT,
              "there are: NFPort, PCAPPort, PMDPort, UnixSocketPort");
  ExpectError(Make({.driver = "PMDPort", .rx_queues = 129}), EINVAL,
              "'num_inc_q' must be at most 128, not 129");
  ExpectError(Make({.driver = "PMDPort", .tx_queues = uint64_t{1} << 40}), EINVAL,
              "'num_out_q' must be at most 128, not 1099511627776");
  ExpectError(Make({.driver = "PMDPort", .rx_size = 4097}), EINVAL, "at most 4096, not 4097");
  ExpectError(Make({.driver = "PMDPort", .tx_size = 5000}), EINVAL, "'size_out_q'");
  google::protobuf::Any wrong;
  wrong.set_type_url("type.googleapis.com/bess.pb.EmptyArg2");
  ExpectError(Make({.driver = "PMDPort", .argument = wrong}), EINVAL, "bess.pb.PMDPortArg");
}

TEST_F(PortTableTest, NamesAndDefaults) {
  pb::PMDPortArg arg;
  arg.set_vdev("net_null0");
  PortRequest request{.driver = "PMDPort"};
  request.argument.PackFrom(arg);
  const auto name = table_.Create(request);
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_EQ(*name, "pmd_port0");
  ASSERT_TRUE(MakeVdev("", "net_null1").ok());
  ExpectError(MakeVdev("pmd_port1", "net_null2"), EEXIST, "'pmd_port1'");
  std::vector<std::string> names;
  table_.VisitAll([&](const Port& port, const google::protobuf::Any& argument) {
    names.push_back(port.name());
    EXPECT_EQ(port.driver().info.name, "PMDPort");
    EXPECT_EQ(port.rx_queues(), 1u);
    EXPECT_EQ(port.shape().tx_size, 1024u);
    EXPECT_TRUE(argument.Is<pb::PMDPortArg>());
  });
  EXPECT_THAT(names, testing::ElementsAre("pmd_port0", "pmd_port1"));
}

TEST_F(PortTableTest, FailedPortsLeaveNoName) {
  EXPECT_FALSE(MakeVdev("p", "net_null0,no_such_argument=1").ok());
  EXPECT_TRUE(MakeVdev("p", "net_null0").ok());
}

TEST_F(PortTableTest, WhatIsInUseStays) {
  ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
  auto receiver = table_.Lease("p", Direction::kReceive, "in");
  ASSERT_TRUE(receiver.ok());
  EXPECT_EQ((*receiver)->port().name(), "p");
  ExpectError(table_.Destroy("p"), EBUSY, "module 'in' receives from port 'p'");
  ExpectError(table_.Reset(), EBUSY, "'in'");
  ExpectError(table_.Lease("p", Direction::kReceive, "other").status(), EBUSY, "'in'");
  auto sender = table_.Lease("p", Direction::kSend, "out");
  auto second_sender = table_.Lease("p", Direction::kSend, "out2");
  EXPECT_TRUE(sender.ok() && second_sender.ok());
  receiver->reset();
  ExpectError(table_.Destroy("p"), EBUSY, "module 'out' sends to port 'p'");
  sender->reset();
  second_sender->reset();
  EXPECT_TRUE(table_.Destroy("p").ok());
}

TEST_F(PortTableTest, QueuesCanBeLeasedOneByOne) {
  ASSERT_TRUE(MakeVdev("p", "net_null0", 2).ok());
  auto first = table_.Lease("p", Direction::kReceive, "q0", 0);
  auto second = table_.Lease("p", Direction::kReceive, "q1", 1);
  EXPECT_TRUE(first.ok() && second.ok());
  ExpectError(table_.Lease("p", Direction::kReceive, "x", 1).status(), EBUSY, "'q1'");
  ExpectError(table_.Lease("p", Direction::kReceive, "x").status(), EBUSY, "'q0'");
  ExpectError(table_.Lease("p", Direction::kReceive, "x", 2).status(), EINVAL, "queues 0..1");
  ExpectError(table_.Lease("p", Direction::kReceive, "x", uint64_t{1} << 32).status(), EINVAL,
              "queues 0..1");
}

TEST_F(PortTableTest, MissingPorts) {
  ExpectError(table_.Destroy(""), EINVAL, "name is missing");
  ExpectError(table_.Destroy("p"), ENOENT, "no port 'p'");
  ExpectError(table_.Configure("p", {}), ENOENT, "no port 'p'");
  ExpectError(table_.Visit("p", [](const auto&, const auto&) {}), ENOENT, "no port 'p'");
  ExpectError(table_.Lease("p", Direction::kSend, "m").status(), ENOENT, "no port 'p'");
}

TEST_F(PortTableTest, ReadersSeeWholePortsWhileTheyComeAndGo) {
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      table_.VisitAll([](const Port& port, const auto&) {
        port.Stats(Direction::kReceive);
        port.link();
        port.settings();
      });
    }
  });
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
    ASSERT_TRUE(table_.Configure("p", {.admin_up = i % 2 == 0}).ok());
    ASSERT_TRUE(table_.Destroy("p").ok());
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace bess
