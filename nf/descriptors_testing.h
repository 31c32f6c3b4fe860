// SPDX-License-Identifier: Apache-2.0
//
// Descriptors of files, as tests of both ends of an attachment count and pass them.
#pragma once

#include <sys/socket.h>

#include <cstring>
#include <filesystem>
#include <vector>

namespace bessnf_testing {

inline constexpr size_t kMaxPassed = 32;

inline size_t OpenDescriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// One message with up to kMaxPassed descriptors; what sendmsg returns.
inline ssize_t SendWithDescriptors(int socket, const void* bytes, size_t size,
                                   const std::vector<int>& descriptors) {
  const size_t length = descriptors.size() * sizeof(int);
  iovec data{.iov_base = const_cast<void*>(bytes), .iov_len = size};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassed * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (length > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(length);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(length);
    std::memcpy(CMSG_DATA(header), descriptors.data(), length);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace bessnf_testing
