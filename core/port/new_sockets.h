// SPDX-License-Identifier: Apache-2.0
//
// Closes the sockets that a library opened and forgot. DPDK 22.11.11's net_af_xdp never deletes
// its umem (it compares the count of users with 1 where 0 is meant), and with the umem's socket
// the kernel's queue stays taken until the process ends.
#pragma once

#include <sys/types.h>

#include <set>
#include <utility>

namespace bess {

// Thread: control, one at a time; nobody else opens sockets of the family meanwhile.
class NewSockets {
 public:
  // Remembers the sockets of `family`, such as AF_XDP, that are open now.
  explicit NewSockets(int family) : family_(family), before_(Open()) {}
  // Closes those opened up to Settle that are still open, and if there are any gives the kernel 200
  // ms to let go of what they held.
  ~NewSockets();
  NewSockets(const NewSockets&) = delete;
  NewSockets& operator=(const NewSockets&) = delete;

  // The sockets opened since this object was made are the ones to close in the end.
  void Settle();

 private:
  using Socket = std::pair<int, ino_t>;  // descriptors are used again, sockets are not

  std::set<Socket> Open() const;

  const int family_;
  const std::set<Socket> before_;
  std::set<Socket> ours_;
};

}  // namespace bess
