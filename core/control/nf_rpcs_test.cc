// SPDX-License-Identifier: Apache-2.0
#include "core/base/status.h"
#include "core/control/nf_ports_testing.h"
#include "core/control/rpcs.h"

namespace bess {
namespace {

using testing_nf::Eventually;
using testing_nf::RawConnection;
using testing_nf::Request;

[[maybe_unused]] const auto& environment = testing_ports::Environment::Get();

class NfRpcsTest : public NfPortsTest {
 protected:
  native::NfPortState Read(const std::string& port) {
    native::ListNfsRequest request;
    native::ListNfsResponse response;
    request.add_ports(port);
    const absl::Status status = rpc::ListNfs(*engine_, request, &response);
    EXPECT_TRUE(status.ok()) << status;
    return response.ports_size() == 1 ? response.ports(0) : native::NfPortState();
  }
};

TEST_F(NfRpcsTest, ListsPortsByName) {
  native::ListNfsResponse all;
  ASSERT_TRUE(rpc::ListNfs(*engine_, {}, &all).ok());
  EXPECT_EQ(all.ports_size(), 0);
  CreatePort("tom", /*trusted=*/true, "blue");
  CreatePort("ann", /*trusted=*/false);
  ASSERT_TRUE(rpc::ListNfs(*engine_, {}, &all).ok());
  ASSERT_EQ(all.ports_size(), 2);
  EXPECT_EQ(all.ports(0).port(), "ann");
  EXPECT_FALSE(all.ports(0).trusted());
  EXPECT_FALSE(all.ports(0).has_process());
  EXPECT_TRUE(all.ports(1).trusted());
  EXPECT_EQ(all.ports(1).domain(), "blue");
  native::ListNfsRequest request;
  request.add_ports("nobody");
  EXPECT_EQ(StatusErrno(rpc::ListNfs(*engine_, request, &all)), ENOENT);
}

TEST_F(NfRpcsTest, TellsALife) {
  CreatePort("p", /*trusted=*/true);
  {
    RawConnection nf(Path("p"));
    nf.Attach(/*fresh=*/16);
    ASSERT_TRUE(Eventually([&] { return Read("p").has_process(); }));
    const auto process = Read("p").process();
    EXPECT_EQ(process.name(), "raw");
    EXPECT_EQ(process.pid(), getpid());
    EXPECT_EQ(process.uid(), geteuid());
    EXPECT_EQ(process.buffers(), 16u);
    EXPECT_GT(process.since(), 1e9);
    nf.Say(Request());
    EXPECT_TRUE(nf.IsClosed());
  }
  const auto state = Read("p");
  EXPECT_FALSE(state.has_process());
  EXPECT_EQ(state.events().attached(), 1u);
  EXPECT_EQ(state.events().violated(), 1u);
  ASSERT_EQ(state.violations_size(), 1);
  EXPECT_EQ(state.violations(0).reason(), "a message out of turn");
  EXPECT_EQ(state.violations(0).times(), 1u);
}

}  // namespace
}  // namespace bess
