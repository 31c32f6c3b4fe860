// SPDX-License-Identifier: Apache-2.0
//
// The descriptors by which a worker learns of work for leaves that wait. However many those are,
// one system call tells which of them can be read, and one descriptor wakes who sleeps.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>

namespace bess {

// Thread: one worker.
class Lookout {
 public:
  Lookout();
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  // Can be read while there is something to report; -1 if there was none to be had.
  int fd() const { return epoll_; }

  // Reports the leaf once, as soon as the descriptor can be read. False when it cannot be watched.
  bool Watch(int fd, uint32_t leaf);
  // What was watched under another plan is reported no more: leaves have new numbers.
  void Adopt(uint64_t plan) { plan_ = static_cast<uint32_t>(plan); }

  // Calls report(leaf) for leaves with work; should there be very many, the others come next time.
  template <typename Report>
  void Look(Report report) {
    std::array<epoll_event, kMostReports> events;
    const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < n; ++i) {
      const uint64_t name = events[static_cast<size_t>(i)].data.u64;
      if (name >> 32 == plan_) report(static_cast<uint32_t>(name));
    }
  }

 private:
  static constexpr size_t kMostReports = 64;

  const int epoll_;
  uint32_t plan_ = 0;  // the low bits of its sequence number
};

}  // namespace bess
