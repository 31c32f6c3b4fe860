// SPDX-License-Identifier: Apache-2.0
//
// A part of a plan: modules that are connected with each other and with nothing else, laid out for
// each worker that runs some of them. A packet never leaves its part, so parts know nothing of each
// other, and a plan takes those that an edit left alone from the plan before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/metadata.h"
#include "core/graph/topology.h"
#include "core/tc/scheduler.h"

namespace bess {

// Who runs which task, for a whole class tree.
struct Schedules {
  struct Task {
    uint32_t task = 0;  // among the module's
    uint32_t worker = 0;
    uint32_t leaf = 0;  // of the worker's scheduler
  };

  explicit Schedules(const Graph& graph);
  // Of a module, by its number: those that some worker runs.
  absl::Span<const Task> of(uint32_t module) const {
    return module < tasks.size() ? tasks[module] : absl::Span<const Task>();
  }

  std::map<uint32_t, std::shared_ptr<TcScheduler>> by_worker;  // of those with tasks
  std::vector<std::vector<Task>> tasks;
};

// A module that keeps packets for its tasks: whoever brings it some wakes those that rest. While
// its brake is on, the tasks that feed it rest; who lets go of the brake wakes them. Or a module
// that sends packets to where somebody else may leave them, and so has a brake and no tasks.
struct Holder {
  Module* module = nullptr;
  std::vector<LeafDoor*> doors;  // of its own tasks
  Brake* brake = nullptr;
  std::vector<LeafDoor*> feeders;  // if it has a brake
};

// A task in a worker's plan: where packets start.
struct TaskSlot {
  Module* module = nullptr;
  TaskResult (*run)(Module&, Context&, Batch&, uint64_t) = nullptr;
  uint64_t argument = 0;
  Node* root = nullptr;
  const ClassState* state = nullptr;     // of its leaf
  absl::Span<Brake* const> brakes = {};  // of what it feeds
  const Holder* holder = nullptr;        // whose brake it may let go of
  int wake_fd = -1;                      // of a module that learns of work so
};

struct PartTask {
  uint32_t module = 0;  // by its place in the part
  uint32_t task = 0;
  TaskSlot slot;
};

struct WorkerPart {
  std::vector<Node> nodes;  // in order of rank
  std::vector<Node*> outputs;
  std::vector<PartTask> tasks;
  std::vector<LoopSlot> loops;
};

// The workers of which there is a bit, in order.
std::vector<uint32_t> WorkerList(uint64_t workers);

struct Part {
  // Nothing is laid out yet.
  explicit Part(Topology topology);
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void LayOut(const AttributePlaces& attributes, const Schedules& schedules);
  // Whether it may go on in the next plan, if its modules have not changed: the places of its
  // attributes have not, nor have its tasks, and it has no cycle. Where a cycle is cut may have
  // changed with a plan that this one is not made from.
  bool Holds(const AttributePlaces& attributes) const;
  bool Holds(const Schedules& before, const Schedules& now) const;
  // Tells those that mind which workers run them from now on. Thread: control.
  void TellModules() const;
  // What nobody would miss if they did not look at it.
  bool plain() const;

  Topology topology;
  const LiveRanges ranges;
  const bool cyclic;
  PartMetadata metadata;
  std::vector<int16_t> places;              // of `ranges`, -1 for none
  std::map<uint32_t, Holder> holders;       // by module
  std::vector<std::vector<Brake*>> brakes;  // of what each module feeds; empty if there are none
  std::vector<uint64_t> placement;          // by module: a bit for each worker
  uint64_t edge_workers = 0;                // that had a cycle cut in some plan: a bit each
  std::map<uint32_t, WorkerPart> workers;
  size_t most_nodes = 0;  // of a worker
  std::vector<std::pair<std::string, GateHook*>> attentive;
  std::vector<const ModuleEntry*> choosy;

 private:
  void FindHolders(const Schedules& schedules);
  void LookAround();
  uint64_t WorkersIn(const Schedules& schedules) const;
};

}  // namespace bess
