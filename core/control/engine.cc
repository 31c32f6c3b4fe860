// SPDX-License-Identifier: Apache-2.0
#include "core/control/engine.h"

#include <pthread.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/graph/track.h"

namespace bess {
namespace {

constexpr absl::Duration kGraceTimeout = absl::Milliseconds(500);
constexpr absl::Duration kHousekeeping = absl::Milliseconds(10);
constexpr absl::Duration kHousekeepingAsleep = absl::Milliseconds(100);

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

}  // namespace

Engine::Engine(EngineOptions options, PacketPool& pool)
    : options_(std::move(options)), pool_(pool), ports_(pool) {
  absl::MutexLock lock(&edits_);
  auto empty = Compile(std::make_shared<const Graph>());
  Publish(*std::move(empty));
  housekeeper_ = std::thread([this] { Housekeeping(); });
  pthread_setname_np(housekeeper_.native_handle(), "housekeeper");
}

Engine::~Engine() {
  {
    absl::MutexLock lock(&edits_);
    for (const WorkerStatus& worker : ListWorkers()) StopWorker(worker.id);
    journal_.reset();
    resume_hooks_.clear();
  }
  ResetModules().IgnoreError();
  {
    absl::MutexLock lock(&edits_);
    UnloadAllPlugins();
  }
  {
    absl::MutexLock lock(&state_);
    stop_ = true;
  }
  housekeeper_.join();
  rcu_.Reap();
}

// A port that the transaction takes away is not there for modules it makes.
absl::StatusOr<std::unique_ptr<PortLease>> Engine::LeasePort(std::string_view port,
                                                             Direction direction,
                                                             std::string_view module,
                                                             uint64_t queue) {
  Transaction transaction(*this);
  if (const auto it = draft_->pretended.find(port); it != draft_->pretended.end()) {
    return PretendedLease::Take(it->second.port, direction, queue);
  }
  if (draft_->copying) {
    std::shared_ptr<PretendedPort> stand_in;
    BESS_RETURN_IF_ERROR(ports_.Visit(port, [&](const Port& real, const auto&) {
      stand_in = std::make_shared<PretendedPort>(real.name(), real.shape());
    }));
    return PretendedLease::Take(std::move(stand_in), direction, queue);
  }
  if (Leaves(port)) return Error(ENOENT, "there is no port '", port, "' any more");
  bool takes_over = false;
  BESS_ASSIGN_OR_RETURN(auto lease, ports_.Lease(port, direction, module, queue, &takes_over));
  if (takes_over) draft_->taking_over.emplace_back(module);
  return lease;
}

void Engine::Retire(std::function<void()> free) { rcu_.Retire(std::move(free)); }

void Engine::Housekeeping() {
  absl::MutexLock lock(&state_);
  while (!stop_) {
    const bool asleep = std::all_of(workers_.begin(), workers_.end(),
                                    [](const auto& worker) { return worker.second->asleep(); });
    state_.AwaitWithTimeout(absl::Condition(&stop_), asleep ? kHousekeepingAsleep : kHousekeeping);
    state_.Unlock();
    WatchWorkers();
    RemoveFinishedHooks();
    rcu_.Reap();
    state_.Lock();
  }
}

std::shared_ptr<const Plan> Engine::plan() const {
  absl::MutexLock lock(&state_);
  return plan_;
}

std::shared_ptr<const Graph> Engine::graph() const {
  if (!InTransaction()) return plan()->graph;
  return {std::shared_ptr<const Graph>(), &draft_->graph};
}

LedgerTotals Engine::departed() const {
  absl::MutexLock lock(&state_);
  return departed_;
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

std::string Engine::GenerateName(const ModuleClass& mclass) {
  const std::string_view template_name = mclass.info.template_name;
  const std::string stem =
      template_name.empty() ? SnakeCase(mclass.info.name) : std::string(template_name);
  return NextName(stem,
                  [&](const std::string& name) { return draft_->graph.modules.contains(name); });
}

std::string Engine::NextName(const std::string& stem,
                             absl::FunctionRef<bool(const std::string&)> taken) {
  uint64_t& counter = draft_->name_counters[stem];
  std::string name;
  do {
    name = absl::StrCat(stem, counter++);
  } while (taken(name));
  return name;
}

absl::StatusOr<std::string> Engine::CreateModule(std::string_view name, std::string_view mclass,
                                                 const google::protobuf::Any& argument) {
  if (mclass.empty()) return Error(EINVAL, "'mclass' is missing: which class is the module of?");
  const auto found = ModuleRegistry::Get().Find(mclass);
  if (found == nullptr) return Error(ENOENT, "there is no module class '", mclass, "'");
  Transaction transaction(*this);
  const std::string chosen = name.empty() ? GenerateName(*found) : std::string(name);
  if (draft_->graph.modules.contains(chosen)) {
    return Error(EEXIST, "there is a module '", chosen, "' already");
  }
  BESS_ASSIGN_OR_RETURN(auto module, found->Create(chosen, *this, argument));
  draft_->graph.Add(std::move(module), argument);
  native::Module& told = draft_->told[chosen];
  told.Clear();
  told.set_name(chosen);
  told.set_mclass(std::string(mclass));
  if (!argument.type_url().empty()) *told.mutable_arg() = argument;
  BESS_RETURN_IF_ERROR(transaction.Commit(absl::StrCat("CreateModule ", chosen)));
  return chosen;
}

absl::Status Engine::DestroyModule(std::string_view name) {
  if (name.empty()) return Error(EINVAL, "'name' is missing: which module?");
  return DestroyModules({std::string(name)});
}

absl::Status Engine::DestroyModules(const std::set<std::string>& names) {
  Transaction transaction(*this);
  std::vector<std::shared_ptr<Module>> leaving;
  for (const std::string& name : names) {
    if (const ModuleEntry* entry = draft_->graph.Find(name)) leaving.push_back(entry->module);
  }
  BESS_ASSIGN_OR_RETURN(auto edges, draft_->graph.Remove(names));
  for (auto& module : leaving) Leave(std::move(module));
  std::move(edges.begin(), edges.end(), std::back_inserter(draft_->cut));
  return transaction.Commit(absl::StrCat("DestroyModule ", absl::StrJoin(names, " ")));
}

// One that was created in the same transaction has never run: nothing is to be waited for.
void Engine::Leave(std::shared_ptr<Module> module) {
  draft_->configs.erase(module->name());
  draft_->tell.erase(module->name());
  if (draft_->told.erase(module->name()) > 0) return;
  ports_.SetLeaving(module->name());
  draft_->gone.push_back(std::move(module));
}

absl::Status Engine::ResetModules() {
  Transaction transaction(*this);
  const auto modules = draft_->graph.modules;
  draft_->graph.RemoveAll();
  for (const auto& [name, entry] : modules) {
    for (const auto& [ogate, out] : entry->out) draft_->cut.emplace_back(entry->module, out.edge);
    Leave(entry->module);
  }
  draft_->name_counters.clear();
  return transaction.Commit("ResetModules");
}

absl::Status Engine::Connect(std::string_view from, uint64_t ogate, std::string_view to,
                             uint64_t igate, bool default_hooks) {
  if (from.empty() || to.empty()) return Error(EINVAL, "'m1' and 'm2' must both name a module");
  Transaction transaction(*this);
  Hooks hooks;
  std::string name;
  if (default_hooks) {
    const auto track = HookRegistry::Get().Find(Track::kInfo.name);
    name = absl::StrCat("track", draft_->name_counters["track"]++);
    BESS_ASSIGN_OR_RETURN(auto hook, track->Create(name, google::protobuf::Any()));
    hooks.push_back(std::move(hook));
  }
  Graph& graph = draft_->graph;
  BESS_RETURN_IF_ERROR(graph.Connect(from, ogate, to, igate, std::move(hooks)));
  graph.Edit(from).out.at(static_cast<uint32_t>(ogate)).default_hook = std::move(name);
  return transaction.Commit(absl::StrCat("ConnectModules ", AbslView(from), ":", ogate, " to ",
                                         AbslView(to), ":", igate));
}

absl::Status Engine::Disconnect(std::string_view from, uint64_t ogate) {
  if (from.empty()) return Error(EINVAL, "'name' is missing: which module?");
  Transaction transaction(*this);
  std::shared_ptr<Module> sender;
  if (const ModuleEntry* entry = draft_->graph.Find(from)) sender = entry->module;
  BESS_ASSIGN_OR_RETURN(auto edge, draft_->graph.Disconnect(from, ogate));
  if (edge != nullptr) draft_->cut.emplace_back(std::move(sender), std::move(edge));
  return transaction.Commit(absl::StrCat("DisconnectModules ", AbslView(from), ":", ogate));
}

// --- Reset --------------------------------------------------------------------------------------

absl::Status Engine::ResetAll() {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(ResetModules());
  BESS_RETURN_IF_ERROR(ResetPorts());
  BESS_RETURN_IF_ERROR(ResetClasses());
  BESS_RETURN_IF_ERROR(ResetWorkers());
  return transaction.Commit("ResetAll");
}

}  // namespace bess
