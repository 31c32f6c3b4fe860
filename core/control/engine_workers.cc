// SPDX-License-Identifier: Apache-2.0
//
// The engine's workers: starting, stopping, pausing.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/control/engine.h"
#include "core/sched/cores.h"
#include "spdlog/spdlog.h"

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
    if ((plan.WorkersOf(*entry) >> worker & 1) == 0) continue;
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
                    .node = worker->node(),
                    .running = !worker->paused(),
                    .tasks = load.tasks,
                    .classes = load.classes,
                    .dead_ends = DeadEnds(*running, id),
                    .stats = worker->stats(),
                    .stalls = watchdog_.history(id)});
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
  {
    absl::MutexLock lock(&state_);
    workers_[id] = std::move(worker);
  }
  ClearCores();
}

void Engine::ClearCores() {
  std::set<int> cores;
  std::set<pid_t> threads;
  {
    absl::MutexLock lock(&state_);
    for (const auto& [id, worker] : workers_) {
      cores.insert(worker->core());
      threads.insert(worker->thread());
    }
  }
  KeepOff(cores, threads);
}

void Engine::StartDefaultWorker() {
  draft_->workers[0] = options_.default_core >= 0 ? options_.default_core : AllowedCores().back();
  draft_->default_worker = true;
}

void Engine::StopWorker(uint32_t id) {
  std::unique_ptr<Worker> worker;
  {
    absl::MutexLock lock(&state_);
    worker = std::move(workers_.extract(id).mapped());
    watchdog_.Forget(id);
  }
  // Another worker may be about to ring.
  std::shared_ptr<Bell> bell = worker->bell();
  worker.reset();
  rcu_.Retire([bell = std::move(bell)] {});
  ClearCores();
}

std::map<uint32_t, int> Engine::RunningWorkers() const {
  absl::MutexLock lock(&state_);
  std::map<uint32_t, int> cores;
  for (const auto& [id, worker] : workers_) cores[id] = worker->core();
  return cores;
}

void Engine::StartNewWorkers() {
  for (const auto& [id, core] : draft_->workers) {
    if (FindWorker(id).ok()) continue;
    StartWorker(id, core);
    draft_->started.push_back(id);
  }
}

void Engine::MoveWorkers() {
  for (const auto& [id, core] : RunningWorkers()) {
    const auto wanted = draft_->workers.find(id);
    if (wanted == draft_->workers.end() || wanted->second == core) continue;
    StopWorker(id);
    StartWorker(id, wanted->second);
  }
}

void Engine::StopOldWorkers(const std::map<uint32_t, int>& wanted) {
  for (const auto& [id, core] : RunningWorkers()) {
    if (!wanted.contains(id)) StopWorker(id);
  }
}

absl::Status Engine::CheckCore(int64_t core) {
  const std::vector<int> cores = AllowedCores();
  if (std::find(cores.begin(), cores.end(), core) != cores.end()) return absl::OkStatus();
  return Error(EINVAL, "'core' must be one of the CPUs this process may use (",
               absl::StrJoin(cores, ", "), "), not ", core);
}

absl::Status Engine::AddWorker(int64_t id, int64_t core, std::string_view scheduler) {
  BESS_RETURN_IF_ERROR(CheckWorkerId(id));
  BESS_RETURN_IF_ERROR(CheckCore(core));
  if (!scheduler.empty() && scheduler != "experimental") {
    return Error(EINVAL, "'scheduler' must be '' or 'experimental', not '", scheduler, "'");
  }
  Transaction transaction(*this);
  const auto worker = static_cast<uint32_t>(id);
  // The default worker, which nobody asked for, moves to where it is wanted.
  if (draft_->workers.contains(worker) && (id != 0 || !draft_->default_worker)) {
    return Error(EEXIST, "worker ", id, " exists already");
  }
  draft_->workers[worker] = static_cast<int>(core);
  if (id == 0) draft_->default_worker = false;
  return transaction.Commit(absl::StrCat("AddWorker ", id));
}

absl::Status Engine::DestroyWorker(int64_t id) {
  BESS_RETURN_IF_ERROR(CheckWorkerId(id));
  Transaction transaction(*this);
  const auto worker = static_cast<uint32_t>(id);
  if (!draft_->workers.contains(worker)) return Error(ENOENT, "there is no worker ", id);
  ClassTree& classes = draft_->graph.classes;
  if (const Load load = LoadOf(classes, worker); load.tasks > 0) {
    return Error(EBUSY, "worker ", id, " has ", load.tasks, " task(s) attached");
  }
  draft_->workers.erase(worker);
  if (id == 0) draft_->default_worker = false;
  Unassign(classes, worker);  // classes without tasks go to another worker
  return transaction.Commit(absl::StrCat("DestroyWorker ", id));
}

