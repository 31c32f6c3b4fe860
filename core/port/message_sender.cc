// SPDX-License-Identifier: Apache-2.0
#include "core/port/message_sender.h"

#include <algorithm>
#include <cerrno>

namespace bess {

uint32_t MessageSender::Send(int socket, Packet** packets, uint32_t n) {
  uint32_t sent = 0;
  for (uint32_t end = n; sent < end;) {
    const uint32_t ready = Gather(packets + sent, end - sent);
    const int taken = sendmmsg(socket, messages_.data(), ready, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken > 0) {
      sent += static_cast<uint32_t>(taken);
      continue;
    }
    if (ready > 0 && !IsOfThePacket(errno)) break;  // it is full, or gone
    std::rotate(packets + sent, packets + sent + 1, packets + end);
    --end;
  }
  return sent;
}

// Whether another packet may fare better.
bool MessageSender::IsOfThePacket(int error) { return error == EMSGSIZE || error == EINVAL; }

// Makes messages of as many packets as there are pieces for their segments, up to an empty one.
uint32_t MessageSender::Gather(Packet* const* packets, uint32_t n) {
  n = std::min(n, kBatchSize);
  size_t used = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (packets[i]->total_length() == 0 || packets[i]->segments() > kMaxPieces - used) return i;
    messages_[i].msg_hdr.msg_iov = &pieces_[used];
    messages_[i].msg_hdr.msg_iovlen = packets[i]->segments();
    for (Packet* segment = packets[i]; segment != nullptr; segment = segment->next()) {
      pieces_[used++] = {.iov_base = segment->data(), .iov_len = segment->length()};
    }
  }
  return n;
}

}  // namespace bess
