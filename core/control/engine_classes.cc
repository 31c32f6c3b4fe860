// SPDX-License-Identifier: Apache-2.0
//
// The engine's traffic classes.
#include <algorithm>
#include <bit>
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

// Those of `taking_over` receive where a module did that leaves, which must have let go, too.
Moves FindMoves(const ClassTree& before, const ClassTree& after,
                const std::vector<std::string>& taking_over) {
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
  for (const auto& [name, tc] : after.classes()) {
    if (!tc->is_leaf() || !after.WorkerOf(name)) continue;
    if (std::count(taking_over.begin(), taking_over.end(), tc->module) == 0) continue;
    found.running.push_back(name);
    found.any = true;
  }
  return found;
}

// The workers that are to come to a module that not all may run at once, where it is; a bit each.
// `crowd` says whether they would be too many beside those that are there.
uint64_t Newcomers(const Plan& before, const Site& site, uint64_t placement, bool* crowd) {
  if (site.max_workers >= kMaxWorkers) return 0;
  const ModuleEntry* entry = before.graph->Find(site.module->name());
  if (entry == nullptr || entry->module.get() != site.module) return 0;
  const uint64_t now = before.WorkersOf(*entry);
  *crowd = static_cast<uint32_t>(std::popcount(now | placement)) > site.max_workers;
  return placement & ~now;
}

// Modules change workers by connections, too: tasks that lead to one for the first time wait until
// those that led there do so no more. Where nobody runs one by now, somebody may be in it still.
void AddNewcomers(const Plan& before, const Plan& after, Moves* moves) {
  for (const uint32_t made : after.made) {
    const Part& part = *after.parts[made];
    uint64_t waiting = 0;
    for (size_t m = 0; m < part.topology.size(); ++m) {
      bool crowd = false;
      const uint64_t coming = Newcomers(before, part.topology.sites[m], part.placement[m], &crowd);
      moves->any |= coming != 0;
      if (crowd) waiting |= coming;
    }
    for (const auto& [worker, its] : part.workers) {
      if ((waiting >> worker & 1) == 0) continue;
      for (const PartTask& task : its.tasks) {
        const std::string& name = part.topology.sites[task.module].module->name();
        moves->running.push_back(LeafName(name, task.task));
      }
    }
  }
}

}  // namespace

// Workers take up plans each in its own time, so neither a class nor a module that is for so many
// workers must go from one to another in a single step: for a moment both would run it.
absl::Status Engine::LetGo(const Plan& before, const Plan& after) {
  Moves moves;
  if (!after.graph->classes.Shares(before.graph->classes) || !draft_->taking_over.empty()) {
    moves = FindMoves(before.graph->classes, after.graph->classes, draft_->taking_over);
  }
  AddNewcomers(before, after, &moves);
  if (!moves.any) return absl::OkStatus();
  if (!moves.running.empty()) {
    Graph between = *after.graph;
    between.attributes = after.places;
    for (const std::string& name : moves.running) between.classes.Assign(name, std::nullopt);
    BESS_ASSIGN_OR_RETURN(auto plan,
                          Compile(std::make_shared<const Graph>(std::move(between)), &before));
    Publish(std::move(plan));
  }
  if (rcu_.Wait(kMaxWait)) return absl::OkStatus();
  if (!moves.running.empty()) {
    BESS_ASSIGN_OR_RETURN(auto back, Compile(before.graph, plan().get()));
    Publish(std::move(back));
  }
  return Error(EBUSY, WhoIsStuck(), "; nothing was moved within ", absl::FormatDuration(kMaxWait));
}

absl::Status Engine::CheckPlace(const TcPlace& place) {
  if (!place.parent.empty()) return absl::OkStatus();
  // As BESS has it: whoever adds a class before any worker wants the default one.
  if (draft_->workers.empty() && place.worker.value_or(0) == 0) StartDefaultWorker();
  if (!place.worker || draft_->workers.contains(*place.worker)) return absl::OkStatus();
  if (*place.worker < kMaxWorkers) return Error(EINVAL, "there is no worker ", *place.worker);
  return Error(EINVAL, "'wid' must be 0..", kMaxWorkers - 1, ", not ", *place.worker);
}

absl::Status Engine::AddClass(std::string_view name, const TcParams& params, const TcPlace& place) {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(draft_->graph.classes.Add(name, params, place));
  BESS_RETURN_IF_ERROR(CheckPlace(place));
  return transaction.Commit(absl::StrCat("AddTc ", AbslView(name)));
}

absl::Status Engine::UpdateClass(std::string_view name, const TcParams& params) {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(draft_->graph.classes.Update(name, params));
  return transaction.Commit(absl::StrCat("UpdateTcParams ", AbslView(name)));
}

absl::Status Engine::MoveClass(std::string_view name, const TcPlace& place) {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(draft_->graph.classes.Move(name, place));
  BESS_RETURN_IF_ERROR(CheckPlace(place));
  return transaction.Commit(absl::StrCat("UpdateTcParent ", AbslView(name)));
}

absl::Status Engine::RemoveClass(std::string_view name) {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(draft_->graph.classes.Remove(name));
  return transaction.Commit(absl::StrCat("RemoveClass ", AbslView(name)));
}

absl::Status Engine::ResetClasses() {
  Transaction transaction(*this);
  for (const auto& [name, tc] : draft_->graph.classes.classes()) {
    if (!tc->is_leaf() || tc->place.parent.empty()) continue;
    return Error(EBUSY, "class '", tc->place.parent, "' has a task, '", name, "'");
  }
  draft_->graph.classes.RemoveInner();
  return transaction.Commit("ResetTcs");
}

}  // namespace bess
