// SPDX-License-Identifier: Apache-2.0
//
// Sends packets through a socket that takes one in each message, many with one system call.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>

#include "core/packet/batch.h"

namespace bess {

// Thread: the sending worker's.
class MessageSender {
 public:
  // Sends what the socket takes now and returns how many packets that were: the first ones of the
  // array, which stay the caller's. What is too long for it is moved to the end.
  uint32_t Send(int socket, Packet** packets, uint32_t n);

 private:
  static constexpr size_t kMaxPieces = 1024;  // of one message, says the kernel

  uint32_t Gather(Packet* const* packets, uint32_t n);

  std::array<iovec, kMaxPieces> pieces_{};  // a segment each
  std::array<mmsghdr, kBatchSize> messages_{};
};

}  // namespace bess
