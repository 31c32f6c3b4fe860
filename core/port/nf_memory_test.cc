// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace bess {
namespace {

constexpr size_t kSize = 8192;

class NfMemoryTest : public testing::Test {
 protected:
  static NfMemory Make(NfMemory::Peer peer) {
    auto memory = NfMemory::Make("test", kSize, peer);
    EXPECT_TRUE(memory.ok()) << memory.status();
    return *std::move(memory);
  }
  static bool Maps(int fd, int protection) {
    void* start = mmap(nullptr, kSize, protection, MAP_SHARED, fd, 0);
    if (start != MAP_FAILED) munmap(start, kSize);
    return start != MAP_FAILED;
  }
};

TEST_F(NfMemoryTest, NobodyChangesItsSize) {
  for (const auto peer : {NfMemory::Peer::kReads, NfMemory::Peer::kWrites}) {
    const NfMemory memory = Make(peer);
    EXPECT_NE(ftruncate(memory.fd(), 0), 0);
    EXPECT_NE(ftruncate(memory.fd(), 2 * kSize), 0);
    EXPECT_NE(fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_WRITE), 0) << "nor seals it further";
  }
}

TEST_F(NfMemoryTest, WhoReadsCannotWrite) {
  const NfMemory memory = Make(NfMemory::Peer::kReads);
  EXPECT_TRUE(Maps(memory.fd(), PROT_READ));
  EXPECT_FALSE(Maps(memory.fd(), PROT_READ | PROT_WRITE));
  EXPECT_LT(write(memory.fd(), "x", 1), 0);
  static_cast<char*>(memory.start())[0] = 'y';  // we can
  char byte = 0;
  EXPECT_EQ(pread(memory.fd(), &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'y');
}

TEST_F(NfMemoryTest, WhoWritesCan) {
  EXPECT_TRUE(Maps(Make(NfMemory::Peer::kWrites).fd(), PROT_READ | PROT_WRITE));
}

TEST_F(NfMemoryTest, MovesAndGoes) {
  NfMemory first = Make(NfMemory::Peer::kWrites);
  const int fd = first.fd();
  NfMemory second = std::move(first);
  EXPECT_EQ(second.fd(), fd);
  second = NfMemory();
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

}  // namespace
}  // namespace bess
