// SPDX-License-Identifier: Apache-2.0
#include "core/port/new_sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "absl/strings/numbers.h"

namespace bess {
namespace {

// The kernel gives what a socket held back from a work queue of its own, and does not say when.
constexpr std::chrono::milliseconds kKernelDelay(200);

}  // namespace

std::set<NewSockets::Socket> NewSockets::Open() const {
  std::set<Socket> sockets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    int fd = -1;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &fd)) continue;
    int family = 0;
    socklen_t length = sizeof(family);
    struct stat status {};
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 && family == family_ &&
        fstat(fd, &status) == 0) {
      sockets.emplace(fd, status.st_ino);
    }
  }
  return sockets;
}

void NewSockets::Settle() {
  for (const Socket& socket : Open()) {
    if (!before_.contains(socket)) ours_.insert(socket);
  }
}

NewSockets::~NewSockets() {
  bool closed = false;
  for (const Socket& socket : Open()) {
    if (ours_.contains(socket)) closed |= close(socket.first) == 0;
  }
  if (closed) std::this_thread::sleep_for(kKernelDelay);
}

}  // namespace bess
