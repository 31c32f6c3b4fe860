// SPDX-License-Identifier: Apache-2.0
//
// A port as the graph sees it: numbered queues of packets in each direction.
#pragma once

#include <cstdint>
#include <string>

#include "core/packet/packet.h"

namespace bess {

class PortQueues {
 public:
  virtual ~PortQueues() = default;

  virtual const std::string& name() const = 0;
  // 1..128 each.
  virtual uint32_t rx_queues() const = 0;
  virtual uint32_t tx_queues() const = 0;

  // Up to `max` packets, written to `packets`. Thread: one at a time per queue.
  virtual uint32_t Receive(uint32_t queue, Packet** packets, uint32_t max) = 0;
  // Takes the first packets of the `n` and returns how many; the others stay the caller's.
  // Thread: one at a time per queue.
  virtual uint32_t Send(uint32_t queue, Packet** packets, uint32_t n) = 0;
};

}  // namespace bess
