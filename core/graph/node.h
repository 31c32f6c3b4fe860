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

// What a node that only counts has seen.
struct CrossingCounts {
  Counter batches;
  Counter packets;
};

struct Node {
  ProcessFunction process = nullptr;
  CrossingCounts* counts = nullptr;  // it only counts and sends on by gate 0: nothing is called
  void* self = nullptr;              // the module, hook or loop buffer
  Ledger* ledger = nullptr;          // this worker's books of the module the node belongs to
  void* cell = nullptr;              // this worker's counters of a hook
  Node* const* out = nullptr;        // by output gate; nullptr where nothing is connected
  uint32_t num_out = 0;
  uint32_t rank = 0;  // upstream nodes have lower ranks
  uint32_t igate = 0;
  const int16_t* offsets = nullptr;  // of the module's attributes, in the order it added them

  // Packets on their way to this node in the running round. At most one batch is partly filled.
  Batch* filling = nullptr;
  BatchList full;
};

}  // namespace bess
