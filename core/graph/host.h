// SPDX-License-Identifier: Apache-2.0
//
// What a module may ask of the daemon it lives in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/graph/port_queues.h"
#include "core/packet/packet_pool.h"

namespace bess {

enum class Direction { kReceive, kSend };

// In place of a queue's number, 0 and up.
inline constexpr uint64_t kAllQueues = ~uint64_t{0};

// The right to use the queues of a port in one direction; given back when it is destroyed. The
// port cannot be destroyed meanwhile.
class PortLease {
 public:
  virtual ~PortLease() = default;
  virtual PortQueues& port() const = 0;
};

class Host {
 public:
  virtual ~Host() = default;

  // Where new packets come from.
  virtual PacketPool& pool() = 0;

  // Takes one queue of a port for `direction`, or all of them: ENOENT when there is no such port,
  // EINVAL for a queue it does not have, EBUSY naming the module that receives there already.
  // Many may send: whoever does holds the queue's send_lock.
  virtual absl::StatusOr<std::unique_ptr<PortLease>> LeasePort(std::string_view port,
                                                               Direction direction,
                                                               std::string_view module,
                                                               uint64_t queue) = 0;

  // Runs `free` once no worker can still see what was visible before this call. Thread: control.
  virtual void Retire(std::function<void()> free) = 0;
};

}  // namespace bess
