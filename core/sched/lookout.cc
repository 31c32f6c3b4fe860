// SPDX-License-Identifier: Apache-2.0
#include "core/sched/lookout.h"

#include <unistd.h>

#include <cerrno>

namespace bess {

Lookout::Lookout() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Lookout::~Lookout() {
  if (epoll_ >= 0) close(epoll_);
}

// A descriptor that was watched before is still known.
bool Lookout::Watch(int fd, uint32_t leaf) {
  epoll_event event{.events = EPOLLIN | EPOLLONESHOT,
                    .data = {.u64 = uint64_t{plan_} << 32 | leaf}};
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return true;
  return errno == ENOENT && epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace bess
