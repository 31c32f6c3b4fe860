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
