// SPDX-License-Identifier: Apache-2.0
//
// The engine's workers: starting, stopping, pausing.
#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/control/engine.h"

namespace bess {
namespace {

// A worker parks between rounds, that is within microseconds, unless a module is stuck.
constexpr absl::Duration kMaxPause = absl::Seconds(1);

absl::Status CheckWorkerId(int64_t id) {
  if (id >= 0 && id < int64_t{kMaxWorkers}) return absl::OkStatus();
  return Error(EINVAL, "'wid' must be 0..", kMaxWorkers - 1, ", not ", id);
}

uint64_t DeadEnds(const Plan& plan, uint32_t worker) {
  uint64_t packets = 0;
  for (const auto& [name, entry] : plan.graph->modules) {
    const auto placed = plan.placement.find(entry->module.get());
    if (placed == plan.placement.end()) continue;
    if (!std::binary_search(placed->second.begin(), placed->second.end(), worker)) continue;
    const Ledger& ledger = entry->module->ledger(worker);
    packets += ledger.dropped[static_cast<size_t>(DropReason::kDeadEnd)].Get();
  }
  return packets;
}

struct Load {
  uint64_t classes = 0;  // tasks among them
  uint64_t tasks = 0;
};

Load LoadOf(const ClassTree& classes, uint32_t worker) {
  Load load;
  for (const auto& [name, tc] : classes.classes()) {
    if (classes.WorkerOf(name) != worker) continue;
    ++load.classes;
    load.tasks += tc->is_leaf() ? 1 : 0;
  }
  return load;
}

void Unassign(ClassTree& classes, uint32_t worker) {
  for (const std::string& root : classes.Roots(worker)) classes.Assign(root, std::nullopt);
}

}  // namespace

std::vector<WorkerStatus> Engine::ListWorkers() const {
  const auto running = plan();
  std::vector<WorkerStatus> list;
  absl::MutexLock lock(&state_);
  for (const auto& [id, worker] : workers_) {
    const Load load = LoadOf(running->graph->classes, id);
    list.push_back({.id = id,
                    .core = worker->core(),
                    .running = !worker->paused(),
                    .tasks = load.tasks,
                    .classes = load.classes,
                    .dead_ends = DeadEnds(*running, id),
                    .stats = worker->stats()});
  }
  return list;
}

absl::StatusOr<Worker*> Engine::FindWorker(int64_t id) const {
  BESS_RETURN_IF_ERROR(CheckWorkerId(id));
  absl::MutexLock lock(&state_);
  const auto it = workers_.find(static_cast<uint32_t>(id));
  if (it == workers_.end()) return Error(ENOENT, "there is no worker ", id);
  return it->second.get();
}

void Engine::StartWorker(uint32_t id, int core) {
  auto worker = std::make_unique<Worker>(WorkerOptions{.id = id,
                                                       .core = core,
                                                       .spin = options_.spin,
                                                       .enter = options_.enter_worker,
                                                       .leave = options_.leave_worker},
                                         current_, rcu_);
  if (paused_) worker->Pause(kMaxPause).IgnoreError();
  absl::MutexLock lock(&state_);
  workers_[id] = std::move(worker);
}

void Engine::StartDefaultWorker() {
  StartWorker(0, options_.default_core >= 0 ? options_.default_core : AllowedCores().back());
  default_worker_ = true;
}

void Engine::StopWorker(uint32_t id) {
  std::unique_ptr<Worker> worker;
  {
    absl::MutexLock lock(&state_);
    worker = std::move(workers_.extract(id).mapped());
  }
  if (id == 0) default_worker_ = false;
}

absl::Status Engine::AddWorker(int64_t id, int64_t core, std::string_view scheduler) {
  BESS_RETURN_IF_ERROR(CheckWorkerId(id));
  const std::vector<int> cores = AllowedCores();
  if (std::find(cores.begin(), cores.end(), core) == cores.end()) {
    return Error(EINVAL, "'core' must be one of the CPUs this process may use (",
                 absl::StrJoin(cores, ", "), "), not ", core);
  }
  if (!scheduler.empty() && scheduler != "experimental") {
    return Error(EINVAL, "'scheduler' must be '' or 'experimental', not '", scheduler, "'");
  }
  absl::MutexLock lock(&edits_);
  if (FindWorker(id).ok()) {
    if (id != 0 || !default_worker_) return Error(EEXIST, "worker ", id, " exists already");
    // Nobody asked for this worker yet: it moves to where it is wanted.
    StopWorker(0);
  }
  StartWorker(static_cast<uint32_t>(id), static_cast<int>(core));
  return Commit([](Graph&) { return absl::OkStatus(); });
}

absl::Status Engine::DestroyWorker(int64_t id) {
  absl::MutexLock lock(&edits_);
  BESS_RETURN_IF_ERROR(FindWorker(id).status());
  const auto worker = static_cast<uint32_t>(id);
  if (const Load load = LoadOf(plan()->graph->classes, worker); load.tasks > 0) {
    return Error(EBUSY, "worker ", id, " has ", load.tasks, " task(s) attached");
  }
  StopWorker(worker);
  // Classes without tasks go to another worker.
  return Commit([&](Graph& graph) {
    Unassign(graph.classes, worker);
    return absl::OkStatus();
  });
}

absl::Status Engine::ResetWorkers() {
  absl::MutexLock lock(&edits_);
  const std::vector<WorkerStatus> workers = ListWorkers();
  for (const WorkerStatus& worker : workers) StopWorker(worker.id);
  next_worker_ = 0;
  // Tasks of modules that live on wait for the next worker; none is started for them now.
  const bool paused = std::exchange(paused_, true);
  const absl::Status committed = Commit([&](Graph& graph) {
    for (const WorkerStatus& worker : workers) Unassign(graph.classes, worker.id);
    return absl::OkStatus();
  });
  paused_ = paused;
  return committed;
}

absl::Status Engine::PauseAll() {
  absl::MutexLock lock(&edits_);
  paused_ = true;
  absl::Status first_error;
  for (const WorkerStatus& status : ListWorkers()) {
    first_error.Update((*FindWorker(status.id))->Pause(kMaxPause));
  }
  // So that the books are true from here on: what left the graph before has its end now.
  WaitForWorkers();
  return first_error;
}

absl::Status Engine::ResumeAll() {
  absl::MutexLock lock(&edits_);
  paused_ = false;
  const absl::Status committed = Commit([](Graph&) { return absl::OkStatus(); });
  RunResumeHooks();
  for (const WorkerStatus& status : ListWorkers()) (*FindWorker(status.id))->Resume();
  return committed;
}

absl::Status Engine::PauseWorker(int64_t id) {
  absl::MutexLock lock(&edits_);
  BESS_ASSIGN_OR_RETURN(Worker * worker, FindWorker(id));
  return worker->Pause(kMaxPause);
}

absl::Status Engine::ResumeWorker(int64_t id) {
  absl::MutexLock lock(&edits_);
  BESS_ASSIGN_OR_RETURN(Worker * worker, FindWorker(id));
  worker->Resume();
  return absl::OkStatus();
}

}  // namespace bess
