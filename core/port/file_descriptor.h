// SPDX-License-Identifier: Apache-2.0
//
// A file descriptor and the duty to close it.
#pragma once

#include <unistd.h>

#include <utility>

namespace bess {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  // Negative when there is none.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() { FileDescriptor().swap(*this); }

 private:
  void swap(FileDescriptor& other) { std::swap(fd_, other.fd_); }

  int fd_ = -1;
};

}  // namespace bess
