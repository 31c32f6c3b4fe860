// SPDX-License-Identifier: Apache-2.0
#include "core/graph/topology.h"

namespace bess {

Topology::Topology(const Graph& graph) {
  for (const auto& [name, entry] : graph.modules) {
    index.emplace(name, static_cast<uint32_t>(modules.size()));
    modules.push_back(entry.get());
  }
  down.resize(modules.size());
  up.resize(modules.size());
  for (uint32_t i = 0; i < modules.size(); ++i) {
    for (const auto& [ogate, gate] : modules[i]->out) {
      const uint32_t to = index.at(gate.to);
      down[i].push_back({to, &gate, ogate});
      up[to].push_back(i);
    }
  }
}

}  // namespace bess
