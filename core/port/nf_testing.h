// SPDX-License-Identifier: Apache-2.0
//
// What the tests of NF ports share: a peer that speaks the protocol by hand, and so can break it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/port/file_descriptor.h"
#include "core/port/port_testing.h"
#include "nf/descriptors_testing.h"
#include "nf/wire.h"

namespace bess::testing_nf {

using bessnf_testing::OpenDescriptors;

// Waits, for as long as a busy machine may take, until something is so.
inline bool Eventually(const std::function<bool()>& so) {
  for (int i = 0; i < 5000 && !so(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return so();
}

inline BessNfRequest Request(uint32_t kind = BESS_NF_ATTACH, uint32_t fresh = 16) {
  return {.magic = BESS_NF_MAGIC,
          .version = BESS_NF_VERSION,
          .kind = kind,
          .fresh = fresh,
          .name = "raw"};
}

// A mapping of a peer's.
class Mapping {
 public:
  Mapping() = default;
  explicit Mapping(int fd, int protection = PROT_READ | PROT_WRITE) {
    struct stat found {};
    if (fstat(fd, &found) != 0) return;
    size_ = static_cast<size_t>(found.st_size);
    void* start = mmap(nullptr, size_, protection, MAP_SHARED, fd, 0);
    start_ = start == MAP_FAILED ? nullptr : static_cast<char*>(start);
  }
  ~Mapping() {
    if (start_ != nullptr) munmap(start_, size_);
  }
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(size_, other.size_);
    return *this;
  }

  char* start() const { return start_; }
  size_t size() const { return size_; }

  template <typename T>
  void Store(uint64_t offset, T value) const {
    std::atomic_ref(*reinterpret_cast<T*>(start_ + offset)).store(value);
  }
  template <typename T>
  T Load(uint64_t offset) const {
    return std::atomic_ref(*reinterpret_cast<T*>(start_ + offset)).load();
  }

 private:
  char* start_ = nullptr;
  size_t size_ = 0;
};

// The far ends of a session's rings, without any manners.
class RawPeer {
 public:
  RawPeer() = default;
  // The descriptors in the order of the protocol.
  RawPeer(const BessNfGeometry& geometry, const std::vector<int>& descriptors)
      : geometry_(geometry),
        data_(descriptors[0]),
        theirs_(descriptors[1], PROT_READ),
        ours_(descriptors[2]) {}

  const BessNfGeometry& geometry() const { return geometry_; }
  Mapping& data() { return data_; }
  Mapping& ours() { return ours_; }
  Mapping& theirs() { return theirs_; }
  char* Bytes(BessNfDescriptor d) const {
    return data_.start() + uint64_t{d.buffer} * geometry_.stride + d.offset;
  }

  // What the switch put into a to-NF ring, or a fresh one, since the last call.
  std::vector<BessNfDescriptor> Take(uint32_t queue = 0) {
    return TakeFrom(bess_nf_to_nf_producer(&geometry_, queue),
                    bess_nf_to_nf_consumer(&geometry_, queue), geometry_.to_nf_slots);
  }
  std::vector<BessNfDescriptor> TakeFresh(uint32_t queue = 0) {
    return TakeFrom(bess_nf_fresh_producer(&geometry_, queue),
                    bess_nf_fresh_consumer(&geometry_, queue), geometry_.fresh_slots);
  }

  // Puts descriptors into a from-NF ring.
  void Give(const std::vector<BessNfDescriptor>& descriptors, uint32_t queue = 0) {
    const uint64_t part = bess_nf_from_nf_producer(&geometry_, queue);
    auto head = ours_.Load<uint32_t>(part);
    for (const BessNfDescriptor& d : descriptors) {
      const uint64_t slot = head++ & (geometry_.from_nf_slots - 1);
      ours_.Store(part + sizeof(BessNfProducerLine) + slot * sizeof(d), std::bit_cast<uint64_t>(d));
    }
    ours_.Store(part, head);
  }

 private:
  std::vector<BessNfDescriptor> TakeFrom(uint64_t producer, uint64_t consumer, uint32_t slots) {
    std::vector<BessNfDescriptor> taken;
    auto tail = ours_.Load<uint32_t>(consumer);
    for (const auto head = theirs_.Load<uint32_t>(producer); tail != head; ++tail) {
      const uint64_t slot = sizeof(BessNfProducerLine) + (tail & (slots - 1)) * uint64_t{8};
      taken.push_back(std::bit_cast<BessNfDescriptor>(theirs_.Load<uint64_t>(producer + slot)));
    }
    ours_.Store(consumer, tail);
    return taken;
  }

  BessNfGeometry geometry_{};
  Mapping data_;
  Mapping theirs_;
  Mapping ours_;
};

// A connection to a port, on which anything may be said.
class RawConnection {
 public:
  explicit RawConnection(const std::string& path)
      : socket_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un sun{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(sun.sun_path, sizeof(sun.sun_path));
    sun.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(connect(fd(), reinterpret_cast<sockaddr*>(&sun), length), 0) << std::strerror(errno);
  }

  int fd() const { return socket_.get(); }
  void Close() { socket_.reset(); }

  bool Say(std::string_view bytes, const std::vector<int>& descriptors = {}) {
    alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
    iovec data{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
    }
    return sendmsg(fd(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  bool Say(const BessNfRequest& request, const std::vector<int>& descriptors = {}) {
    return Say({reinterpret_cast<const char*>(&request), sizeof(request)}, descriptors);
  }

  // The switch's answer; with error ~0 when the connection just ends. Descriptors are kept.
  BessNfWelcome Hear() {
    BessNfWelcome welcome{.error = ~0u};
    alignas(cmsghdr) char control[CMSG_SPACE(BESS_NF_MAX_DESCRIPTORS * sizeof(int))] = {};
    iovec data{.iov_base = &welcome, .iov_len = sizeof(welcome)};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    if (recvmsg(fd(), &message, MSG_CMSG_CLOEXEC) <= 0) return welcome;
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
      std::vector<int> found((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      std::memcpy(found.data(), CMSG_DATA(header), found.size() * sizeof(int));
      for (const int fd : found) descriptors_.emplace_back(fd);
    }
    return welcome;
  }
  // Whether the switch closes the connection.
  bool IsClosed() {
    pollfd ready{.fd = fd(), .events = POLLIN, .revents = 0};
    char byte;
    return poll(&ready, 1, 5000) == 1 && recv(fd(), &byte, 1, 0) <= 0;
  }

  std::vector<int> descriptors() const {
    std::vector<int> numbers;
    for (const FileDescriptor& fd : descriptors_) numbers.push_back(fd.get());
    return numbers;
  }
  // Attaches, and gives the far ends of the rings.
  RawPeer Attach(uint32_t fresh = 16) {
    EXPECT_TRUE(Say(Request(BESS_NF_ATTACH, fresh)));
    const BessNfWelcome welcome = Hear();
    EXPECT_EQ(welcome.error, 0u) << welcome.text;
    return welcome.error == 0 ? RawPeer(welcome.geometry, descriptors()) : RawPeer();
  }

 private:
  FileDescriptor socket_;
  std::vector<FileDescriptor> descriptors_;
};

}  // namespace bess::testing_nf
