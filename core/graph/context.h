// SPDX-License-Identifier: Apache-2.0
//
// The packet path. A Context is one worker's engine, and what a module sees of it while it
// handles a batch.
//
// Order of execution: a full batch runs on at once, the deepest node first, so that little waits
// and caches stay warm; partial batches wait, upstream nodes first, so that merges re-form full
// batches. At every node packets are first in, first out. A chain of single outputs hands the
// same batch on from node to node: nothing is copied or looked at.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/rank_set.h"
#include "core/graph/attribute.h"
#include "core/graph/node.h"
#include "core/packet/drop_reason.h"
#include "core/packet/packet_pool.h"

namespace bess {

// What to do with one packet: send it out by a gate, or drop it for a reason.
class Verdict {
 public:
  static constexpr Verdict Gate(uint32_t gate) {
    return Verdict(gate < kDrop ? static_cast<uint16_t>(gate) : kNoGate);
  }
  static constexpr Verdict Drop(DropReason reason) {
    return Verdict(static_cast<uint16_t>(kDrop | static_cast<uint16_t>(reason)));
  }
  constexpr Verdict() = default;

  constexpr bool is_drop() const { return (code_ & kDrop) != 0; }
  constexpr uint32_t gate() const { return code_; }
  constexpr DropReason reason() const { return static_cast<DropReason>(code_ & ~kDrop); }
  constexpr bool operator==(const Verdict&) const = default;

 private:
  static constexpr uint16_t kDrop = 0x8000;
  static constexpr uint16_t kNoGate = kDrop | static_cast<uint16_t>(DropReason::kNoGate);
  constexpr explicit Verdict(uint16_t code) : code_(code) {}

  uint16_t code_ = kNoGate;
};

// The batches a worker's part of a plan may have in flight at once. Most never are: memory that was
// not needed yet is not touched.
class BatchArena {
 public:
  explicit BatchArena(size_t batches)
      : size_(batches), batches_(std::allocator<Batch>().allocate(batches)) {}
  ~BatchArena() { std::allocator<Batch>().deallocate(batches_, size_); }
  BatchArena(const BatchArena&) = delete;
  BatchArena& operator=(const BatchArena&) = delete;

  size_t size() const { return size_; }
  // nullptr when all are in use.
  Batch* Take() {
    if (!free_.empty()) [[likely]]
      return free_.PopFront();
    return known_ == size_ ? nullptr : new (&batches_[known_++]) Batch;
  }
  void Put(Batch* batch) {
    batch->clear();
    free_.PushFront(batch);
  }

 private:
  const size_t size_;
  Batch* const batches_;
  size_t known_ = 0;  // the others were never taken
  BatchList free_;
};

class Context {
 public:
  explicit Context(uint32_t worker) : worker_(worker) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // --- For modules ------------------------------------------------------------------------------

  uint32_t worker() const { return worker_; }
  // The gate by which the batch came in; 0 for modules whose inputs are alike.
  uint32_t igate() const { return node_->igate; }
  // Cycles() when the current round began.
  uint64_t now() const { return now_; }
  // `index` as AddAttribute returned it.
  AttributeRef attribute(uint32_t index) const { return AttributeRef(node_->offsets[index]); }
  Ledger& ledger() { return *node_->ledger; }

  // Sends all packets of the batch Process or RunTask was given out by `gate`. The batch is gone.
  void Emit(uint32_t gate, Batch& batch);
  // Sends one packet.
  void EmitOne(uint32_t gate, Packet* packet);
  // Ends packets, with a reason. The batch is empty afterwards.
  void Drop(Batch& batch, DropReason reason);
  void DropOne(Packet* packet, DropReason reason);
  // Carries out one verdict a packet. The batch is empty afterwards, or gone.
  void Deliver(Batch& batch, const Verdict* verdicts);

  // --- For the engine ---------------------------------------------------------------------------

