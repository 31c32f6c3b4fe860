// SPDX-License-Identifier: Apache-2.0
//
// How a module comes by the port its argument names, and what it does with one of its queues.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/spin_lock.h"
#include "core/graph/host.h"
#include "core/graph/module.h"

namespace bess {

// As Host::LeasePort with the errors BESS clients know: EINVAL when no port is named, ENODEV when
// there is none of that name.
absl::StatusOr<std::unique_ptr<PortLease>> LeaseNamedPort(Host& host, std::string_view port,
                                                          Direction direction,
                                                          std::string_view module,
                                                          uint64_t queue = kAllQueues);

// The same for the one queue that a client's 'qid' names.
absl::StatusOr<std::unique_ptr<PortLease>> LeaseQueue(Host& host, std::string_view port,
                                                      Direction direction, std::string_view module,
                                                      uint64_t qid);

// What a task that polls a receive queue does.
class QueueReceiver {
 public:
  // Before anything else. With `prefetch` the start of each packet is loaded into the cache.
  void Use(PortQueues& port, uint32_t queue, bool prefetch) {
    port_ = &port;
    queue_ = queue;
    prefetch_ = prefetch;
  }
  // Receives at most `burst` packets, counts them as created and sends them out by gate 0. While
  // a task moves to another worker, both may run it for a moment: one of them gets nothing until
  // its next turn.
  TaskResult Run(Context& context, Batch& batch, uint32_t burst);
  int wake_fd() const { return port_->wake_fd(queue_); }
  const Brake* brake() const { return port_->brake(); }
  // As PortQueues::Await; false also while another worker polls.
  bool Await();

 private:
  PortQueues* port_ = nullptr;
  uint32_t queue_ = 0;
  bool prefetch_ = false;
  SpinLock polling_;
};

// Sends the batch, counts what the port took as consumed and drops the rest as tx_full.
void SendToQueue(PortQueues& port, uint32_t queue, Context& context, Batch& batch);

}  // namespace bess
