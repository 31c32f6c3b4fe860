// SPDX-License-Identifier: Apache-2.0
//
// A named pipe in a directory of its own, and readers of it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "absl/time/clock.h"
#include "core/base/temporary_folder_testing.h"

namespace bess {

class FifoReader {
 public:
  explicit FifoReader(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    EXPECT_GE(fd_, 0);
  }
  ~FifoReader() { close(fd_); }
  FifoReader(const FifoReader&) = delete;
  FifoReader& operator=(const FifoReader&) = delete;

  // What has come by the time there are `n` bytes, or 5 seconds have passed.
  std::string Read(size_t n) {
    const absl::Time deadline = absl::Now() + absl::Seconds(5);
    while (seen_.size() < n && absl::Now() < deadline) ReadSome();
    return seen_;
  }

 private:
  void ReadSome() {
    pollfd input = {.fd = fd_, .events = POLLIN, .revents = 0};
    poll(&input, 1, 10);
    std::array<char, 65536> buffer;
    const ssize_t got = read(fd_, buffer.data(), buffer.size());
    if (got > 0) seen_.append(buffer.data(), static_cast<size_t>(got));
  }

  int fd_;
  std::string seen_;
};

class CaptureFixture : public testing::Test {
 protected:
  CaptureFixture() { EXPECT_EQ(mkfifo(path().c_str(), 0600), 0); }

  const std::string& directory() const { return folder_.path(); }
  std::string path() const { return directory() + "/fifo"; }

 private:
  TemporaryFolder folder_;
};

}  // namespace bess
