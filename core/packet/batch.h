// SPDX-License-Identifier: Apache-2.0
//
// A batch: the packets one module handles at a time.
#pragma once

#include <cstdint>

#include "core/base/prefetch.h"
#include "core/packet/packet.h"

namespace bess {

inline constexpr uint32_t kBatchSize = 64;

class Batch {
 public:
  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == kBatchSize; }
  uint32_t room() const { return kBatchSize - size_; }

  Packet* operator[](uint32_t i) const { return packets_[i]; }
  Packet** begin() { return packets_; }
  Packet** end() { return packets_ + size_; }
  Packet* const* begin() const { return packets_; }
  Packet* const* end() const { return packets_ + size_; }

  // The batch must not be full.
  void Add(Packet* packet) { packets_[size_++] = packet; }
  void clear() { size_ = 0; }
  // After packets were written to begin() .. begin() + n directly.
  void set_size(uint32_t n) { size_ = n; }

 private:
  friend class BatchList;

  Batch* next_ = nullptr;  // while it waits in a BatchList
  uint32_t size_ = 0;
  Packet* packets_[kBatchSize];
};

// Loads the first bytes of all packets at the same time.
inline void PrefetchBytes(const Batch& batch) {
  for (const Packet* packet : batch) Prefetch(packet->data());
}

// The same for a module about to read headers. Where the first packet's have been parsed, all are
// taken to be in the cache.
inline void PrefetchHeaders(const Batch& batch) {
  if (!batch.empty() && !batch[0]->layout_known()) PrefetchBytes(batch);
}

// A FIFO of batches, linked through them.
class BatchList {
 public:
  bool empty() const { return head_ == nullptr; }

  void PushBack(Batch* batch) {
    batch->next_ = nullptr;
    (head_ == nullptr ? head_ : tail_->next_) = batch;
    tail_ = batch;
  }
  void PushFront(Batch* batch) {
    batch->next_ = head_;
    if (head_ == nullptr) tail_ = batch;
    head_ = batch;
  }
  // The list must not be empty.
  Batch* PopFront() {
    Batch* batch = head_;
    head_ = batch->next_;
    return batch;
  }

 private:
  Batch* head_ = nullptr;
  Batch* tail_ = nullptr;
};

}  // namespace bess
