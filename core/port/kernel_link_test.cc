// SPDX-License-Identifier: Apache-2.0
#include "core/port/kernel_link.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/port/namespace_testing.h"

namespace bess {
namespace {

using testing::HasSubstr;
using testing_ports::InNewNamespace;
using testing_ports::Shell;

TEST(KernelLinkTest, NamesAreWhatTheKernelTakes) {
  for (const char* name : {"eth0", "a", "fifteen-letters", "veth.7"}) {
    EXPECT_TRUE(CheckLinkName(name).ok()) << name;
  }
  for (const char* name :
       {"", "sixteen--letters", "a b", "a/b", "a:b", "vport%d", ".", "..", "tab\t", "\xc3\xa4"}) {
    EXPECT_EQ(StatusErrno(CheckLinkName(name)), EINVAL) << name;
  }
  EXPECT_THAT(std::string(CheckLinkName("a/b").message()), HasSubstr("'a/b' is none"));
}

TEST(KernelLinkTest, AddressesHaveTwoForms) {
  auto address = ParseLinkAddress("10.0.0.1/24");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_FALSE(address->is_ipv6);
  EXPECT_EQ(address->prefix, 24);
  EXPECT_EQ(address->bytes[0], 10);
  EXPECT_EQ(address->bytes[3], 1);
  address = ParseLinkAddress("fd00::1/64");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_TRUE(address->is_ipv6);
  EXPECT_EQ(address->prefix, 64);
  EXPECT_EQ(address->bytes[0], 0xfd);
  EXPECT_EQ(address->bytes[15], 1);
}

TEST(KernelLinkTest, WithoutALengthAnAddressIsAlone) {
  EXPECT_EQ(ParseLinkAddress("10.0.0.1")->prefix, 32);
  EXPECT_EQ(ParseLinkAddress("::1")->prefix, 128);
}

TEST(KernelLinkTest, OtherAddressesAreRefused) {
  for (const char* text : {"", "/24", "10.0.0/24", "10.0.0.256/24", "10.0.0.1/", "10.0.0.1/33",
                           "10.0.0.1/-1", "10.0.0.1/+8", "10.0.0.1/24/8", "10.0.0.1/ 8", "::1/129",
                           "fd00:::1/64", "host/24", "10.0.0.1/99999999999"}) {
    EXPECT_EQ(StatusErrno(ParseLinkAddress(text).status()), EINVAL) << text;
  }
  EXPECT_EQ(ParseLinkAddress("10.0.0.1/33").status().message(),
            "the prefix length of '10.0.0.1/33' must be 0..32");
}

TEST(KernelLinkTest, SaysWhichInterfaceThereIsNot) {
  const absl::Status status = KernelLink::Find("no-such-dev").status();
  EXPECT_EQ(StatusErrno(status), ENODEV);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'no-such-dev'"));
}

TEST(KernelLinkTest, AnInterfaceSaysWhatItIs) {
  auto link = KernelLink::Find("lo");
  ASSERT_TRUE(link.ok()) << link.status();
  EXPECT_GT(link->state().mtu, 0u);
  EXPECT_EQ(link->state().mac, MacAddress{});
}

class KernelLinkChangeTest : public testing::TestWithParam<int> {
 protected:
  // Runs `body` in a namespace with the interface d0.
  template <typename Body>
  void WithDevice(Body body) {
    InNewNamespace([&] {
      Shell("ip link add d0 type veth peer name d1");
      auto link = KernelLink::Find("d0");
      ASSERT_TRUE(link.ok()) << link.status();
      body(*link);
    });
  }
};

TEST_P(KernelLinkChangeTest, ChangesWhatItIsToldAndNothingElse) {
  WithDevice([](KernelLink& link) {
    const LinkState before = link.state();
    const MacAddress mac = {2, 0, 0, 0, 0, 7};
    absl::Status changed = link.Change({.mac = mac, .mtu = 1400, .queue_length = 77});
    ASSERT_TRUE(changed.ok()) << changed;
    LinkState state = KernelLink::Find("d0")->state();
    EXPECT_EQ(state.mac, mac);
    EXPECT_EQ(state.mtu, 1400u);
    EXPECT_FALSE(state.admin_up);
    Shell("ip link show d0 | grep -q 'qlen 77'");
    ASSERT_TRUE(link.Change({.mtu = before.mtu, .up = true}).ok());
    state = KernelLink::Find("d0")->state();
    EXPECT_EQ(state.mac, mac);
    EXPECT_EQ(state.mtu, before.mtu);
    EXPECT_TRUE(state.admin_up);
    EXPECT_FALSE(state.running) << "the other end is down";
    ASSERT_TRUE(KernelLink::Find("d0")->Change({.up = false}).ok());
    EXPECT_FALSE(KernelLink::Find("d0")->state().admin_up);
    EXPECT_TRUE(link.Change({}).ok());
  });
}

TEST_P(KernelLinkChangeTest, ErrorsNameInterfaceAndValue) {
  WithDevice([](KernelLink& link) {
    const absl::Status refused = link.Change({.mtu = 10});
    EXPECT_EQ(StatusErrno(refused), EINVAL);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("cannot set interface 'd0' to MTU 10: "));
  });
}

TEST_P(KernelLinkChangeTest, GetsAddresses) {
  WithDevice([](KernelLink& link) {
    Shell("echo 0 > /proc/sys/net/ipv6/conf/d0/disable_ipv6");
    for (const char* text : {"10.0.0.1/24", "10.1.0.1", "fd00::1/64"}) {
      const absl::Status added = link.Add(*ParseLinkAddress(text));
      EXPECT_TRUE(added.ok()) << added;
    }
    Shell("ip -o address show d0 | grep -q '10.0.0.1/24'");
    Shell("ip -o address show d0 | grep -q '10.1.0.1/32'");
    Shell("ip -o address show d0 | grep -q 'fd00::1/64'");
    const absl::Status again = link.Add(*ParseLinkAddress("10.0.0.1/24"));
    EXPECT_EQ(StatusErrno(again), EEXIST);
    EXPECT_THAT(std::string(again.message()),
                HasSubstr("cannot give interface 'd0' the address 10.0.0.1/24: "));
  });
}

TEST_P(KernelLinkChangeTest, MovesUnderANameThatIsFree) {
  WithDevice([](KernelLink& link) {
    auto here = NetworkNamespace::Current();
    ASSERT_TRUE(here.ok()) << here.status();
    InNewNamespace([&] {
      auto there = NetworkNamespace::Current();
      ASSERT_TRUE(there.ok()) << there.status();
      Shell("ip link add taken type veth peer name d0");
      const absl::Status refused = here->Run([&] { return link.Move(*there, "taken"); });
      EXPECT_EQ(StatusErrno(refused), EEXIST);
      EXPECT_THAT(std::string(refused.message()),
                  HasSubstr("there is an interface 'taken' already in "));
    });
    EXPECT_EQ(StatusErrno(link.Move(*here, "d1")), EEXIST);
    const absl::Status renamed = link.Move(*here, "new");
    EXPECT_TRUE(renamed.ok()) << renamed;
    EXPECT_TRUE(KernelLink::Find("new").ok());
    EXPECT_FALSE(KernelLink::Find("d0").ok());
  });
}

TEST_P(KernelLinkChangeTest, ItsNameThereMayBeTakenHereAndTheOtherWayRound) {
  WithDevice([](KernelLink& link) {
    InNewNamespace([&] {
      auto there = NetworkNamespace::Current();
      ASSERT_TRUE(there.ok()) << there.status();
      Shell("ip link add d0 type veth peer name x1");
      const absl::Status moved = link.Move(*there, "d1");
      EXPECT_TRUE(moved.ok()) << moved;
      EXPECT_TRUE(KernelLink::Find("d1").ok());
      EXPECT_TRUE(KernelLink::Find("d0").ok());
    });
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KernelLinkChangeTest);
INSTANTIATE_TEST_SUITE_P(
    Root, KernelLinkChangeTest,
    testing::ValuesIn(testing_ports::OnceWithNamespaces("changes to interfaces")));

}  // namespace
}  // namespace bess
