// SPDX-License-Identifier: Apache-2.0
#include "core/port/eal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/magic.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/base/status.h"
#include "core/base/temporary_folder_testing.h"
#include "core/port/port_testing.h"

namespace bess {
namespace {

using testing::ElementsAre;
using testing_ports::Bytes;
using testing_ports::MakePackets;
using testing_ports::Pool;
namespace fs = std::filesystem;

[[maybe_unused]] const auto& environment = testing_ports::Environment::Get();

// --- EAL ----------------------------------------------------------------------------------------

TEST(EalTest, StartsInLessThanASecond) {
  EXPECT_LT(testing_ports::start_time, std::chrono::seconds(1));
}

TEST(EalTest, LeavesTheAffinityOfTheThreadAlone) {
  cpu_set_t mine, init;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mine), &mine), 0);
  ASSERT_EQ(sched_getaffinity(getppid(), sizeof(init), &init), 0);
  EXPECT_TRUE(CPU_EQUAL(&mine, &init)) << "not what the parent started this program with";
}

TEST(EalTest, StartsOnlyOnce) {
  const auto again = Eal::Start({});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(StatusErrno(again.status()), EALREADY);
}

TEST(EalTest, RefusesMemoryOutOfRange) {
  const auto eal = Eal::Start({.memory_mb = 1});
  ASSERT_FALSE(eal.ok());
  EXPECT_EQ(eal.status().message(), "DPDK's memory must be 16..65536 MB, not 1");
}

TEST(EalTest, RefusesDevicesThatAreNoAddresses) {
  const auto eal = Eal::Start({.allow = {"03:00.1", "eth0"}});
  ASSERT_FALSE(eal.ok());
  EXPECT_EQ(eal.status().message(), "a PCI address is like 0000:03:00.1 or 03:00.1, not 'eth0'");
}

TEST(EalTest, LeavesNoFiles) {
  for (const fs::path home : {"/var/run/dpdk", "/run/dpdk", "/tmp/dpdk"}) {
    std::error_code error;
    for (const auto& prefix : fs::directory_iterator(home, error)) {
      EXPECT_EQ(prefix.path().string().find(absl::StrCat(getpid())), std::string::npos);
    }
  }
}

TEST(EalTest, ThreadsRegisterWithIdsOfTheirOwn) {
  unsigned first = LCORE_ID_ANY, second = LCORE_ID_ANY;
  std::thread outer([&] {
    ASSERT_TRUE(RegisterThread().ok());
    first = rte_lcore_id();
    std::thread inner([&] {
      ASSERT_TRUE(RegisterThread().ok());
      second = rte_lcore_id();
      UnregisterThread();
    });
    inner.join();
    UnregisterThread();
  });
  outer.join();
  EXPECT_LT(first, rte_get_main_lcore());
  EXPECT_LT(second, rte_get_main_lcore());
  EXPECT_NE(first, second);
}

// A machine made of files.
class SurveyTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }
  void AddDevice(const std::string& address, const std::string& cls, const std::string& driver,
                 const std::string& group) {
    const std::string device = "sys/bus/pci/devices/" + address + "/";
    Write(device + "class", cls);
    fs::create_symlink("../../drivers/" + driver, root_ / (device + "driver"));
    fs::create_symlink("../../groups/" + group, root_ / (device + "iommu_group"));
  }

  TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

TEST_F(SurveyTest, FindsNothingOnAnEmptyMachine) {
  const EalSurvey survey = SurveyMachine(root_.string());
  EXPECT_EQ(survey.free_huge_bytes, 0u);
  EXPECT_TRUE(survey.devices.empty());
}

TEST_F(SurveyTest, AddsUpFreeHugepages) {
  Write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3");
  Write("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1");
  EXPECT_EQ(SurveyMachine(root_.string()).free_huge_bytes, (1024u + 6u) << 20);
}

TEST_F(SurveyTest, TakesOnlyNetworkCardsGivenToUserSpace) {
  AddDevice("0000:01:00.0", "0x020000", "vfio-pci", "7");
  AddDevice("0000:02:00.0", "0x020000", "vfio-pci", "8");  // of a group not given to us
  AddDevice("0000:03:00.0", "0x030000", "vfio-pci", "7");  // a graphics card
  AddDevice("0000:04:00.0", "0x020000", "virtio-pci", "7");
  Write("dev/vfio/7", "");
  EXPECT_THAT(SurveyMachine(root_.string()).devices, ElementsAre("0000:01:00.0"));
}

// --- pools, for which the packet room has no EAL ------------------------------------------------

class PoolTest : public testing::TestWithParam<PacketPool::Kind> {
 protected:
  void SetUp() override {
    auto pool = PacketPool::Create("pool_test", GetParam(), 2048);
    ASSERT_TRUE(pool.ok()) << pool.status();
    pool_ = *std::move(pool);
  }
  std::unique_ptr<PacketPool> pool_;
};

TEST_P(PoolTest, CountsWhatIsOut) {
  Packet* packets[100];
  ASSERT_TRUE(pool_->Alloc(packets, 100, 60));
  EXPECT_EQ(pool_->in_use(), 100u);
  Packet* copy = pool_->Copy(*packets[0]);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(pool_->in_use(), 101u);
  FreePackets(packets, 100);
  FreePackets(&copy, 1);
  EXPECT_EQ(pool_->in_use(), 0u);
}

