// SPDX-License-Identifier: Apache-2.0
//
// What runs: a graph compiled for its workers. A plan never changes; an edit makes another one,
// which shares with it the parts of the graph that the edit did not touch. Compile is a pure
// function of the graph and touches no thread; publishing the plan is the control plane's business
// (core/control/engine.h), taking it up the worker's (core/sched).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph.h"
#include "core/graph/part.h"
#include "core/tc/scheduler.h"

namespace bess {

// One worker's part. Only that worker touches what it leads to once the plan is published.
struct WorkerPlan {
  std::vector<TaskSlot> tasks;  // by leaf
  std::shared_ptr<TcScheduler> scheduler;
  std::vector<LoopSlot> loops;
  std::shared_ptr<BatchArena> arena;
  size_t most_nodes = 0;  // in a part
  // Whether every task without work is woken when there is some, and how many by a descriptor.
  bool wakeable = true;
  uint32_t wakers = 0;
};

struct Plan {
  // Where a module is found: a part, and its place there.
  struct Place {
    uint32_t part = 0;
    uint32_t index = 0;
  };

  uint64_t sequence = 0;  // of the commit, 1 and up; never the same twice
  std::shared_ptr<const Graph> graph;
  std::shared_ptr<const Schedules> schedules;
  std::vector<std::shared_ptr<const Part>> parts;  // some are nullptr
  std::vector<Place> modules;                      // by number
  std::vector<uint32_t> made;                      // which parts are not of the plan before
  AttributePlaces places;
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, GateHook*>> attentive;  // hooks, with their modules' names
  std::vector<const ModuleEntry*> choosy;                    // not of every NUMA node
  std::array<std::unique_ptr<WorkerPlan>, kMaxWorkers> workers;

  // The offsets of a module's attributes, in the order it added them; empty if it has none.
  const std::vector<int16_t>& offsets(std::string_view module) const;
  // That may run the module, which must be in the graph: a bit for each.
  uint64_t WorkersOf(const ModuleEntry& module) const;
};

// Names and sizes of the attributes that have a place, by name.
std::vector<PlacedAttribute> LiveAttributes(const Plan& plan);

// All errors of the graph at once, joined by "; ": EINVAL, ENOSPC or EBUSY. With the plan `before`
// of a graph that this one is an edited copy of, it costs what differs and makes an equal plan.
absl::StatusOr<std::unique_ptr<Plan>> Compile(std::shared_ptr<const Graph> graph,
                                              const Plan* before = nullptr);

}  // namespace bess
