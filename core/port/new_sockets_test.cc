// SPDX-License-Identifier: Apache-2.0
#include "core/port/new_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bess {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(NewSocketsTest, ClosesWhatWasOpenedMeanwhileAndNothingElse) {
  const int before = socket(AF_UNIX, SOCK_STREAM, 0);
  int forgotten, later;
  const int other_family = socket(AF_INET, SOCK_DGRAM, 0);
  {
    NewSockets sockets(AF_UNIX);
    forgotten = socket(AF_UNIX, SOCK_STREAM, 0);
    sockets.Settle();
    later = socket(AF_UNIX, SOCK_STREAM, 0);
  }
  EXPECT_TRUE(IsOpen(before));
  EXPECT_TRUE(IsOpen(other_family));
  EXPECT_TRUE(IsOpen(later));
  EXPECT_FALSE(IsOpen(forgotten));
  for (const int fd : {before, other_family, later}) close(fd);
}

TEST(NewSocketsTest, ADescriptorUsedAgainIsNotTheSameSocket) {
  int fd;
  {
    NewSockets sockets(AF_UNIX);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockets.Settle();
    close(fd);
    ASSERT_EQ(socket(AF_UNIX, SOCK_STREAM, 0), fd);
  }
  EXPECT_TRUE(IsOpen(fd));
  close(fd);
}

}  // namespace
}  // namespace bess
