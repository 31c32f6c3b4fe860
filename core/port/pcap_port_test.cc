// SPDX-License-Identifier: Apache-2.0
//
// What needs no rights; packets travel in kernel_device_test.cc.
#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/port/port_testing.h"
#include "ports/pcap_port.pb.h"

namespace bess {
namespace {

using testing::HasSubstr;

class PcapPortTest : public testing_ports::PortTest {
 protected:
  absl::Status MakePcap(const std::string& device, uint64_t rx_queues = 0, uint64_t tx_queues = 0) {
    pb::PCAPPortArg arg;
    arg.set_dev(device);
    PortRequest request{
        .name = "p", .driver = "PCAPPort", .rx_queues = rx_queues, .tx_queues = tx_queues};
    request.argument.PackFrom(arg);
    return Make(request);
  }
};

TEST_F(PcapPortTest, SaysWhatIsWrongInTheWordsOfLibpcap) {
  const absl::Status status = MakePcap("no-such-dev");
  EXPECT_TRUE(StatusErrno(status) == ENODEV || StatusErrno(status) == EPERM) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot open 'no-such-dev': "));
  EXPECT_THAT(std::string(status.message()),
              testing::AnyOf(HasSubstr("No such device"), HasSubstr("ermission")));
}

TEST_F(PcapPortTest, NeedsAnInterface) {
  const absl::Status status = MakePcap("");
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'dev'"));
  EXPECT_FALSE(MakePcap(std::string(5000, 'x')).ok());
}

TEST_F(PcapPortTest, HasOneQueueEachWay) {
  EXPECT_EQ(StatusErrno(MakePcap("lo", 2, 1)), EINVAL);
  const absl::Status status = MakePcap("lo", 1, 3);
  EXPECT_EQ(StatusErrno(status), EINVAL);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 queue each way, not 3"));
}

TEST_F(PcapPortTest, OnlyEthernetWillDo) {
  const absl::Status status = MakePcap("any");
  EXPECT_THAT(std::string(status.message()),
              testing::AnyOf(HasSubstr("must be an Ethernet interface"), HasSubstr("ermission")));
}

}  // namespace
}  // namespace bess