  // Must be called between rounds, before anything runs. No part of what it runs has more nodes.
  void Adopt(size_t nodes, BatchArena* arena);
  void BeginRound(uint64_t now) { now_ = now; }
  // Calls fill(*this, batch) as `node`, then runs whatever that emitted to the end. All of it is of
  // the node's part, whose nodes lie in an array in order of rank.
  template <typename Fill>
  auto RunRoot(Node& node, Fill fill);
  // Sends a batch on to `to`; taken from the arena.
  void Enqueue(Node& to, Batch* batch);
  Batch* TakeBatch() { return arena_->Take(); }
  const Node& node() const { return *node_; }
  // The books of the module that runs, or ran last. Thread: any; who owns them must be looked up.
  const Ledger* running() const { return running_.load(std::memory_order_relaxed); }

 private:
  Node* Target(uint32_t gate) const { return gate < node_->num_out ? node_->out[gate] : nullptr; }
  bool NothingWaits() const { return partial_.empty() && full_.empty(); }
  // Single packets of a batch, a bit each of `which`.
  void EmitSome(Node& to, const Batch& batch, uint64_t which);
  void DropSome(const Batch& batch, uint64_t which, DropReason reason);
  void Execute(Node& node, Batch* batch);
  void Drain();
  std::pair<Node*, Batch*> NextWaiting();
  void PushFull(Node& to, Batch* batch);
  bool StartFilling(Node& to);
  void QueueHot();
  void PutBack();
  void Join(Node& to, Batch* batch);
  void FlushDropped() { FreeBatch(dropped_); }
  void Run(Node& node, Batch* batch) {
    node_ = &node;
    current_ = batch;
    hot_node_ = nullptr;
    running_.store(node.ledger, std::memory_order_relaxed);
  }

  const uint32_t worker_;
  uint64_t now_ = 0;
  Node* node_ = nullptr;  // running
  std::atomic<const Ledger*> running_{nullptr};
  Batch* current_ = nullptr;  // what it was given; nullptr when that waits elsewhere
  // Where it emitted that batch to, whole: this runs next if nothing else waits.
  Node* hot_node_ = nullptr;
  RankSet partial_;        // nodes with a batch in `filling`
  RankSet full_;           // nodes with batches in `full`
  Node* nodes_ = nullptr;  // of the running part, by rank
  BatchArena* arena_ = nullptr;
  Batch dropped_;  // on their way back to their pools
};

inline void Context::Emit(uint32_t gate, Batch& batch) {
  assert(&batch == current_ && hot_node_ == nullptr);
  if (batch.empty()) return;
  Node* to = Target(gate);
  if (to == nullptr) [[unlikely]] {
    Drop(batch, DropReason::kDeadEnd);
    return;
  }
  hot_node_ = to;
}

inline void Context::EmitOne(uint32_t gate, Packet* packet) {
  Node* to = Target(gate);
  if (to == nullptr) [[unlikely]] {
    DropOne(packet, DropReason::kDeadEnd);
    return;
  }
  if (to == hot_node_) [[unlikely]]
    QueueHot();
  if (to->filling == nullptr && !StartFilling(*to)) [[unlikely]] {
    DropOne(packet, DropReason::kOverload);
    return;
  }
  to->filling->Add(packet);
  if (to->filling->full()) PushFull(*to, nullptr);
}

inline void Context::DropOne(Packet* packet, DropReason reason) {
  node_->ledger->dropped[static_cast<size_t>(reason)].Add(1);
  if (dropped_.full()) FlushDropped();
  dropped_.Add(packet);
}

inline void Context::Execute(Node& node, Batch* batch) {
  if (node.counts != nullptr) node.counts->Add(*batch);
  if (node.process == nullptr) {
    hot_node_ = node.usual;
    return;
  }
  Run(node, batch);
  node.process(node.self, *this, *batch);
}

template <typename Fill>
auto Context::RunRoot(Node& node, Fill fill) {
  nodes_ = &node - node.rank;
  Run(node, TakeBatch());
  auto result = fill(*this, *current_);
  Drain();
  return result;
}

}  // namespace bess
