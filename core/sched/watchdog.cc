// SPDX-License-Identifier: Apache-2.0
#include "core/sched/watchdog.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace bess {

std::string Stall::Text() const {
  const std::string where =
      module.empty() ? "a module that was removed" : "module '" + module + "'";
  const std::string by = traffic_class.empty() ? "" : ", run by class '" + traffic_class + "',";
  return absl::StrCat("worker ", worker, " is in ", where, by, " and does not return");
}

std::optional<Stall> Watchdog::Look(const Worker& worker, const Graph& graph) {
  Watched& watched = watched_[worker.id()];
  StallHistory& history = watched.history;
  const absl::Duration used = worker.cpu_time() - watched.cpu;
  const uint64_t steps = worker.position().steps;
  if (steps != watched.steps) {
    watched.steps = steps;
    watched.cpu = worker.cpu_time();
    if (!std::exchange(watched.stalled, false)) return std::nullopt;
    history.last.over = true;
    return history.last;
  }
  if (used < kPatience || worker.position().leaf == nullptr) return std::nullopt;
  if (watched.stalled) {
    history.last.cpu = used;
    return std::nullopt;
  }
  Stall stall = Name(worker, graph, used);
  // What was just read is of this step only if it is not over by now.
  if (worker.position().steps != steps) return std::nullopt;
  watched.stalled = true;
  ++history.count;
  history.last = stall;
  return stall;
}

Stall Watchdog::Name(const Worker& worker, const Graph& graph, absl::Duration cpu) {
  Stall stall = {.worker = worker.id(), .seen = absl::Now(), .cpu = cpu};
  const WorkerPosition at = worker.position();
  for (const auto& [name, entry] : graph.modules) {
    if (entry->module->Owns(at.module)) stall.module = name;
  }
  for (const auto& [name, tc] : graph.classes.classes()) {
    if (tc->state.get() == at.leaf) stall.traffic_class = name;
  }
  return stall;
}

StallHistory Watchdog::history(uint32_t worker) const {
  const auto it = watched_.find(worker);
  return it == watched_.end() ? StallHistory() : it->second.history;
}

std::optional<Stall> Watchdog::Lasting() const {
  for (const auto& [worker, watched] : watched_) {
    if (watched.stalled) return watched.history.last;
  }
  return std::nullopt;
}

}  // namespace bess
