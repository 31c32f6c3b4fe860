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
  // array, which stay the caller's. What it will never take is moved to the end: what is too long,
  // for a packet socket what is too short for a header, and packets of no bytes, since an empty
  // message looks like the end of the stream.
  uint32_t Send(int socket, Packet** packets, uint32_t n);

 private:
  static constexpr size_t kMaxPieces = 1024;  // of one message, says the kernel

  static bool IsOfThePacket(int error);
  uint32_t Gather(Packet* const* packets, uint32_t n);

  std::array<iovec, kMaxPieces> pieces_{};  // a segment each
  std::array<mmsghdr, kBatchSize> messages_{};
};

}  // namespace bess
