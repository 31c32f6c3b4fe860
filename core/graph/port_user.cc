// SPDX-License-Identifier: Apache-2.0
#include "core/graph/port_user.h"

#include <algorithm>
#include <mutex>

#include "core/packet/wire_bits.h"

namespace bess {

absl::StatusOr<std::unique_ptr<PortLease>> LeaseNamedPort(Host& host, std::string_view port,
                                                          Direction direction,
                                                          std::string_view module, uint64_t queue) {
  if (port.empty()) return Error(EINVAL, "'port' must be the name of a port");
  auto lease = host.LeasePort(port, direction, module, queue);
  if (StatusErrno(lease.status()) == ENOENT) return Error(ENODEV, lease.status().message());
  return lease;
}

absl::StatusOr<std::unique_ptr<PortLease>> LeaseQueue(Host& host, std::string_view port,
                                                      Direction direction, std::string_view module,
                                                      uint64_t qid) {
  // Checked here, so that no number stands for all queues.
  if (qid >= kMaxPortQueues) {
    return Error(EINVAL, "'qid' must be a queue of the port, 0..", kMaxPortQueues - 1,
                 " at most, not ", qid);
  }
  return LeaseNamedPort(host, port, direction, module, qid);
}

TaskResult QueueReceiver::Run(Context& context, Batch& batch, uint32_t burst) {
  Passed received;
  {
    const std::unique_lock polling(polling_, std::try_to_lock);
    if (!polling) return {.blocked = true};
    received = port_->Receive(queue_, batch.begin(), burst);
  }
  if (received.packets == 0) return {.blocked = true};
  batch.set_size(received.packets);
  if (prefetch_) PrefetchBytes(batch);
  const TaskResult result = {.packets = batch.size(),
                             .bits = WireBits(batch.size(), received.bytes)};
  context.ledger().created.Add(batch.size());
  context.Emit(0, batch);
  return result;
}

bool QueueReceiver::Await() {
  const std::unique_lock polling(polling_, std::try_to_lock);
  return polling && port_->Await(queue_);
}

// Always under the lock, although a worker is mostly alone on its queue: while a plan changes,
// another may still or already use it.
void SendToQueue(PortQueues& port, uint32_t queue, Context& context, Batch& batch) {
  uint32_t sent = 0;
  {
    const std::lock_guard sending(port.send_lock(queue));
    sent = port.Send(queue, batch.begin(), batch.size());
  }
  context.ledger().consumed.Add(sent);
  std::copy(batch.begin() + sent, batch.end(), batch.begin());
  batch.set_size(batch.size() - sent);
  if (!batch.empty()) context.Drop(batch, DropReason::kTxFull);
}

}  // namespace bess
