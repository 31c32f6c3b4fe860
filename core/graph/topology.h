// SPDX-License-Identifier: Apache-2.0
//
// A graph, or a part of it that is connected with nothing else, by number instead of by name: what
// the compiler's passes walk. Modules, hooks and the entries of a graph lie scattered in memory,
// and walking them takes longer than all else a pass does. So what the passes ask of them is
// gathered in arrays here, once; the next plan copies it for each entry that is the same object
// still.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "core/graph/graph.h"

namespace bess {

inline constexpr uint32_t kNobody = UINT32_MAX;

// A module.
struct Site {
  explicit Site(const ModuleEntry& entry);

  const ModuleEntry* entry;
  Module* module;
  ProcessFunction process;
  Brake* brake;
  // Its books of the worker that ran it last, which seldom changes.
  Ledger* books = nullptr;
  uint32_t books_of = kNobody;
  uint32_t number;
  uint32_t max_workers;
  bool holds_packets;
  bool igates_alike;
  bool has_tasks;
  bool has_attributes;
  bool in_hooks;       // some input gate has hooks
  bool attentive;      // some hook at a gate is
  bool choosy;         // not of every NUMA node
  bool minds_workers;  // wants to be told which run it
};

struct Connection {
  uint32_t to = 0;  // by its place in the topology
  uint32_t to_number = 0;
  uint32_t ogate = 0;
  uint32_t igate = 0;
  const OutGate* gate = nullptr;
  Edge* edge = nullptr;
  // What its only hook counts into, if that is all there is to do, for the last worker.
  CrossingCounts* counts = nullptr;
  uint32_t counts_of = kNobody;
  bool hooked = false;
};

// What each module has of something, all of it in one array.
template <typename T>
class Rows {
 public:
  absl::Span<const T> operator[](size_t module) const {
    return {items_.data() + ends_[module], ends_[module + 1] - ends_[module]};
  }
  absl::Span<T> operator[](size_t module) {
    return {items_.data() + ends_[module], ends_[module + 1] - ends_[module]};
  }
  absl::Span<T> all() { return absl::MakeSpan(items_); }
  // Appends to the last row; EndRow begins the next.
  void Add(T item) { items_.push_back(item); }
  void EndRow() { ends_.push_back(static_cast<uint32_t>(items_.size())); }
  // Appends the rows begin .. end - 1 of another.
  void Add(const Rows& from, size_t begin, size_t end) {
    const auto items = from.items_.begin();
    const size_t moved = items_.size() - from.ends_[begin];
    items_.insert(items_.end(), items + from.ends_[begin], items + from.ends_[end]);
    for (size_t row = begin; row < end; ++row) {
      ends_.push_back(static_cast<uint32_t>(from.ends_[row + 1] + moved));
    }
  }

 private:
  std::vector<T> items_;
  std::vector<uint32_t> ends_{0};
};

// Modules and where each sends, before it is known who is connected with whom.
struct Survey {
  void Add(const ModuleEntry& entry);
  // Copies what another one, or a topology, has of its modules begin .. end - 1.
  void Add(const Survey& from, size_t begin, size_t end);

  std::vector<Site> sites;
  Rows<Connection> down;  // by module
};

struct Topology : Survey {
  // The modules, in this order, and all that they are connected to must be among them. `places` has
  // room for each number of a module.
  Topology(Survey survey, std::vector<uint32_t>& places);

  const Module& module(uint32_t i) const { return *sites[i].module; }
  size_t size() const { return sites.size(); }
  // Whether some packet could come back to a module it was in.
  bool HasCycle() const;

  Rows<uint32_t> up;  // by module
};

// The parts of a graph that are connected with nothing else, each in the survey's order, by their
// first modules. All that the modules are connected to must be among them; `places` is as above.
std::vector<Topology> ConnectedParts(Survey survey, std::vector<uint32_t>& places);

}  // namespace bess