TEST_P(PoolTest, GivesAllOrNothing) {
  EXPECT_EQ(pool_->capacity(), 2048u);
  std::vector<Packet*> packets(2048);
  ASSERT_TRUE(pool_->Alloc(packets.data(), 2048, 0));
  Packet* more;
  EXPECT_FALSE(pool_->Alloc(&more, 1, 0));
  FreePackets(packets.data(), 2048);
  EXPECT_TRUE(pool_->Alloc(&more, 1, 0));
  FreePackets(&more, 1);
}

TEST_P(PoolTest, CopiesDataAndMetadata) {
  Packet* packet;
  ASSERT_TRUE(pool_->Alloc(&packet, 1, 0));
  std::memcpy(packet->Append(7), "payload", 7);
  packet->metadata()[kMetadataSize - 1] = 42;
  Packet* copy = pool_->Copy(*packet);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(Bytes(*copy), "payload");
  EXPECT_EQ(copy->metadata()[kMetadataSize - 1], 42);
  Packet* both[] = {packet, copy};
  FreePackets(both, 2);
}

TEST_P(PoolTest, BuffersDoNotOverlap) {
  std::vector<Packet*> packets(2048);
  ASSERT_TRUE(pool_->Alloc(packets.data(), 2048, kDefaultDataRoom));
  for (uint32_t i = 0; i < packets.size(); ++i) {
    std::memset(packets[i]->data(), static_cast<int>(i % 251), kDefaultDataRoom);
  }
  for (uint32_t i = 0; i < packets.size(); ++i) {
    ASSERT_EQ(packets[i]->data()[0], i % 251);
    ASSERT_EQ(packets[i]->data()[kDefaultDataRoom - 1], i % 251);
  }
  FreePackets(packets.data(), 2048);
}

TEST_P(PoolTest, DevicesSeeVirtualAddresses) {
  Packet* packet;
  ASSERT_TRUE(pool_->Alloc(&packet, 1, 60));
  const rte_mbuf& mbuf = *packet->mbuf();
  EXPECT_EQ(mbuf.buf_iova, reinterpret_cast<uintptr_t>(mbuf.buf_addr));
  EXPECT_EQ(mbuf.buf_len, kHeadroom + kDefaultDataRoom);
  EXPECT_EQ(mbuf.data_off, kHeadroom);
  FreePackets(&packet, 1);
}

TEST_P(PoolTest, FreesPacketsOfSeveralPoolsAndSegments) {
  Packet* packets[3];
  ASSERT_TRUE(pool_->Alloc(packets, 2, 100));
  packets[2] = MakePackets({"foreign"})[0];
  Packet* tail;
  ASSERT_TRUE(pool_->Alloc(&tail, 1, 100));
  ASSERT_EQ(rte_pktmbuf_chain(packets[0]->mbuf(), tail->mbuf()), 0);
  FreePackets(packets, 3);
  EXPECT_EQ(pool_->in_use(), 0u);
  EXPECT_EQ(Pool().in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, PoolTest,
                         testing::Values(PacketPool::Kind::kShareable, PacketPool::Kind::kPlain),
                         [](const auto& kind) {
                           return kind.param == PacketPool::Kind::kPlain ? "Plain" : "Shareable";
                         });

TEST(ShareablePoolTest, IsSealed) {
  const int seals = fcntl(Pool().memfd(), F_GET_SEALS);
  EXPECT_EQ(seals, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  EXPECT_NE(ftruncate(Pool().memfd(), 0), 0);
}

// A peer may give pages of it back, which costs bytes and nothing else. Pages of hugetlb would be
// gone with their reservation, and the next one to touch them dead.
TEST(ShareablePoolTest, IsOfOrdinaryMemoryAndSurvivesHoles) {
  struct statfs found {};
  ASSERT_EQ(fstatfs(Pool().memfd(), &found), 0);
  EXPECT_EQ(found.f_type, TMPFS_MAGIC);
  Packet* packet = MakePackets({"bytes"})[0];
  struct stat whole {};
  ASSERT_EQ(fstat(Pool().memfd(), &whole), 0);
  ASSERT_EQ(fallocate(Pool().memfd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, whole.st_size),
            0);
  EXPECT_EQ(Bytes(*packet), std::string(5, '\0'));
  std::memcpy(packet->data(), "again", 5);
  EXPECT_EQ(Bytes(*packet), "again");
  FreePackets(&packet, 1);
}

// Looks in the memfd, at the packet's place, from another process.
int PeekFromChild(size_t offset, std::string_view expected) {
  const pid_t child = fork();
  if (child == 0) {
    const size_t size = offset + expected.size();
    void* map = mmap(nullptr, size, PROT_READ, MAP_SHARED, Pool().memfd(), 0);
    if (map == MAP_FAILED) _exit(2);
    _exit(std::memcmp(static_cast<char*>(map) + offset, expected.data(), expected.size()) != 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ShareablePoolTest, OtherProcessesSeeTheBytes) {
  Packet* packet = MakePackets({"seen by another process"})[0];
  // Where the buffers begin in this process is known from the lowest of all.
  uintptr_t lowest = UINTPTR_MAX;
  const auto visit = [](rte_mempool*, void* arg, void* object, unsigned) {
    auto& low = *static_cast<uintptr_t*>(arg);
    low = std::min(low, reinterpret_cast<uintptr_t>(static_cast<rte_mbuf*>(object)->buf_addr));
  };
  rte_mempool_obj_iter(Pool().mempool(), visit, &lowest);
  const size_t offset = reinterpret_cast<uintptr_t>(packet->data()) - lowest;
  EXPECT_LT(offset, size_t{Pool().capacity()} * Pool().stride());
  EXPECT_EQ(PeekFromChild(offset, "seen by another process"), 0);
  FreePackets(&packet, 1);
}

}  // namespace
}  // namespace bess
