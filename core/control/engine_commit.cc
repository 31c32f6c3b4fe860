// SPDX-License-Identifier: Apache-2.0
//
// How a transaction of the engine begins, is committed, or is taken back.
//
// All that can fail comes first: compiling, letting go of what moves, writing to the journal,
// telling modules. Publishing the plan cannot fail, and what follows only tidies up.
#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/base/clock.h"
#include "core/control/engine.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

// Gives each class that hangs nowhere one of `workers`, in turn; returns whose turn is next.
uint32_t AssignOrphans(ClassTree& classes, const std::vector<uint32_t>& workers, uint32_t first) {
  for (const std::string& name : classes.Orphans()) {
    classes.Assign(name, workers[first++ % workers.size()]);
  }
  return first;
}

// Once: several readers of one attribute may warn alike.
std::vector<std::string> WarningsOf(const Plan& plan) {
  const auto& all = plan.warnings;
  const std::set<std::string> once(all.begin(), all.end());
  return {once.begin(), once.end()};
}

}  // namespace

Transaction::Transaction(Engine& engine) : engine_(engine), joined_(engine.InTransaction()) {
  if (joined_) return;
  engine_.edits_.Lock();
  engine_.Begin();
}

Transaction::Transaction(Engine& engine, std::try_to_lock_t)
    : engine_(engine), joined_(false), open_(engine.edits_.TryLock()) {
  if (open_) engine_.Begin();
}

Transaction::~Transaction() {
  if (joined_ || !open_) return;
  engine_.End();
  engine_.edits_.Unlock();
}

absl::Status Transaction::Expect(uint64_t version) const { return engine_.CheckVersion(version); }

absl::StatusOr<CommitResult> Transaction::CommitWith(const CommitOptions& options) {
  if (joined_) return CommitResult{};
  return engine_.Commit(options);
}

void Engine::Begin() {
  const auto before = plan();
  draft_.emplace();
  draft_->graph = *before->graph;
  draft_->graph.attributes = before->places;
  draft_->workers = RunningWorkers();
  draft_->default_worker = default_worker_;
  draft_->next_worker = next_worker_;
  draft_->name_counters = name_counters_;
  draft_->resume_hooks = resume_hooks_;
  draft_->port_confs = port_confs_;
  owner_.store(std::this_thread::get_id());
}

void Engine::End() {
  const auto settings = std::move(draft_->old_settings);
  const auto ports = std::move(draft_->new_ports);
  const auto workers = std::move(draft_->started);
  draft_.reset();  // and with it the modules it made, which use the ports
  ports_.NobodyLeaves();
  for (auto old = settings.rbegin(); old != settings.rend(); ++old) {
    ports_.Configure(old->first, old->second).IgnoreError();
  }
  for (const std::string& port : ports) DestroyWhenFree(port);
  for (const uint32_t worker : workers) StopWorker(worker);
  owner_.store(std::thread::id());
}

absl::Status Engine::CheckVersion(uint64_t expected) const {
  const uint64_t version = history_.version();
  if (expected == 0 || expected == version) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the configuration is at version ", version, ", not ", expected));
}

absl::StatusOr<CommitResult> Engine::Commit(const CommitOptions& options) {
  BESS_RETURN_IF_ERROR(Obstacle("compile"));
  BESS_ASSIGN_OR_RETURN(auto compiled, CompileWithTasks());
  CommitResult result{.version = history_.version(), .warnings = WarningsOf(*compiled)};
  if (options.strict && !result.warnings.empty()) {
    return Error(EBUSY, absl::StrJoin(result.warnings, "; "));
  }
  result.changes = Joined(draft_->untold, Changes(*plan()->graph, *compiled->graph));
  if (options.dry_run) return result;
  BESS_RETURN_IF_ERROR(Switch(std::move(compiled), NextCommit(options.comment, result.changes)));
  result.version = history_.version();
  return result;
}

native::Commit Engine::NextCommit(std::string comment,
                                  const std::vector<native::Change>& changes) const {
  native::Commit commit;
  commit.mutable_changes()->Assign(changes.begin(), changes.end());
  Stamp(std::move(comment), &commit);
  return commit;
}

void Engine::Stamp(std::string comment, native::Commit* commit) const {
  commit->set_version(history_.version() + 1);
  commit->set_timestamp(WallSeconds());
  commit->set_comment(std::move(comment));
  commit->set_num_changes(static_cast<uint32_t>(commit->changes_size()));
}

bool Engine::NeedsDefaultWorker() const {
  if (paused_ || draft_->leave_orphans || !draft_->workers.empty()) return false;
  const auto& modules = draft_->graph.modules;
  return std::any_of(modules.begin(), modules.end(), [](const auto& module) {
    return !module.second->module->tasks().empty() && !module.second->out.empty();
  });
}

