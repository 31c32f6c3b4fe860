// SPDX-License-Identifier: Apache-2.0
//
// A port as the graph sees it: numbered queues of packets in each direction.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/base/spin_lock.h"
#include "core/graph/brake.h"
#include "core/packet/packet.h"

namespace bess {

inline constexpr uint32_t kMaxPortQueues = 128;  // each way
inline constexpr uint64_t kAllNumaNodes = ~uint64_t{0};

// What went through a queue in one call.
struct Passed {
  uint32_t packets = 0;
  uint64_t bytes = 0;  // of all of them
};

class PortQueues {
 public:
  virtual ~PortQueues() = default;

  virtual const std::string& name() const = 0;
  // 1..kMaxPortQueues each.
  virtual uint32_t rx_queues() const = 0;
  virtual uint32_t tx_queues() const = 0;

  // A bit for each NUMA node whose CPUs may serve the port.
  virtual uint64_t numa_nodes() const { return kAllNumaNodes; }
  // A descriptor that can be read while packets wait in a receive queue, so that a worker may sleep
  // until then; -1 when they can only be asked for. It lives as long as the port.
  virtual int wake_fd(uint32_t /*queue*/) const { return -1; }
  // For descriptors that tell only who asked them to, which costs the other side: from here on,
  // until it has been read, packets that come are told. False when some wait already. Thread: as
  // Receive.
  virtual bool Await(uint32_t /*queue*/) { return true; }

  // What stops the tasks that feed the port while it is nearly full; nullptr when packets that find
  // no room are dropped. It lives as long as the port.
  virtual Brake* brake() { return nullptr; }

  // Up to `max` packets, written to `packets`. Thread: one at a time per queue.
  virtual Passed Receive(uint32_t queue, Packet** packets, uint32_t max) = 0;
  // Takes the first packets of the `n` and returns how many; the others stay the caller's.
  // Thread: one at a time per queue: whoever holds its send_lock.
  virtual uint32_t Send(uint32_t queue, Packet** packets, uint32_t n) = 0;

  // Several modules may send to a port, each from several workers, so the lock is the port's.
  SpinLock& send_lock(uint32_t queue) { return send_locks_[queue]; }

 private:
  std::array<SpinLock, kMaxPortQueues> send_locks_;
};

}  // namespace bess
