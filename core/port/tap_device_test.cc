// SPDX-License-Identifier: Apache-2.0
#include "core/port/tap_device.h"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include <chrono>
#include <string>

#include "core/base/status.h"
#include "core/port/kernel_link.h"
#include "core/port/namespace_testing.h"

namespace bess {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing_ports::InNewNamespace;

class TapDeviceTest : public testing::TestWithParam<int> {};

TapDevice MakeTap(uint32_t queues) {
  auto device = TapDevice::Make(queues);
  EXPECT_TRUE(device.ok()) << device.status();
  return *std::move(device);
}

bool Exists(const std::string& name) { return KernelLink::Find(name).ok(); }

TEST_P(TapDeviceTest, IsThereWhileItsDescriptorsAreOpen) {
  InNewNamespace([] {
    std::string name;
    {
      const TapDevice device = MakeTap(3);
      EXPECT_EQ(device.queues(), 3u);
      name = *device.Name();
      EXPECT_TRUE(Exists(name));
      EXPECT_NE(*MakeTap(1).Name(), name) << "the kernel chooses a free one";
    }
    EXPECT_FALSE(Exists(name));
  });
}

TEST_P(TapDeviceTest, KnowsWhereItIsAndIsGoneFromThereToo) {
  InNewNamespace([] {
    auto there = NetworkNamespace::Current();
    ASSERT_TRUE(there.ok()) << there.status();
    InNewNamespace([&] {
      {
        const TapDevice device = MakeTap(2);
        const absl::Status moved = KernelLink::Find(*device.Name())->Move(*there, "inside");
        ASSERT_TRUE(moved.ok()) << moved;
        EXPECT_EQ(*device.Name(), "inside");
        EXPECT_FALSE(Exists("inside"));
        auto space = device.Namespace();
        ASSERT_TRUE(space.ok()) << space.status();
        EXPECT_TRUE(space->Run([] { return KernelLink::Find("inside").status(); }).ok());
      }
      EXPECT_EQ(StatusErrno(there->Run([] { return KernelLink::Find("inside").status(); })),
                ENODEV);
    });
  });
}

TEST_P(TapDeviceTest, GoesWithANamespaceAndSaysSo) {
  InNewNamespace([] {
    const TapDevice device = MakeTap(1);
    InNewNamespace([&] {
      auto there = NetworkNamespace::Current();
      ASSERT_TRUE(there.ok()) << there.status();
      EXPECT_TRUE(device.Namespace()
                      ->Run([&] { return KernelLink::Find(*device.Name())->Move(*there, "t"); })
                      .ok());
    });
    // The kernel takes a namespace apart in its own time.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (device.Name().ok() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(StatusErrno(device.Name().status()), ENODEV);
    EXPECT_EQ(StatusErrno(device.Namespace().status()), ENODEV);
  });
}

// The cores of queues are files of sysfs, which shows the namespace it was mounted in.
TEST_P(TapDeviceTest, QueuesHaveCores) {
  InNewNamespace([] {
    const TapDevice device = MakeTap(2);
    const absl::Status unseen = device.SetCore(1, 0);
    EXPECT_EQ(StatusErrno(unseen), ENODEV);
    EXPECT_THAT(std::string(unseen.message()), HasSubstr("cannot give queue 1 core 0: /sys/"));
    testing_ports::ShowInSys();
    const absl::Status set = device.SetCore(1, 0);
    ASSERT_TRUE(set.ok()) << set;
    const std::string queues = "/sys/class/net/" + *device.Name() + "/queues/";
    uint64_t first = 1;
    uint64_t second = 0;
    std::ifstream(queues + "rx-0/rps_cpus") >> std::hex >> first;
    std::ifstream(queues + "rx-1/rps_cpus") >> std::hex >> second;
    EXPECT_EQ(first, 0u);
    EXPECT_EQ(second, 1u);
    constexpr uint32_t kFar = 100'000;  // more cores than any kernel is built for
    EXPECT_EQ(StatusErrno(device.SetCore(0, kFar)), EOVERFLOW);
  });
}

TEST_P(TapDeviceTest, SaysWhichRightIsMissing) {
  InNewNamespace([] {
    __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct rights[2] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, rights), 0);  // of this thread only
    const absl::Status status = TapDevice::Make(1).status();
    EXPECT_THAT(StatusErrno(status), AnyOf(EPERM, EACCES));
    EXPECT_THAT(std::string(status.message()),
                AnyOf(HasSubstr("it needs CAP_NET_ADMIN"), HasSubstr("/dev/net/tun: Permission")));
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TapDeviceTest);
INSTANTIATE_TEST_SUITE_P(Root, TapDeviceTest,
                         testing::ValuesIn(testing_ports::OnceWithNamespaces("TAP devices")));

}  // namespace
}  // namespace bess
