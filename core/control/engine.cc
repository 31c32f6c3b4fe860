// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/graph/track.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

constexpr absl::Duration kGraceTimeout = absl::Milliseconds(500);
constexpr absl::Duration kHousekeeping = absl::Milliseconds(10);

// "L2Forward" -> "l2_forward".
std::string SnakeCase(std::string_view name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool upper = std::isupper(static_cast<unsigned char>(name[i])) != 0;
    const bool after_lower = i > 0 && std::isupper(static_cast<unsigned char>(name[i - 1])) == 0;
    if (upper && after_lower) snake.push_back('_');
    snake.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(name[i]))));
  }
  return snake;
}

// Gives each class that hangs nowhere one of `workers`, in turn; returns whose turn is next.
uint32_t AssignOrphans(ClassTree& classes, const std::vector<uint32_t>& workers, uint32_t first) {
  for (const std::string& name : classes.Orphans()) {
    classes.Assign(name, workers[first++ % workers.size()]);
  }
  return first;
}

}  // namespace

Engine::Engine(EngineOptions options, PacketPool& pool)
    : options_(std::move(options)), pool_(pool), ports_(pool) {
  absl::MutexLock lock(&edits_);
  auto empty = Compile(std::make_shared<const Graph>());
  Publish(*std::move(empty));
  housekeeper_ = std::thread([this] { Housekeeping(); });
}

Engine::~Engine() {
  {
    absl::MutexLock lock(&edits_);
    for (const WorkerStatus& worker : ListWorkers()) StopWorker(worker.id);
    Commit([&](Graph& graph) {
      for (const auto& [name, entry] : graph.modules) RetireModule(entry->module);
      graph = Graph();
      return absl::OkStatus();
    }).IgnoreError();
    resume_hooks_.clear();
    UnloadAllPlugins();
  }
  {
    absl::MutexLock lock(&state_);
    stop_ = true;
  }
  housekeeper_.join();
  rcu_.Reap();
}

absl::StatusOr<std::unique_ptr<PortLease>> Engine::LeasePort(std::string_view port,
                                                             Direction direction,
                                                             std::string_view module,
                                                             uint64_t queue) {
  return ports_.Lease(port, direction, module, queue);
}

void Engine::Retire(std::function<void()> free) { rcu_.Retire(std::move(free)); }

void Engine::Housekeeping() {
  absl::MutexLock lock(&state_);
  while (!stop_) {
    state_.AwaitWithTimeout(absl::Condition(&stop_), kHousekeeping);
    state_.Unlock();
    RemoveFinishedHooks();
    rcu_.Reap();
    state_.Lock();
  }
}

std::shared_ptr<const Plan> Engine::plan() const {
  absl::MutexLock lock(&state_);
  return plan_;
}

LedgerTotals Engine::departed() const {
  absl::MutexLock lock(&state_);
  return departed_;
}

// --- Committing ---------------------------------------------------------------------------------

absl::Status Engine::Commit(Edit edit) {
  const std::shared_ptr<const Plan> before = plan();
  Graph graph = *before->graph;
  graph.attributes = before->metadata.places;
  BESS_RETURN_IF_ERROR(edit(graph));
  BESS_ASSIGN_OR_RETURN(auto plan, CompileWithTasks(std::move(graph)));
  BESS_RETURN_IF_ERROR(LetGo(*before, *plan));
  Publish(std::move(plan));
  return absl::OkStatus();
}

bool Engine::NeedsDefaultWorker(const Graph& graph) const {
  if (paused_ || !ListWorkers().empty()) return false;
  return std::any_of(graph.modules.begin(), graph.modules.end(), [](const auto& module) {
    return !module.second->module->tasks().empty() && !module.second->out.empty();
  });
}

