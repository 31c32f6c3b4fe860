// SPDX-License-Identifier: Apache-2.0
//
// The engine's traffic classes.
#include <utility>

#include "core/control/engine.h"

namespace bess {
namespace {

// A worker lets go of a task between rounds, that is within microseconds, unless a module is stuck.
constexpr absl::Duration kMaxWait = absl::Seconds(1);

// What is about to go from one worker to another: the topmost classes of each subtree.
struct Moves {
  std::vector<std::string> running;  // by a worker as of now
  bool any = false;                  // those nobody runs by now, but may not have let go of, too
};

Moves FindMoves(const ClassTree& before, const ClassTree& after) {
  const auto moves = [&](std::string_view name) {
    const auto to = after.WorkerOf(name);
    return to && before.Find(name) != nullptr && before.WorkerOf(name) != to;
  };
  Moves found;
  for (const auto& [name, tc] : after.classes()) {
    if (!moves(name)) continue;
    found.any = true;
    const bool topmost = tc->place.parent.empty() || !moves(tc->place.parent);
    if (topmost && before.WorkerOf(name)) found.running.push_back(name);
  }
  return found;
}

}  // namespace

// Workers take up plans each in its own time, so a class must not go from one to another in a
// single step: for a moment both would run it.
absl::Status Engine::LetGo(const Plan& before, const Plan& after) {
  const Moves moves = FindMoves(before.graph->classes, after.graph->classes);
  if (!moves.any) return absl::OkStatus();
  if (!moves.running.empty()) {
    Graph between = *after.graph;
    between.attributes = after.metadata.places;
    for (const std::string& name : moves.running) between.classes.Assign(name, std::nullopt);
    BESS_ASSIGN_OR_RETURN(auto plan, Compile(std::make_shared<const Graph>(std::move(between))));
    Publish(std::move(plan));
  }
  if (rcu_.Wait(kMaxWait)) return absl::OkStatus();
  if (!moves.running.empty()) {
    BESS_ASSIGN_OR_RETURN(auto back, Compile(before.graph));
    Publish(std::move(back));
  }
  return Error(EBUSY, "a worker did not come back from a module within ",
               absl::FormatDuration(kMaxWait), "; nothing was moved");
}

absl::Status Engine::CheckPlace(const TcPlace& place) {
  if (!place.parent.empty()) return absl::OkStatus();
  // As BESS has it: whoever adds a class before any worker wants the default one.
  if (ListWorkers().empty() && place.worker.value_or(0) == 0) StartDefaultWorker();
  if (!place.worker) return absl::OkStatus();
  const absl::Status found = FindWorker(*place.worker).status();
  return found.ok() ? found : Error(EINVAL, found.message());
}

absl::Status Engine::CommitClasses(ClassTree classes) {
  return Commit([&](Graph& graph) {
    graph.classes = std::move(classes);
    return absl::OkStatus();
  });
}

absl::Status Engine::AddClass(std::string_view name, const TcParams& params, const TcPlace& place) {
  absl::MutexLock lock(&edits_);
  ClassTree classes = plan()->graph->classes;
  BESS_RETURN_IF_ERROR(classes.Add(name, params, place));
  BESS_RETURN_IF_ERROR(CheckPlace(place));
  return CommitClasses(std::move(classes));
}

absl::Status Engine::UpdateClass(std::string_view name, const TcParams& params) {
  absl::MutexLock lock(&edits_);
  ClassTree classes = plan()->graph->classes;
  BESS_RETURN_IF_ERROR(classes.Update(name, params));
  return CommitClasses(std::move(classes));
}

absl::Status Engine::MoveClass(std::string_view name, const TcPlace& place) {
  absl::MutexLock lock(&edits_);
  ClassTree classes = plan()->graph->classes;
  BESS_RETURN_IF_ERROR(classes.Move(name, place));
  BESS_RETURN_IF_ERROR(CheckPlace(place));
  return CommitClasses(std::move(classes));
}

absl::Status Engine::RemoveClass(std::string_view name) {
  absl::MutexLock lock(&edits_);
  ClassTree classes = plan()->graph->classes;
  BESS_RETURN_IF_ERROR(classes.Remove(name));
  return CommitClasses(std::move(classes));
}

absl::Status Engine::ResetClasses() {
  absl::MutexLock lock(&edits_);
  ClassTree classes = plan()->graph->classes;
  for (const auto& [name, tc] : classes.classes()) {
    if (!tc->is_leaf() || tc->place.parent.empty()) continue;
    return Error(EBUSY, "class '", tc->place.parent, "' has a task, '", name, "'");
  }
  classes.RemoveInner();
  return CommitClasses(std::move(classes));
}

bool Engine::paused() const {
  absl::MutexLock lock(&edits_);
  return paused_;
}

}  // namespace bess
