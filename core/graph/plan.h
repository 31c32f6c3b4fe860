// SPDX-License-Identifier: Apache-2.0
//
// What runs: a graph compiled for its workers. A plan never changes; an edit makes another one.
// Compile is a pure function of the graph and touches no thread; publishing the plan is the
// control plane's business (core/control/engine.h), taking it up the worker's (core/sched).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph.h"
#include "core/graph/metadata.h"
#include "core/tc/scheduler.h"

namespace bess {

// A module that keeps packets for its tasks: whoever brings it some wakes those that rest. While
// its brake is on, the tasks that feed it rest; who lets go of the brake wakes them. Or a module
// that sends packets to where somebody else may leave them, and so has a brake and no tasks.
struct Holder {
  Module* module = nullptr;
  std::vector<LeafDoor*> doors;  // of its own tasks
  Brake* brake = nullptr;
  std::vector<uint32_t> fed_by;    // if it has a brake: modules, by their place in the graph
  std::vector<LeafDoor*> feeders;  // their tasks'
};

// A task in a worker's plan: where packets start. A leaf of the worker's scheduler has the same
// number.
struct TaskSlot {
  Module* module = nullptr;
  TaskResult (*run)(Module&, Context&, Batch&, uint64_t) = nullptr;
  uint64_t argument = 0;
  Node* root = nullptr;
  const ClassState* state = nullptr;  // of its leaf
  std::vector<Brake*> brakes;         // of what it feeds
  const Holder* holder = nullptr;     // whose brake it may let go of
  int wake_fd = -1;                   // of the module, if that is how it learns of work
};

// One worker's part. Only that worker touches the nodes once the plan is published.
struct WorkerPlan {
  std::deque<Node> nodes;
  std::vector<Node*> by_rank;
  std::deque<std::vector<Node*>> outputs;
  std::deque<std::vector<ClearRange>> clears;
  std::vector<TaskSlot> tasks;
  std::unique_ptr<TcScheduler> scheduler;
  std::vector<LoopSlot> loops;
  std::unique_ptr<BatchArena> arena;
  // Whether every task without work is woken when there is some, and how many by a descriptor.
  bool wakeable = true;
  uint32_t wakers = 0;
};

struct Plan {
  uint64_t sequence = 0;  // of the commit, 1 and up; never the same twice
  std::shared_ptr<const Graph> graph;
  MetadataLayout metadata;
  std::map<const Module*, std::vector<uint32_t>> placement;  // workers that may run each module
  std::map<uint32_t, Holder> holders;                        // by the module's place in the graph
  std::array<std::unique_ptr<WorkerPlan>, kMaxWorkers> workers;

  // The offsets of a module's attributes, in the order it added them; empty if it has none.
  const std::vector<int16_t>& offsets(std::string_view module) const;
};

// All errors of the graph at once, joined by "; ": EINVAL, ENOSPC or EBUSY. Warnings are in the
// plan's metadata.
absl::StatusOr<std::unique_ptr<Plan>> Compile(std::shared_ptr<const Graph> graph);

}  // namespace bess