absl::StatusOr<std::unique_ptr<Plan>> Engine::CompileWithTasks(Graph graph) {
  if (NeedsDefaultWorker(graph)) {
    StartDefaultWorker();
  }
  std::vector<uint32_t> workers;
  for (const WorkerStatus& worker : ListWorkers()) workers.push_back(worker.id);
  if (paused_ || workers.empty()) {
    return Compile(std::make_shared<const Graph>(std::move(graph)));
  }
  // A module may be limited to fewer workers than would reach it: try each start of the turn.
  absl::Status first_error;
  for (size_t attempt = 0; attempt < workers.size(); ++attempt) {
    Graph assigned = graph;
    const uint32_t next =
        AssignOrphans(assigned.classes, workers, next_worker_ + static_cast<uint32_t>(attempt));
    auto plan = Compile(std::make_shared<const Graph>(std::move(assigned)));
    if (plan.ok()) {
      next_worker_ = next;
      return plan;
    }
    if (attempt == 0) first_error = plan.status();
  }
  return first_error;
}

void Engine::LogWarnings(const Plan& plan) {
  if (paused_) return;
  std::set<std::string> warnings(plan.metadata.warnings.begin(), plan.metadata.warnings.end());
  for (const std::string& warning : warnings) {
    if (!logged_warnings_.contains(warning)) spdlog::warn("{}", warning);
  }
  logged_warnings_ = std::move(warnings);
}

void Engine::Publish(std::unique_ptr<Plan> plan) {
  LogWarnings(*plan);
  plan->sequence = ++sequence_;
  for (const auto& [name, entry] : plan->graph->modules) {
    const auto placed = plan->placement.find(entry->module.get());
    if (placed != plan->placement.end()) entry->module->Placed(placed->second);
  }
  PlaceHooks(*plan);
  std::shared_ptr<const Plan> published = std::move(plan);
  current_.store(published.get(), std::memory_order_release);
  {
    absl::MutexLock lock(&state_);
    plan_.swap(published);
  }
  rcu_.Retire([old = std::move(published)] {});
}

void Engine::WaitForWorkers() {
  const absl::Time deadline = absl::Now() + kGraceTimeout;
  while (rcu_.Reap() > 0 && absl::Now() < deadline) absl::SleepFor(absl::Microseconds(20));
}

void Engine::RetireModule(std::shared_ptr<Module> module) {
  rcu_.Retire([this, module = std::move(module)] {
    const uint64_t discarded = module->Discard();
    auto& dropped = module->ledger(kControlCell).dropped;
    dropped[static_cast<size_t>(DropReason::kModuleRemoved)].Add(discarded);
    absl::MutexLock lock(&state_);
    departed_ += module->totals();
  });
}

void Engine::RetireEdge(std::shared_ptr<Module> sender, std::shared_ptr<Edge> edge) {
  rcu_.Retire([sender = std::move(sender), edge = std::move(edge)] {
    auto& dropped = sender->ledger(kControlCell).dropped;
    dropped[static_cast<size_t>(DropReason::kModuleRemoved)].Add(edge->Discard());
  });
}

// --- Modules ------------------------------------------------------------------------------------

std::string Engine::GenerateName(const ModuleClass& mclass, const Graph& graph) {
  const std::string_view template_name = mclass.info.template_name;
  const std::string stem =
      template_name.empty() ? SnakeCase(mclass.info.name) : std::string(template_name);
  uint64_t& counter = name_counters_[stem];
  std::string name;
  do {
    name = absl::StrCat(stem, counter++);
  } while (graph.modules.contains(name));
  return name;
}

absl::StatusOr<std::string> Engine::CreateModule(std::string_view name, std::string_view mclass,
                                                 const google::protobuf::Any& argument) {
  if (mclass.empty()) return Error(EINVAL, "'mclass' is missing: which class is the module of?");
  absl::MutexLock lock(&edits_);
  const auto found = ModuleRegistry::Get().Find(mclass);
  if (found == nullptr) return Error(ENOENT, "there is no module class '", mclass, "'");
  const auto graph = plan()->graph;
  const std::string chosen = name.empty() ? GenerateName(*found, *graph) : std::string(name);
  if (graph->modules.contains(chosen)) {
    return Error(EEXIST, "there is a module '", chosen, "' already");
  }
  BESS_ASSIGN_OR_RETURN(const auto module, found->Create(chosen, *this, argument));
  BESS_RETURN_IF_ERROR(Commit([&](Graph& edited) {
    edited.Add(module, argument);
    return absl::OkStatus();
  }));
  return chosen;
}

