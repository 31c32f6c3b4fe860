// SPDX-License-Identifier: Apache-2.0
//
// What a worker runs: a module's input, a hook on a gate, or the buffer that cuts a cycle, each
// with pointers to the nodes behind its output gates. Nodes belong to one worker's part of a Plan.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "core/graph/ledger.h"
#include "core/packet/batch.h"

namespace bess {

class Context;

using ProcessFunction = void (*)(void* self, Context& context, Batch& batch);

// What has crossed a gate.
struct CrossingCounts {
  Counter batches;
  Counter packets;

  void Add(const Batch& batch) {
    batches.Add(1);
    packets.Add(batch.size());
  }
};

// What a hop needs comes first, in one cache line.
struct alignas(64) Node {
  ProcessFunction process = nullptr;  // nullptr: it sends on by gate 0, and nothing is called
  CrossingCounts* counts = nullptr;   // of what comes in, if that is counted
  void* self = nullptr;               // the module, hook or loop buffer
  Ledger* ledger = nullptr;           // this worker's books of the module the node belongs to
  Node* const* out = nullptr;         // by output gate; nullptr where nothing is connected
  const int16_t* offsets = nullptr;   // of the module's attributes, in the order it added them
  uint32_t num_out = 0;
  uint32_t igate = 0;
  Node* usual = nullptr;  // behind gate 0, where most packets go
  uint32_t rank = 0;      // upstream nodes have lower ranks
  void* cell = nullptr;   // this worker's counters of a hook

  // Packets on their way to this node in the running round. At most one batch is partly filled.
  Batch* filling = nullptr;
  BatchList full;
};

}  // namespace bess
