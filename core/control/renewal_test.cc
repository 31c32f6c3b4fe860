// SPDX-License-Identifier: Apache-2.0
#include "core/control/renewal.h"

#include <google/protobuf/wrappers.pb.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bess {
namespace {

using testing::ElementsAre;

// Ports of one driver, as they are described: each has a name, and a device as its argument ("":
// none).
Configuration Ports(const std::vector<std::pair<std::string, std::string>>& ports) {
  Configuration all;
  for (const auto& [name, device] : ports) {
    native::Port& port = *all["ports/" + name].mutable_port();
    port.set_name(name);
    port.set_driver("Driver");
    port.set_num_inc_q(1);
    port.set_num_out_q(1);
    port.set_size_inc_q(kDefaultQueueSize);
    port.set_size_out_q(kDefaultQueueSize);
    google::protobuf::StringValue value;
    value.set_value(device);
    if (!device.empty()) port.mutable_arg()->PackFrom(value);
  }
  return all;
}

TEST(RenewalTest, WhatIsTheSameStays) {
  const Configuration now = Ports({{"p", "d"}, {"q", "e"}});
  EXPECT_TRUE(FindRenewal(now, now).empty());
  Configuration wanted = now;
  wanted["ports/p"].mutable_port()->clear_num_inc_q();
  wanted["ports/q"].mutable_port()->clear_size_out_q();
  EXPECT_TRUE(FindRenewal(now, wanted).empty()) << "0 stands for the default";
  wanted["ports/q"].mutable_port()->set_size_out_q(64);
  EXPECT_THAT(FindRenewal(now, wanted).leaving, ElementsAre("q"));
}

TEST(RenewalTest, OtherSettingsRenew) {
  const Configuration now = Ports({{"p", "d"}, {"q", "e"}});
  Configuration wanted = Ports({{"p", "x"}, {"q", "e"}});
  EXPECT_THAT(FindRenewal(now, wanted).leaving, ElementsAre("p"));
  EXPECT_THAT(FindRenewal(now, wanted).coming, ElementsAre("p"));
  wanted = now;
  wanted["ports/q"].mutable_port()->set_driver("Other");
  EXPECT_THAT(FindRenewal(now, wanted).leaving, ElementsAre("q"));
}

TEST(RenewalTest, ADeviceMayGoToAnotherName) {
  const Renewal renewal = FindRenewal(Ports({{"p", "d"}}), Ports({{"wan", "d"}}));
  EXPECT_THAT(renewal.leaving, ElementsAre("p"));
  EXPECT_THAT(renewal.coming, ElementsAre("wan"));
}

TEST(RenewalTest, ComingAndGoingAreNoRenewal) {
  EXPECT_TRUE(FindRenewal(Ports({{"p", "d"}}), Ports({{"wan", "e"}})).empty());
  EXPECT_TRUE(FindRenewal(Ports({{"p", ""}}), Ports({{"wan", ""}})).empty()) << "no device named";
  EXPECT_TRUE(FindRenewal({}, Ports({{"wan", "e"}})).empty());
}

TEST(RenewalTest, PortsAreFoundByName) {
  const Configuration now = Ports({{"p", "d"}});
  ASSERT_NE(FindPort(now, "p"), nullptr);
  EXPECT_EQ(RequestOf(*FindPort(now, "p")).driver, "Driver");
  EXPECT_EQ(FindPort(now, "q"), nullptr);
}

}  // namespace
}  // namespace bess