absl::Status Engine::DestroyModule(std::string_view name) {
  if (name.empty()) return Error(EINVAL, "'name' is missing: which module?");
  absl::MutexLock lock(&edits_);
  std::shared_ptr<Module> module;
  std::vector<std::pair<std::shared_ptr<Module>, std::shared_ptr<Edge>>> edges;
  BESS_RETURN_IF_ERROR(Commit([&](Graph& graph) -> absl::Status {
    if (const ModuleEntry* entry = graph.Find(name)) module = entry->module;
    BESS_ASSIGN_OR_RETURN(edges, graph.Remove(name));
    return absl::OkStatus();
  }));
  for (auto& [sender, edge] : edges) RetireEdge(std::move(sender), std::move(edge));
  RetireModule(std::move(module));
  WaitForWorkers();
  return absl::OkStatus();
}

absl::Status Engine::ResetModules() {
  absl::MutexLock lock(&edits_);
  const auto graph = plan()->graph;
  BESS_RETURN_IF_ERROR(Commit([](Graph& edited) {
    edited.RemoveAll();
    return absl::OkStatus();
  }));
  for (const auto& [name, entry] : graph->modules) {
    for (const auto& [ogate, out] : entry->out) RetireEdge(entry->module, out.edge);
    RetireModule(entry->module);
  }
  name_counters_.clear();
  WaitForWorkers();
  return absl::OkStatus();
}

absl::Status Engine::Connect(std::string_view from, uint64_t ogate, std::string_view to,
                             uint64_t igate, bool default_hooks) {
  if (from.empty() || to.empty()) return Error(EINVAL, "'m1' and 'm2' must both name a module");
  absl::MutexLock lock(&edits_);
  Hooks hooks;
  if (default_hooks) {
    const auto track = HookRegistry::Get().Find(Track::kInfo.name);
    const std::string name = absl::StrCat("track", name_counters_["track"]++);
    BESS_ASSIGN_OR_RETURN(auto hook, track->Create(name, google::protobuf::Any()));
    hooks.push_back(std::move(hook));
  }
  return Commit([&](Graph& graph) { return graph.Connect(from, ogate, to, igate, hooks); });
}

absl::Status Engine::Disconnect(std::string_view from, uint64_t ogate) {
  if (from.empty()) return Error(EINVAL, "'name' is missing: which module?");
  absl::MutexLock lock(&edits_);
  std::shared_ptr<Module> sender;
  std::shared_ptr<Edge> edge;
  BESS_RETURN_IF_ERROR(Commit([&](Graph& graph) -> absl::Status {
    if (const ModuleEntry* entry = graph.Find(from)) sender = entry->module;
    BESS_ASSIGN_OR_RETURN(edge, graph.Disconnect(from, ogate));
    return absl::OkStatus();
  }));
  if (edge != nullptr) RetireEdge(std::move(sender), std::move(edge));
  return absl::OkStatus();
}

absl::Status Engine::RunCommand(std::string_view module, std::string_view command,
                                const google::protobuf::Any& argument,
                                google::protobuf::Any* reply) {
  if (module.empty()) return Error(EINVAL, "'name' is missing: which module?");
  absl::MutexLock lock(&edits_);
  const auto graph = plan()->graph;
  const ModuleEntry* entry = graph->Find(module);
  if (entry == nullptr) return Error(ENOENT, "there is no module '", module, "'");
  const absl::Status status = entry->module->mclass().Run(*entry->module, command, argument, reply);
  if (command == "get_initial_arg" && StatusErrno(status) == ENOTSUP) {
    *reply = entry->argument;
    return absl::OkStatus();
  }
  return status;
}

// --- Reset --------------------------------------------------------------------------------------

absl::Status Engine::ResetAll() {
  BESS_RETURN_IF_ERROR(ResetModules());
  BESS_RETURN_IF_ERROR(ports_.Reset());
  BESS_RETURN_IF_ERROR(ResetClasses());
  return ResetWorkers();
}

}  // namespace bess
