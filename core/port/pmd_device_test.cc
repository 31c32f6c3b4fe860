// SPDX-License-Identifier: Apache-2.0
//
// Devices come and go.
#include "core/port/pmd_device.h"

#include <gmock/gmock.h>

#include "core/base/status.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using PmdDeviceTest = testing_ports::PortTest;

TEST_F(PmdDeviceTest, NamesOfDevicesCanBeUsedAgain) {
  for (int i = 0; i < 5; ++i) {
    for (const char* vdev : {"net_null0", "net_ring0"}) {
      ASSERT_TRUE(MakeVdev("p", vdev).ok()) << vdev << " " << i;
      ASSERT_TRUE(table_.Destroy("p").ok());
    }
  }
  EXPECT_EQ(rte_eth_dev_count_total(), 0u);
}

TEST_F(PmdDeviceTest, DevicesHaveOneOwner) {
  ASSERT_TRUE(MakeVdev("p", "net_null0").ok());
  absl::Status status = MakeVdev("q", "net_null0");
  EXPECT_EQ(StatusErrno(status), EBUSY);
  EXPECT_EQ(status.message(), "port 'p' has this device already");
  pb::PMDPortArg arg;
  arg.set_port_id(0);
  EXPECT_EQ(StatusErrno(MakePmd("q", arg)), EBUSY);
  arg.set_port_id(1);
  EXPECT_EQ(StatusErrno(MakePmd("q", arg)), ENODEV);
}

TEST_F(PmdDeviceTest, MissingDevices) {
  pb::PMDPortArg arg;
  EXPECT_EQ(StatusErrno(MakePmd("p", arg)), EINVAL);
  for (const uint64_t id : {uint64_t{0}, uint64_t{31}, uint64_t{65536}, ~uint64_t{0}}) {
    arg.set_port_id(id);
    EXPECT_EQ(StatusErrno(MakePmd("p", arg)), ENODEV) << id;
  }
  arg.set_pci("0000:ff:1f.7");
  EXPECT_EQ(StatusErrno(MakePmd("p", arg)), ENODEV) << MakePmd("p", arg);
  arg.set_pci("first card");
  EXPECT_EQ(StatusErrno(MakePmd("p", arg)), EINVAL);
}

TEST_F(PmdDeviceTest, UnknownVirtualDevices) {
  for (const std::string vdev : {"net_nothing0", "x", "net_null0,colour=red", ",", "",
                                 "net_null0,size", "0000:00:00.0", "net_ring0,nodeaction=::"}) {
    const absl::Status status = MakeVdev("p", vdev);
    const int code = StatusErrno(status);
    EXPECT_TRUE(code == EINVAL || code == ENODEV) << vdev << ": " << code << " " << status;
  }
  EXPECT_EQ(StatusErrno(MakeVdev("p", std::string(300, 'n'))), EINVAL);
  EXPECT_EQ(rte_eth_dev_count_total(), 0u);
  EXPECT_TRUE(MakeVdev("p", "net_null0").ok()) << "failures leave nothing behind";
}

TEST_F(PmdDeviceTest, AMadeDeviceIsGoneAfterwards) {
  auto made = PmdDevice::OpenVdev("net_null0", "maker");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE((*made)->is_virtual());
  EXPECT_EQ((*made)->driver(), "net_null");
  const uint16_t id = (*made)->id();
  EXPECT_EQ(PmdDevice::OpenId(id, "finder").status().message(),
            "port 'maker' has this device already");
  made->reset();
  EXPECT_EQ(StatusErrno(PmdDevice::OpenId(id, "finder").status()), ENODEV);
}

}  // namespace
}  // namespace bess