absl::StatusOr<std::unique_ptr<Plan>> Engine::CompileWithTasks() {
  if (NeedsDefaultWorker()) StartDefaultWorker();
  std::vector<uint32_t> workers;
  for (const auto& [id, core] : draft_->workers) workers.push_back(id);
  Graph& graph = draft_->graph;
  const auto running = plan();
  if (paused_ || draft_->leave_orphans || workers.empty() || graph.classes.Orphans().empty()) {
    return Compile(std::make_shared<const Graph>(std::move(graph)), running.get());
  }
  // A module may be limited to fewer workers than would reach it: try each start of the turn.
  absl::Status first_error;
  for (size_t attempt = 0; attempt < workers.size(); ++attempt) {
    Graph assigned = graph;
    const uint32_t next = AssignOrphans(assigned.classes, workers,
                                        draft_->next_worker + static_cast<uint32_t>(attempt));
    auto plan = Compile(std::make_shared<const Graph>(std::move(assigned)), running.get());
    if (plan.ok()) {
      draft_->next_worker = next;
      return plan;
    }
    if (attempt == 0) first_error = plan.status();
  }
  return first_error;
}

// --- From one plan to the next ------------------------------------------------------------------

absl::Status Engine::Switch(std::unique_ptr<Plan> next, native::Commit commit) {
  std::shared_ptr<const Plan> before = plan();
  StartNewWorkers();
  BESS_RETURN_IF_ERROR(Obstacle("let go"));
  BESS_RETURN_IF_ERROR(LetGo(*before, *next));
  const bool between = plan() != before;
  absl::Status ahead = WriteAhead(commit);
  if (ahead.ok()) {
    ahead = TellModules();
    if (!ahead.ok() && journal_ != nullptr && commit.changes_size() > 0) {
      journal_->Undo().IgnoreError();
    }
  }
  if (!ahead.ok()) {
    if (between) Publish(*Compile(before->graph, plan().get()));
    return ahead;
  }
  MoveWorkers();
  Publish(std::move(next));
  before.reset();  // it would keep what is to be freed
  Draft done = std::exchange(*draft_, Draft());
  StopOldWorkers(done.workers);
  default_worker_ = done.default_worker;
  next_worker_ = done.next_worker;
  name_counters_ = std::move(done.name_counters);
  resume_hooks_ = done.resume_hooks;
  port_confs_ = done.port_confs;
  if (commit.changes_size() > 0) Record(std::move(commit));
  RetireAll(std::move(done));
  return absl::OkStatus();
}

absl::Status Engine::WriteAhead(const native::Commit& commit) {
  BESS_RETURN_IF_ERROR(Obstacle("journal"));
  if (journal_ == nullptr || commit.changes_size() == 0) return absl::OkStatus();
  return journal_->Append(commit);
}

void Engine::Record(native::Commit commit) {
  history_.Add(std::move(commit));
  if (journal_ == nullptr || !journal_->overgrown()) return;
  const absl::Status rewritten = journal_->Rewrite(history_);
  if (!rewritten.ok()) spdlog::error("the journal grows: {}", std::string(rewritten.message()));
}

void Engine::RetireAll(Draft done) {
  const bool wait = !done.gone.empty() || !done.old_ports.empty();
  for (auto& [sender, edge] : done.cut) RetireEdge(std::move(sender), std::move(edge));
  for (auto& module : done.gone) RetireModule(std::move(module));
  for (std::string& port : done.old_ports) DestroyWhenFree(std::move(port));
  if (wait) WaitForWorkers();
}

void Engine::DestroyWhenFree(std::string port) {
  const absl::Status gone = ports_.Destroy(port);
  if (StatusErrno(gone) != EBUSY) return;
  rcu_.Retire([this, port = std::move(port)] { DestroyWhenFree(port); });
}

void Engine::LogWarnings(const Plan& plan) {
  if (paused_) return;
  std::set<std::string> warnings(plan.warnings.begin(), plan.warnings.end());
  for (const Misplacement& each : FindMisplacements(plan)) {
    warnings.insert(absl::StrCat("worker ", each.worker, " runs module '", each.module,
                                 "' on NUMA node ", each.node, ", far from its port"));
  }
  for (const std::string& warning : warnings) {
    if (!logged_warnings_.contains(warning)) spdlog::warn("{}", warning);
  }
  logged_warnings_ = std::move(warnings);
}

void Engine::Publish(std::unique_ptr<Plan> plan) {
  LogWarnings(*plan);
  plan->sequence = ++sequence_;
  for (const uint32_t part : plan->made) {
    plan->parts[part]->TellModules();
  }
  PlaceHooks(*plan);
  std::shared_ptr<const Plan> published = std::move(plan);
  current_.store(published.get(), std::memory_order_seq_cst);
  {
    absl::MutexLock lock(&state_);
    plan_.swap(published);
  }
  RingWorkers();
  rcu_.Retire([old = std::move(published)] {});
}

}  // namespace bess
