// SPDX-License-Identifier: Apache-2.0
#include "core/base/bell.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace bess {

Bell::Bell() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Bell::~Bell() {
  if (event_ >= 0) close(event_);
}

void Bell::Wake() { eventfd_write(event_, 1); }

void Bell::Sleep(absl::Span<pollfd> others, absl::Duration longest) {
  others.front() = {.fd = event_, .events = POLLIN, .revents = 0};
  const timespec time = absl::ToTimespec(longest);
  ppoll(others.data(), others.size(), &time, nullptr);
}

bool Bell::GetUp() {
  asleep_.store(false, std::memory_order_relaxed);
  eventfd_t rings;
  return eventfd_read(event_, &rings) == 0;
}

}  // namespace bess
