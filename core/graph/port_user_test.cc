// SPDX-License-Identifier: Apache-2.0
#include "core/graph/port_user.h"

#include <gmock/gmock.h>

#include "core/graph/fake_host_testing.h"

namespace bess {
namespace {

using testing::HasSubstr;

TEST(PortUserTest, LeasesAPort) {
  FakeHost host;
  FakePort& port = host.AddPort("p", 2);
  auto lease = LeaseNamedPort(host, "p", Direction::kReceive, "in");
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(&(*lease)->port(), &port);
}

TEST(PortUserTest, LeasesOneQueue) {
  FakeHost host;
  host.AddPort("p", 2);
  const auto lease = [&](uint64_t queue) {
    return LeaseNamedPort(host, "p", Direction::kReceive, "in", queue);
  };
  auto first = lease(0);
  auto second = lease(1);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(StatusErrno(lease(0).status()), EBUSY);
  EXPECT_EQ(StatusErrno(lease(kAllQueues).status()), EBUSY);
  EXPECT_EQ(StatusErrno(lease(2).status()), EINVAL);
  EXPECT_EQ(StatusErrno(lease(uint64_t{1} << 32).status()), EINVAL) << "not queue 0";
  first->reset();
  EXPECT_TRUE(lease(0).ok());
}

TEST(PortUserTest, NoClientsNumberStandsForAllQueues) {
  FakeHost host;
  host.AddPort("p", 2);
  const auto lease = [&](uint64_t qid) {
    return LeaseQueue(host, "p", Direction::kReceive, "in", qid);
  };
  for (const uint64_t qid : {uint64_t{2}, uint64_t{128}, uint64_t{1} << 32, kAllQueues}) {
    EXPECT_EQ(StatusErrno(lease(qid).status()), EINVAL) << qid;
  }
  EXPECT_THAT(std::string(lease(128).status().message()),
              HasSubstr("'qid' must be a queue of the port, 0..127 at most, not 128"));
  EXPECT_TRUE(lease(1).ok());
}

TEST(PortUserTest, SaysWhatIsWrongInTheWordsClientsKnow) {
  FakeHost host;
  host.AddPort("p", 1);
  auto lease = LeaseNamedPort(host, "p", Direction::kReceive, "in");
  const auto error = [&](std::string_view port) {
    return LeaseNamedPort(host, port, Direction::kReceive, "other").status();
  };
  EXPECT_EQ(StatusErrno(error("")), EINVAL);
  EXPECT_THAT(std::string(error("").message()), HasSubstr("'port'"));
  EXPECT_EQ(StatusErrno(error("q")), ENODEV);
  EXPECT_THAT(std::string(error("q").message()), HasSubstr("'q'"));
  EXPECT_EQ(StatusErrno(error("p")), EBUSY);
  EXPECT_THAT(std::string(error("p").message()), HasSubstr("'in'"));
}

}  // namespace
}  // namespace bess
