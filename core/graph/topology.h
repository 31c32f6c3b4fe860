// SPDX-License-Identifier: Apache-2.0
//
// A graph, or a part of it that is connected with nothing else, by number instead of by name: what
// the compiler's passes walk.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/graph/graph.h"

namespace bess {

struct Topology {
  struct Connection {
    uint32_t to = 0;
    const OutGate* gate = nullptr;
    uint32_t ogate = 0;
  };

  // What each module has of something, all of it in one array.
  template <typename T>
  class Rows {
   public:
    absl::Span<const T> operator[](size_t module) const {
      return absl::MakeSpan(items_).subspan(ends_[module], ends_[module + 1] - ends_[module]);
    }
    // Appends to the last row; EndRow begins the next.
    void Add(T item) { items_.push_back(item); }
    void EndRow() { ends_.push_back(static_cast<uint32_t>(items_.size())); }

   private:
    std::vector<T> items_;
    std::vector<uint32_t> ends_{0};
  };

  // These modules, in this order, and all that they are connected to must be among them. `places`
  // has room for each number of a module.
  Topology(std::vector<const ModuleEntry*> modules, std::vector<uint32_t>& places);

  const Module& module(uint32_t i) const { return *modules[i]->module; }
  size_t size() const { return modules.size(); }
  // Whether some packet could come back to a module it was in.
  bool HasCycle() const;

  std::vector<const ModuleEntry*> modules;
  Rows<Connection> down;  // by module
  Rows<uint32_t> up;      // by module
};

// The modules of a graph that are connected with each other, in whatever direction, group by group.
// Those of each group are in order of their numbers, and so are the groups by their first modules.
// All that the modules are connected to must be among them; `places` is as above.
std::vector<std::vector<const ModuleEntry*>> ConnectedGroups(
    std::vector<const ModuleEntry*> modules, std::vector<uint32_t>& places);

}  // namespace bess
