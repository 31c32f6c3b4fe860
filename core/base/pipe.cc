// SPDX-License-Identifier: Apache-2.0
#include "core/base/pipe.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bess {
namespace {

constexpr int kPatience = 100;  // ms

}  // namespace

void BlockBrokenPipeSignal() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
}

Written WriteToPipe(int fd, std::string_view bytes, absl::FunctionRef<bool()> give_up) {
  while (!bytes.empty()) {
    pollfd output = {.fd = fd, .events = POLLOUT, .revents = 0};
    if (poll(&output, 1, kPatience) <= 0) {
      if (give_up()) return Written::kGaveUp;
      continue;
    }
    const ssize_t written = write(fd, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return Written::kNobodyReads;
    }
  }
  return Written::kAll;
}

bool HasNoReader(int fd) {
  pollfd output = {.fd = fd, .events = 0, .revents = 0};
  return poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

}  // namespace bess
