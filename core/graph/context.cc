// SPDX-License-Identifier: Apache-2.0
#include "core/graph/context.h"

#include <algorithm>

namespace bess {
namespace {

// Looks at all of them, which vector instructions do faster than a loop finds the first other one.
bool AllEqual(const Verdict* verdicts, uint32_t n) {
  bool differ = false;
  for (uint32_t i = 0; i < n; ++i) differ |= !(verdicts[i] == verdicts[0]);
  return !differ;
}

}  // namespace

void Context::Adopt(absl::Span<Node* const> nodes, BatchArena* arena) {
  nodes_ = nodes;
  arena_ = arena;
  partial_ = RankSet(nodes.size());
  full_ = RankSet(nodes.size());
}

void Context::Drop(Batch& batch, DropReason reason) {
  node_->ledger->dropped[static_cast<size_t>(reason)].Add(batch.size());
  FreeBatch(batch);
}

void Context::Deliver(Batch& batch, const Verdict* verdicts) {
  if (batch.empty()) return;
  const Verdict first = verdicts[0];
  const uint32_t n = batch.size();
  if (AllEqual(verdicts, n)) {
    first.is_drop() ? Drop(batch, first.reason()) : Emit(first.gate(), batch);
    return;
  }
  for (uint32_t i = 0; i < n; ++i) {
    if (verdicts[i].is_drop()) {
      DropOne(batch[i], verdicts[i].reason());
    } else {
      EmitOne(verdicts[i].gate(), batch[i]);
    }
  }
  batch.clear();
}

void Context::Enqueue(Node& to, Batch* batch) {
  if (to.filling != nullptr) {
    Join(to, batch);
  } else if (batch->full()) {
    PushFull(to, batch);
  } else {
    to.filling = batch;
    partial_.Insert(to.rank);
  }
}

// Appends a batch behind the partial one.
void Context::Join(Node& to, Batch* batch) {
  Batch* filling = to.filling;
  const uint32_t moved = std::min(filling->room(), batch->size());
  std::copy_n(batch->begin(), moved, filling->end());
  filling->set_size(filling->size() + moved);
  if (filling->full()) PushFull(to, nullptr);
  const uint32_t rest = batch->size() - moved;
  if (rest == 0) {
    arena_->Put(batch);
    return;
  }
  std::copy_n(batch->begin() + moved, rest, batch->begin());
  batch->set_size(rest);
  to.filling = batch;
  partial_.Insert(to.rank);
}

// Queues a full batch: `batch`, or the one that was being filled.
void Context::PushFull(Node& to, Batch* batch) {
  if (batch == nullptr) {
    batch = to.filling;
    to.filling = nullptr;
    partial_.Erase(to.rank);
  }
  to.full.PushBack(batch);
  full_.Insert(to.rank);
}

// So that single packets do not overtake the batch that was emitted before them.
void Context::QueueHot() {
  Node& to = *hot_node_;
  hot_node_ = nullptr;
  Enqueue(to, hot_batch_);
}

bool Context::StartFilling(Node& to) {
  to.filling = TakeBatch();
  if (to.filling == nullptr) return false;
  partial_.Insert(to.rank);
  return true;
}

Node* Context::NextWaiting(Batch** batch) {
  if (!full_.empty()) {
    Node* node = nodes_[full_.Max()];
    *batch = node->full.PopFront();
    if (node->full.empty()) full_.Erase(node->rank);
    return node;
  }
  Node* node = nodes_[partial_.Min()];
  *batch = node->filling;
  node->filling = nullptr;
  partial_.Erase(node->rank);
  return node;
}

void Context::Drain() {
  for (;;) {
    Node* node = hot_node_;
    Batch* batch = hot_batch_;
    hot_node_ = nullptr;
    if (node == nullptr || !NothingWaits()) {
      if (node != nullptr) Enqueue(*node, batch);
      if (NothingWaits()) break;
      node = NextWaiting(&batch);
    }
    Execute(*node, batch);
  }
  FlushDropped();
}

}  // namespace bess
