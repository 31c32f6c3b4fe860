// SPDX-License-Identifier: Apache-2.0
#include "core/graph/packet_fifo.h"

#include <algorithm>
#include <mutex>

namespace bess {

void PacketFifo::Put(Context& context, Batch& batch) {
  const uint32_t put = ring_.Put(batch.begin(), batch.size());
  enqueued_[context.worker()].count.Add(put);
  std::copy(batch.begin() + put, batch.end(), batch.begin());
  batch.set_size(batch.size() - put);
  if (!batch.empty()) [[unlikely]]
    context.Drop(batch, DropReason::kQueueFull);
}

uint32_t PacketFifo::Take(Packet** packets, uint32_t n) {
  const std::unique_lock taking(taking_, std::try_to_lock);
  if (!taking) return 0;
  const uint32_t taken = ring_.Take(packets, n);
  dequeued_.Add(taken);
  return taken;
}

uint64_t PacketFifo::held() const {
  const uint64_t gone = dequeued();
  return std::max(enqueued(), gone) - gone;
}

uint64_t PacketFifo::enqueued() const {
  uint64_t sum = 0;
  for (const Cell& cell : enqueued_) sum += cell.count.Get();
  return sum;
}

uint64_t PacketFifo::Discard() {
  const uint64_t discarded = held();
  Batch batch;
  while (held() != 0) {
    batch.set_size(Take(batch.begin(), kBatchSize));
    FreeBatch(batch);
  }
  return discarded;
}

}  // namespace bess
