// SPDX-License-Identifier: Apache-2.0
//
// A graph by number instead of by name: what the compiler's passes walk.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/graph/graph.h"

namespace bess {

struct Topology {
  explicit Topology(const Graph& graph);

  struct Connection {
    uint32_t to = 0;
    const OutGate* gate = nullptr;
    uint32_t ogate = 0;
  };

  std::vector<const ModuleEntry*> modules;  // in the graph's order
  absl::flat_hash_map<std::string, uint32_t> index;
  std::vector<std::vector<Connection>> down;  // by module
  std::vector<std::vector<uint32_t>> up;      // by module

  const Module& module(uint32_t i) const { return *modules[i]->module; }
  size_t size() const { return modules.size(); }
};

}  // namespace bess
