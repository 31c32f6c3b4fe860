// SPDX-License-Identifier: Apache-2.0
#include "core/graph/loop_buffer.h"

namespace bess {

void LoopBuffer::Process(void* self, Context& context, Batch& batch) {
  auto& loop = *static_cast<LoopBuffer*>(self);
  uint32_t held = loop.held();
  for (Packet* packet : batch) {
    if (held == kCapacity) {
      context.DropOne(packet, DropReason::kLoopFull);
      continue;
    }
    loop.packets_[(loop.head_ + held) % kCapacity] = packet;
    ++held;
  }
  loop.held_.store(held, std::memory_order_relaxed);
  batch.clear();
}

void LoopBuffer::Take(Batch& batch) {
  const uint32_t held = held_.load(std::memory_order_relaxed);
  const uint32_t n = std::min(held, batch.room());
  for (uint32_t i = 0; i < n; ++i) batch.Add(packets_[(head_ + i) % kCapacity]);
  head_ = (head_ + n) % kCapacity;
  held_.store(held - n, std::memory_order_relaxed);
}

uint64_t LoopBuffer::Discard() {
  uint64_t discarded = 0;
  Batch batch;
  for (Take(batch); !batch.empty(); Take(batch)) {
    discarded += batch.size();
    FreeBatch(batch);
  }
  return discarded;
}

bool RunLoop(Context& context, const LoopSlot& slot) {
  const uint32_t waiting = slot.buffer->held();
  for (uint32_t left = waiting; left > 0;) {
    left -= context.RunRoot(*slot.root, [&](Context& root, Batch& batch) {
      slot.buffer->Take(batch);
      const uint32_t taken = std::min(left, batch.size());
      root.Emit(0, batch);
      return taken;
    });
  }
  return waiting > 0;
}

LoopBuffer& Edge::MakeLoop(uint32_t worker) {
  LoopBuffer* made = loop(worker);
  if (made == nullptr) {
    made = new LoopBuffer;
    loops_[worker].store(made, std::memory_order_release);
    workers_.fetch_or(uint64_t{1} << worker, std::memory_order_release);
  }
  return *made;
}

uint64_t Edge::held() const {
  uint64_t held = 0;
  for (const auto& slot : loops_) {
    if (const LoopBuffer* buffer = slot.load(std::memory_order_acquire)) held += buffer->held();
  }
  return held;
}

uint64_t Edge::Discard() {
  uint64_t discarded = 0;
  for (const auto& slot : loops_) {
    if (LoopBuffer* buffer = slot.load(std::memory_order_acquire)) discarded += buffer->Discard();
  }
  return discarded;
}

Edge::~Edge() {
  for (const auto& slot : loops_) delete slot.load(std::memory_order_acquire);
}

}  // namespace bess