absl::Status Engine::ResetWorkers() {
  Transaction transaction(*this);
  for (const auto& [worker, core] : draft_->workers) Unassign(draft_->graph.classes, worker);
  draft_->workers.clear();
  draft_->default_worker = false;
  draft_->leave_orphans = true;
  draft_->next_worker = 0;
  return transaction.Commit("ResetWorkers");
}

absl::Status Engine::PauseAll() {
  absl::MutexLock lock(&edits_);
  paused_ = true;
  absl::Status first_error;
  for (const WorkerStatus& status : ListWorkers()) {
    first_error.Update(Pause(**FindWorker(status.id)));
  }
  // So that the books are true from here on: what left the graph before has its end now.
  WaitForWorkers();
  return first_error;
}

absl::Status Engine::ResumeAll() {
  absl::MutexLock lock(&edits_);
  paused_ = false;
  // What waited for a worker gets one now.
  Begin();
  const absl::Status committed = Commit({.comment = "ResumeAll"}).status();
  End();
  RunResumeHooks();
  for (const WorkerStatus& status : ListWorkers()) (*FindWorker(status.id))->Resume();
  return committed;
}

absl::Status Engine::PauseWorker(int64_t id) {
  absl::MutexLock lock(&edits_);
  BESS_ASSIGN_OR_RETURN(Worker * worker, FindWorker(id));
  return Pause(*worker);
}

absl::Status Engine::ResumeWorker(int64_t id) {
  absl::MutexLock lock(&edits_);
  BESS_ASSIGN_OR_RETURN(Worker * worker, FindWorker(id));
  worker->Resume();
  return absl::OkStatus();
}

absl::Status Engine::Pause(Worker& worker) {
  const absl::Status paused = worker.Pause(kMaxPause);
  if (paused.ok()) return paused;
  return {paused.code(), absl::StrCat(AbslView(paused.message()), "; ", WhoIsStuck())};
}

void Engine::RingWorkers() const {
  absl::MutexLock lock(&state_);
  for (const auto& [id, worker] : workers_) worker->Ring();
}

// --- What is wrong with them --------------------------------------------------------------------

void Engine::WatchWorkers() {
  std::vector<Stall> news;
  {
    absl::MutexLock lock(&state_);
    for (const auto& [id, worker] : workers_) {
      if (auto stall = watchdog_.Look(*worker, *plan_->graph)) news.push_back(*std::move(stall));
    }
  }
  for (const Stall& stall : news) {
    if (stall.over) {
      spdlog::warn("worker {} came back from module '{}' after {} of CPU time", stall.worker,
                   stall.module, absl::FormatDuration(stall.cpu));
    } else {
      spdlog::error("{}", stall.Text());
    }
  }
}

std::string Engine::WhoIsStuck() const {
  absl::MutexLock lock(&state_);
  const auto stall = watchdog_.Lasting();
  return stall ? stall->Text() : "a worker does not come back from a module";
}

std::vector<Misplacement> Engine::FindMisplacements() const {
  const auto running = plan();
  return FindMisplacements(*running);
}

std::vector<Misplacement> Engine::FindMisplacements(const Plan& plan) const {
  std::vector<Misplacement> found;
  if (plan.choosy.empty()) return found;
  absl::MutexLock lock(&state_);
  for (const auto& [id, worker] : workers_) {
    const int node = worker->node();
    for (const ModuleEntry* entry : plan.choosy) {
      const Module& module = *entry->module;
      if ((plan.WorkersOf(*entry) >> id & 1) == 0) continue;
      if (node < 0 || (module.numa_nodes() >> node & 1) != 0) continue;
      Misplacement& each = found.emplace_back();
      each = {module.name(), {}, module.numa_nodes(), id, node, worker->core()};
      for (uint32_t task = 0; task < module.tasks().size(); ++task) {
        const std::string leaf = LeafName(module.name(), task);
        if (plan.graph->classes.WorkerOf(leaf) == id) each.leaves.push_back(leaf);
      }
    }
  }
  return found;
}

}  // namespace bess
