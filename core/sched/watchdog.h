// SPDX-License-Identifier: Apache-2.0
//
// Names who does not come back: a worker that has used 25 ms of CPU time in one module without
// returning to its scheduler, with that module and the class that runs it.
//
// CPU time of the worker's thread, not time: whoever was preempted, sleeps or is paused has done
// nothing wrong. And the same step of the worker before and after that time was measured: a worker
// that has moved in between is never named.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "core/graph/graph.h"
#include "core/sched/worker.h"

namespace bess {

struct Stall {
  uint32_t worker = 0;
  std::string module;         // empty if it is no more
  std::string traffic_class;  // likewise
  absl::Time seen;            // for the first time
  absl::Duration cpu;         // used so far, or until it came back
  bool over = false;

  // "worker 0 is in module 'x', run by class '!leaf_y:0', and does not return"
  std::string Text() const;
};

struct StallHistory {
  uint64_t count = 0;
  Stall last;  // if there was one
};

// Threads: one at a time.
class Watchdog {
 public:
  static constexpr absl::Duration kPatience = absl::Milliseconds(25);

  // To be called every few milliseconds for each worker. Returns a stall that begins or is over.
  std::optional<Stall> Look(const Worker& worker, const Graph& graph);
  // A worker that is no more; its number may come back.
  void Forget(uint32_t worker) { watched_.erase(worker); }

  StallHistory history(uint32_t worker) const;
  // The first stall of all that lasts.
  std::optional<Stall> Lasting() const;

 private:
  struct Watched {
    uint64_t steps = UINT64_MAX;
    absl::Duration cpu;  // when it was seen at that step first
    bool stalled = false;
    StallHistory history;
  };

  static Stall Name(const Worker& worker, const Graph& graph, absl::Duration cpu);

  std::map<uint32_t, Watched> watched_;  // by worker
};

}  // namespace bess
