// SPDX-License-Identifier: Apache-2.0
#include "core/graph/context.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

namespace bess {
namespace {

constexpr uint32_t kCompared = 16;  // verdicts at once

// Which of kCompared verdicts are `wanted`, a bit each.
uint64_t WhichOfSome(const Verdict* verdicts, Verdict wanted) {
  const __m128i all = _mm_set1_epi16(std::bit_cast<int16_t>(wanted));
  __m128i halves[2];
  std::memcpy(halves, verdicts, sizeof(halves));
  const __m128i low = _mm_cmpeq_epi16(halves[0], all);
  const __m128i high = _mm_cmpeq_epi16(halves[1], all);
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
}
static_assert(sizeof(Verdict[kCompared]) == 2 * sizeof(__m128i));

uint64_t WhichAre(Verdict wanted, const Verdict* verdicts, uint32_t n) {
  uint64_t which = 0;
  uint32_t i = 0;
  for (; i + kCompared <= n; i += kCompared) which |= WhichOfSome(verdicts + i, wanted) << i;
  for (; i < n; ++i) which |= uint64_t{verdicts[i] == wanted} << i;
  return which;
}

// Which packets of a batch each node gets.
struct Shares {
  Node* to[kBatchSize];
  uint64_t which[kBatchSize];
  uint32_t n = 0;

  void Add(Node* node, uint64_t packets) {
    uint32_t i = 0;
    while (i < n && to[i] != node) ++i;
    if (i == n) which[n++] = 0;
    to[i] = node;
    which[i] |= packets;
  }
};

// Returns `node`, which is mostly the one foreseen. Then the CPU goes on from there before `node`
// has come back from memory; the compiler must not see that the two are the same.
Node* Foreseen(Node* node, Node* guess) {
  if (node != guess) [[unlikely]]
    return node;
  asm("" : "+r"(guess));
  return guess;
}

// Appends packets, a bit each of `which`, until `to` is full. Returns those that are left.
uint64_t Append(Batch& to, const Batch& from, uint64_t which) {
  Packet** at = to.end();
  Packet** const end = to.begin() + kBatchSize;
  for (; which != 0 && at != end; which &= which - 1) *at++ = from[std::countr_zero(which)];
  to.set_size(static_cast<uint32_t>(at - to.begin()));
  return which;
}

}  // namespace

void Context::Adopt(size_t nodes, BatchArena* arena) {
  arena_ = arena;
  partial_ = RankSet(nodes);
  full_ = RankSet(nodes);
}

void Context::Drop(Batch& batch, DropReason reason) {
  node_->ledger->dropped[static_cast<size_t>(reason)].Add(batch.size());
  FreeBatch(batch);
}

// One verdict after the other, for all packets that have it: there are few in a batch, and then a
// packet costs no branch. Gates that lead to the same node share it, so that order is kept there.
void Context::Deliver(Batch& batch, const Verdict* verdicts) {
  if (batch.empty()) return;
  const uint32_t n = batch.size();
  uint64_t left = ~uint64_t{0} >> (kBatchSize - n);
  Verdict verdict = verdicts[0];
  uint64_t which = WhichAre(verdict, verdicts, n);
  if (which == left) {
    verdict.is_drop() ? Drop(batch, verdict.reason()) : Emit(verdict.gate(), batch);
    return;
  }
  Shares shares;
  for (;;) {
    if (verdict.is_drop()) {
      DropSome(batch, which, verdict.reason());
    } else if (Node* to = Target(verdict.gate())) {
      shares.Add(to, which);
    } else {
      DropSome(batch, which, DropReason::kDeadEnd);
    }
    left &= ~which;
    if (left == 0) break;
    verdict = verdicts[std::countr_zero(left)];
    which = WhichAre(verdict, verdicts, n);
  }
  for (uint32_t i = 0; i < shares.n; ++i) EmitSome(*shares.to[i], batch, shares.which[i]);
  batch.clear();
}

void Context::EmitSome(Node& to, const Batch& batch, uint64_t which) {
  if (&to == hot_node_) [[unlikely]]
    QueueHot();
  while (which != 0) {
    if (to.filling == nullptr && !StartFilling(to)) [[unlikely]]
      return DropSome(batch, which, DropReason::kOverload);
    which = Append(*to.filling, batch, which);
    if (to.filling->full()) PushFull(to, nullptr);
  }
}

void Context::DropSome(const Batch& batch, uint64_t which, DropReason reason) {
  node_->ledger->dropped[static_cast<size_t>(reason)].Add(std::popcount(which));
  while (which != 0) {
    if (dropped_.full()) FlushDropped();
    which = Append(dropped_, batch, which);
  }
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
  Enqueue(*hot_node_, current_);
  hot_node_ = nullptr;
  current_ = nullptr;
}

bool Context::StartFilling(Node& to) {
  to.filling = TakeBatch();
  if (to.filling == nullptr) return false;
  partial_.Insert(to.rank);
  return true;
}

// What the running node was given and did not emit whole.
void Context::PutBack() {
  if (current_ == nullptr) return;
  assert(current_->empty() && "Process and tasks must emit or drop every packet");
  arena_->Put(current_);
}

std::pair<Node*, Batch*> Context::NextWaiting() {
  if (!full_.empty()) {
    Node* node = nodes_ + full_.Max();
    Batch* batch = node->full.PopFront();
    if (node->full.empty()) full_.Erase(node->rank);
    return {node, batch};
  }
  Node* node = nodes_ + partial_.Min();
  partial_.Erase(node->rank);
  return {node, std::exchange(node->filling, nullptr)};
}

void Context::Drain() {
  Batch* batch = current_;
  Node* node = hot_node_;
  for (;;) {
    if (node == nullptr || !NothingWaits()) {
      node == nullptr ? PutBack() : Enqueue(*node, batch);
      if (NothingWaits()) break;
      std::tie(node, batch) = NextWaiting();
    }
    Node* usual = node->usual;
    Execute(*node, batch);
    node = Foreseen(hot_node_, usual);
  }
  FlushDropped();
}

}  // namespace bess
