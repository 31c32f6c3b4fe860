// SPDX-License-Identifier: Apache-2.0
//
// From the present configuration to a wanted one, by the edits that clients could have asked for
// themselves, and only those that are needed. What goes makes room first, what comes follows; all
// of it is one transaction.
#include <algorithm>
#include <set>
#include <utility>

#include "core/control/describe.h"
#include "core/control/engine.h"
#include "core/control/remembered.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

absl::Status Tell(Module& module, const CommandList& commands) {
  google::protobuf::Any none;
  for (const native::Command& command : commands) {
    BESS_RETURN_IF_ERROR(module.mclass().Run(module, command.cmd(), command.arg(), &none));
  }
  return absl::OkStatus();
}

HookTarget TargetOf(const native::GateHook& hook) {
  const bool output = hook.gate_case() == native::GateHook::kOgate;
  return {.module = hook.module(),
          .output = output,
          .gate = output ? hook.ogate() : hook.igate(),
          .idle = true};
}

absl::StatusOr<TcParams> ParamsOf(const native::Class& wanted) {
  TcParams params = {.limit = wanted.limit(), .max_burst = wanted.max_burst()};
  BESS_ASSIGN_OR_RETURN(params.policy, ParseTcPolicy(wanted.policy()));
  if (params.policy == TcPolicy::kWeightedFair || params.policy == TcPolicy::kRateLimit) {
    BESS_ASSIGN_OR_RETURN(params.resource, ParseTcResource(wanted.resource()));
  }
  return params;
}

TcPlace PlaceOf(const native::Class& wanted) {
  TcPlace place{.parent = wanted.parent(), .worker = {}, .priority = {}, .share = {}};
  if (wanted.place_case() == native::Class::kWorker) place.worker = wanted.worker();
  if (wanted.rank_case() == native::Class::kPriority) place.priority = wanted.priority();
  if (wanted.rank_case() == native::Class::kShare) place.share = wanted.share();
  return place;
}

constexpr std::string_view kLeafPrefix = "!leaf_";

bool IsLeaf(const native::Class& tc) { return tc.name().starts_with(kLeafPrefix); }

// A place that is left open is the one it has at some worker.
bool SamePlace(const native::Class& now, const native::Class& wanted) {
  if (wanted.place_case() == native::Class::PLACE_NOT_SET && now.parent().empty()) return true;
  native::Class left = now, right = wanted;
  for (native::Class* tc : {&left, &right}) {
    tc->clear_policy();
    tc->clear_resource();
    tc->clear_limit();
    tc->clear_max_burst();
  }
  return left.SerializeAsString() == right.SerializeAsString();
}

}  // namespace

class Applier {
 public:
  Applier(Engine& engine, const Configuration& now, const Configuration& wanted, Problems* problems)
      : engine_(engine), now_(now), wanted_(wanted), problems_(problems) {}

  void Run() {
    RemoveResumeHooks();
    RemoveGateHooks();
    Disconnect();
    DecideModules();
    ChangePorts();
    AddWorkers();
    CreateModules();
    Connect();
    AddGateHooks();
    ChangeClasses();
    RemoveWorkers();
    AddResumeHooks();
  }

 private:
  void Note(const std::string& path, const absl::Status& status) {
    if (!status.ok()) problems_->push_back({path, status});
  }
  const native::Entry* Now(const std::string& path) const { return Find(now_, path); }
  const native::Entry* Wanted(const std::string& path) const { return Find(wanted_, path); }
  static const native::Entry* Find(const Configuration& all, const std::string& path) {
    const auto it = all.find(path);
    return it == all.end() ? nullptr : &it->second;
  }

  // --- Hooks

  void RemoveResumeHooks() {
    ForEachOf(now_, "resume_hooks/", [&](const std::string& path, const native::Entry& now) {
      const native::Entry* wanted = Wanted(path);
      const bool stays =
          wanted != nullptr && SameArgument(now.resume_hook().arg(), wanted->resume_hook().arg());
      if (!stays) Note(path, engine_.RemoveResumeHook(now.resume_hook().name()));
    });
  }

  void AddResumeHooks() {
    ForEachOf(wanted_, "resume_hooks/", [&](const std::string& path, const native::Entry& wanted) {
      const auto& hook = wanted.resume_hook();
      if (engine_.draft_->resume_hooks.contains(hook.name())) return;
      Note(path, engine_.AddResumeHook(hook.name(), hook.arg()));
    });
  }

  static bool SameHook(const native::GateHook& a, const native::GateHook& b) {
    return a.hclass() == b.hclass() && SameArgument(a.arg(), b.arg());
  }

  // The wanted entry that a hook answers to: one of its name, or one at its gate without a name.
  const native::Entry* WantedHook(const std::string& path, const native::GateHook& now) const {
    const native::Entry* wanted = Wanted(path);
    if (wanted == nullptr) wanted = Wanted(path.substr(0, path.rfind(':') + 1));
    if (wanted == nullptr || !SameHook(now, wanted->gate_hook())) return nullptr;
    return wanted;
  }

  void RemoveGateHooks() {
    ForEachOf(now_, "gate_hooks/", [&](const std::string& path, const native::Entry& now) {
      const auto& hook = now.gate_hook();
      if (const native::Entry* wanted = WantedHook(path, hook)) {
        present_.insert(PathOf(*wanted));
      } else {
        Note(path, engine_.RemoveHook(hook.hclass(), hook.name(), TargetOf(hook)));
      }
    });
  }

  // One that was there is still there unless its module or its connection is not.
  void AddGateHooks() {
    ForEachOf(wanted_, "gate_hooks/", [&](const std::string& path, const native::Entry& wanted) {
      const auto& hook = wanted.gate_hook();
      const bool renewed =
          made_.contains(hook.module()) || (hook.gate_case() == native::GateHook::kOgate &&
                                            connected_.contains({hook.module(), hook.ogate()}));
      if ((present_.contains(path) && !renewed) || failed_.contains(hook.module())) return;
      Note(path, AddGateHook(hook));
    });
  }

  // One that is shared, and at another gate already, goes to this gate, too.
  absl::Status AddGateHook(const native::GateHook& hook) {
    if (hook.gate_case() == native::GateHook::GATE_NOT_SET) {
      return Error(EINVAL, "'igate' or 'ogate' is missing: which gate?");
    }
    const auto same = [&](const std::shared_ptr<GateHook>& there) {
      return there->name() == hook.name() && there->hclass().info.shared &&
             there->hclass().info.name == hook.hclass() &&
             SameArgument(there->argument(), hook.arg());
    };
    std::shared_ptr<GateHook> shared;
    const auto look = [&](const Hooks& hooks) {
      const auto found = std::find_if(hooks.begin(), hooks.end(), same);
      if (found != hooks.end()) shared = *found;
    };
    for (const auto& [name, entry] : engine_.draft_->graph.modules) {
      for (const auto& [igate, hooks] : entry->in_hooks) look(hooks);
      for (const auto& [ogate, out] : entry->out) look(out.hooks);
    }
    if (shared != nullptr) return engine_.ShareHook(shared, TargetOf(hook));
    return engine_.AddHook(hook.hclass(), hook.name(), TargetOf(hook), hook.arg()).status();
  }

  // --- Connections

  void Disconnect() {
    ForEachOf(now_, "connections/", [&](const std::string& path, const native::Entry& now) {
      const native::Entry* wanted = Wanted(path);
      if (wanted != nullptr && wanted->SerializeAsString() == now.SerializeAsString()) return;
      Note(path, engine_.Disconnect(now.connection().from(), now.connection().ogate()));
    });
  }

  void Connect() {
    ForEachOf(wanted_, "connections/", [&](const std::string& path, const native::Entry& wanted) {
      const auto& link = wanted.connection();
      const ModuleEntry* from = engine_.draft_->graph.Find(link.from());
      if (from != nullptr && from->out.contains(link.ogate())) return;
      if (failed_.contains(link.from()) || failed_.contains(link.to())) return;
      Note(path, engine_.Connect(link.from(), link.ogate(), link.to(), link.igate(),
                                 !link.skip_default_hooks()));
      connected_.emplace(link.from(), link.ogate());
    });
  }

  // --- Modules

  void DecideModules() {
    std::set<std::string> leaving;
    ForEachOf(now_, "modules/", [&](const std::string& path, const native::Entry& now) {
      const native::Entry* wanted = Wanted(path);
      if (wanted != nullptr && Keep(path, now.module(), wanted->module())) return;
      leaving.insert(now.module().name());
    });
    Note("modules", engine_.DestroyModules(leaving));
  }

  // Whether the module can stay, told what is new; else it gives way to another.
  bool Keep(const std::string& path, const native::Module& now, const native::Module& wanted) {
    if (now.mclass() != wanted.mclass() || !SameArgument(now.arg(), wanted.arg())) return false;
    Module& module = *engine_.draft_->graph.Find(now.name())->module;
    if (!HasConfig(module.mclass())) return KeepByCommands(module, now, wanted);
    auto before = GetConfig(module);
    if (!before.ok()) return false;
    const bool as_it_is = wanted.has_config() && wanted.commands_size() == 0;
    if (as_it_is && SameArgument(*before, wanted.config())) return true;
    auto copy = MakeCopy(module, wanted);
    if (!copy.ok()) {
      Note(path, copy.status());
      return true;
    }
    const auto after = GetConfig(**copy);
    if (!after.ok() || SameArgument(*before, *after)) return after.ok();
    engine_.draft_->configs[now.name()] = {.rehearsal = *copy, .before = *before, .commands = {}};
    return true;
  }

  absl::StatusOr<std::shared_ptr<Module>> MakeCopy(Module& module, const native::Module& wanted) {
    engine_.draft_->copying = true;
    auto made = module.mclass().Create(module.name(), engine_, wanted.arg());
    engine_.draft_->copying = false;
    BESS_ASSIGN_OR_RETURN(auto copy, std::move(made));
    if (wanted.has_config()) BESS_RETURN_IF_ERROR(SetConfig(*copy, wanted.config()));
    BESS_RETURN_IF_ERROR(Tell(*copy, wanted.commands()));
    return copy;
  }

  // A class that cannot say what it was told: the module stays if it can be told what is missing,
  // and a copy of it takes all.
  bool KeepByCommands(Module& module, const native::Module& now, const native::Module& wanted) {
    const auto missing = WhatIsMissing(module.mclass(), now.commands(), wanted.commands());
    if (!missing || wanted.has_config()) return false;
    if (missing->empty()) return true;
    if (!MakeCopy(module, wanted).ok()) return false;
    engine_.draft_->tell[now.name()].assign(missing->begin(), missing->end());
    return true;
  }

  void CreateModules() {
    ForEachOf(wanted_, "modules/", [&](const std::string& path, const native::Entry& wanted) {
      const native::Module& module = wanted.module();
      if (engine_.draft_->graph.Find(module.name()) != nullptr) return;
      made_.insert(module.name());
      const absl::Status created = Create(module);
      if (!created.ok()) failed_.insert(module.name());
      Note(path, created);
    });
  }

  absl::Status Create(const native::Module& wanted) {
    BESS_RETURN_IF_ERROR(
        engine_.CreateModule(wanted.name(), wanted.mclass(), wanted.arg()).status());
    Module& module = *engine_.draft_->graph.Find(wanted.name())->module;
    if (wanted.has_config()) BESS_RETURN_IF_ERROR(SetConfig(module, wanted.config()));
    BESS_RETURN_IF_ERROR(Tell(module, wanted.commands()));
    engine_.draft_->told[wanted.name()] = wanted;
    return absl::OkStatus();
  }

  // --- Ports

  // One that is in both is the same (FindRenewal), but for its configuration.
  void ChangePorts() {
    ForEachOf(now_, "ports/", [&](const std::string& path, const native::Entry& now) {
      if (Wanted(path) == nullptr) Note(path, engine_.DestroyPort(now.port().name()));
    });
    ForEachOf(wanted_, "ports/", [&](const std::string& path, const native::Entry& wanted) {
      Note(path, ChangePort(wanted.port(), Now(path)));
    });
  }

  absl::Status ChangePort(const native::Port& port, const native::Entry* now) {
    if (now == nullptr) {
      BESS_RETURN_IF_ERROR(engine_.CreatePort(RequestOf(port)).status());
      return port.has_conf() ? engine_.ConfigurePort(port.name(), port.conf()) : absl::OkStatus();
    }
    const native::Port& old = now->port();
    const bool same = old.has_conf() == port.has_conf() &&
                      old.conf().SerializeAsString() == port.conf().SerializeAsString();
    if (same) return absl::OkStatus();
    return engine_.ReplacePortConf(port.name(),
                                   port.has_conf() ? std::optional(port.conf()) : std::nullopt);
  }

  // --- Workers and classes

  void AddWorkers() {
    ForEachOf(wanted_, "workers/", [&](const std::string& path, const native::Entry& wanted) {
      Note(path, PutWorker(wanted.worker()));
    });
  }

  absl::Status PutWorker(const native::Worker& worker) {
    if (worker.wid() >= kMaxWorkers) {
      return Error(EINVAL, "'wid' must be 0..", kMaxWorkers - 1, ", not ", worker.wid());
    }
    BESS_RETURN_IF_ERROR(Engine::CheckCore(worker.core()));
    engine_.draft_->workers[worker.wid()] = worker.core();
    if (worker.wid() == 0) engine_.draft_->default_worker = worker.automatic();
    return absl::OkStatus();
  }

  // Tasks of which nothing was said go where there is a worker.
  void RemoveWorkers() {
    const auto first = wanted_.lower_bound("workers/");
    const bool any = first != wanted_.end() && first->first.starts_with("workers/");
    ForEachOf(now_, "workers/", [&](const std::string& path, const native::Entry& now) {
      const native::Worker& worker = now.worker();
      if (Wanted(path) != nullptr || (worker.automatic() && !any)) return;
      for (const std::string& root : engine_.draft_->graph.classes.Roots(worker.wid())) {
        const native::Entry* placed = Wanted(absl::StrCat("classes/", root));
        const bool open =
            placed == nullptr || placed->class_().place_case() == native::Class::PLACE_NOT_SET;
        if (open) Detach(root);
      }
      Note(path, engine_.DestroyWorker(worker.wid()));
    });
  }

  void ChangeClasses() {
    const Configuration before = DescribeClasses();
    std::set<std::string> gone = RemoveClasses(before);
    std::vector<const native::Class*> pending;
    ForEachOf(wanted_, "classes/", [&](const std::string& path, const native::Entry& wanted) {
      const native::Class& tc = wanted.class_();
      const native::Entry* now = Find(before, path);
      const bool stays = now != nullptr && !gone.contains(tc.name());
      if (stays && !IsLeaf(tc)) Note(path, UpdateParams(now->class_(), tc));
      if (stays && SamePlace(now->class_(), tc) && !gone.contains(tc.parent())) return;
      if (stays) Detach(tc.name());
      pending.push_back(&tc);
    });
    PlaceAll(std::move(pending));
  }

  Configuration DescribeClasses() const {
    Configuration classes;
    for (const auto& [name, tc] : engine_.draft_->graph.classes.classes()) {
      DescribeClass(name, *tc, &classes);
    }
    return classes;
  }

  void Detach(const std::string& name) { engine_.draft_->graph.classes.Assign(name, std::nullopt); }

  // Takes out the inner classes that are not wanted, or not with their policy; returns them.
  std::set<std::string> RemoveClasses(const Configuration& before) {
    std::set<std::string> gone;
    for (const auto& [path, now] : before) {
      const native::Entry* wanted = Wanted(path);
      const bool stays = wanted != nullptr && wanted->class_().policy() == now.class_().policy();
      if (!IsLeaf(now.class_()) && !stays) gone.insert(now.class_().name());
    }
    for (const auto& [path, now] : before) {
      if (gone.contains(now.class_().name()) || gone.contains(now.class_().parent())) {
        Detach(now.class_().name());
      }
    }
    for (const std::string& name : gone) {
      Note(absl::StrCat("classes/", name), engine_.draft_->graph.classes.Remove(name));
    }
    return gone;
  }

  absl::Status UpdateParams(const native::Class& now, const native::Class& wanted) {
    BESS_ASSIGN_OR_RETURN(const TcParams params, ParamsOf(wanted));
    native::Class same = now;
    same.set_resource(wanted.resource());
    same.set_limit(wanted.limit());
    same.set_max_burst(wanted.max_burst());
    if (same.SerializeAsString() == now.SerializeAsString()) return absl::OkStatus();
    return engine_.UpdateClass(wanted.name(), params);
  }

  // Parents before their children.
  void PlaceAll(std::vector<const native::Class*> pending) {
    while (!pending.empty()) {
      const auto waits = [&](const native::Class* tc) {
        return std::any_of(pending.begin(), pending.end(), [&](const native::Class* other) {
          return other != tc && other->name() == tc->parent();
        });
      };
      auto ready = std::find_if_not(pending.begin(), pending.end(), waits);
      if (ready == pending.end()) ready = pending.begin();  // a circle: the tree says so
      Note(absl::StrCat("classes/", (*ready)->name()), Place(**ready));
      pending.erase(ready);
    }
  }

  absl::Status Place(const native::Class& wanted) {
    const std::string module = wanted.name().substr(0, wanted.name().rfind(':'));
    if (IsLeaf(wanted) && failed_.contains(module.substr(kLeafPrefix.size()))) {
      return absl::OkStatus();
    }
    if (IsLeaf(wanted) || engine_.draft_->graph.classes.Find(wanted.name()) != nullptr) {
      return engine_.MoveClass(wanted.name(), PlaceOf(wanted));
    }
    BESS_ASSIGN_OR_RETURN(const TcParams params, ParamsOf(wanted));
    return engine_.AddClass(wanted.name(), params, PlaceOf(wanted));
  }

  Engine& engine_;
  const Configuration& now_;
  const Configuration& wanted_;
  Problems* problems_;
  std::set<std::string> present_;  // wanted hooks that are there
  std::set<std::string> made_;     // modules
  std::set<std::string> failed_;   // of those
  std::set<std::pair<std::string, uint64_t>> connected_;
};

// --- The engine's part
// ----------------------------------------------------------------------------

absl::StatusOr<CommitResult> Engine::Apply(const Configuration& wanted,
                                           const CommitOptions& options, Problems* problems) {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(transaction.Expect(options.expected_version));
  const Configuration& now = history_.current();
  const Renewal renewal = FindRenewal(now, wanted);
  if (!renewal.empty()) return ApplyRenewing(renewal, wanted, options, problems);
  return ApplyFrom(now, wanted, options, problems);
}

void Engine::ApplyEdits(const Configuration& now, const Configuration& wanted, Problems* problems) {
  Applier(*this, now, wanted, problems).Run();
}

absl::StatusOr<CommitResult> Engine::ApplyFrom(const Configuration& now,
                                               const Configuration& wanted,
                                               const CommitOptions& options, Problems* problems) {
  ApplyEdits(now, wanted, problems);
  if (!problems->empty()) return problems->front().status;
  return Commit(options);
}

absl::StatusOr<Configuration> Engine::ConfigurationAt(uint64_t* version) {
  absl::MutexLock lock(&edits_);
  if (*version != 0 && *version != history_.version()) return history_.At(*version);
  *version = history_.version();
  Configuration now = history_.current();
  const auto running = plan();
  for (const auto& [name, entry] : running->graph->modules) {
    if (!HasConfig(entry->module->mclass())) continue;
    native::Module& module = *now.at(ModulePath(name)).mutable_module();
    BESS_ASSIGN_OR_RETURN(*module.mutable_config(), GetConfig(*entry->module));
    module.clear_commands();
  }
  return now;
}

std::vector<native::Commit> Engine::Commits() const {
  absl::MutexLock lock(&edits_);
  return {history_.commits().begin(), history_.commits().end()};
}

absl::StatusOr<std::vector<native::Commit>> Engine::CommitsAfter(uint64_t version,
                                                                 absl::Duration wait) {
  const auto newer = [&] { return history_.version() > version; };
  edits_.LockWhenWithTimeout(absl::Condition(&newer), wait);
  std::vector<native::Commit> commits;
  for (auto commit = history_.commits().rbegin(); commit != history_.commits().rend(); ++commit) {
    if (commit->version() <= version) break;
    commits.push_back(*commit);
  }
  const bool complete = commits.size() + version == history_.version();
  edits_.Unlock();
  if (!complete) {
    return absl::OutOfRangeError(
        absl::StrCat("the commits after version ", version, " are not all in the history"));
  }
  std::reverse(commits.begin(), commits.end());
  return commits;
}

uint64_t Engine::version() const {
  absl::MutexLock lock(&edits_);
  return history_.version();
}

namespace {

bool Names(const native::Entry& entry, const std::string& path) {
  const auto is = [&](const std::string& kind, const std::string& name) {
    return absl::StrCat(kind, "/", name) == path;
  };
  if (entry.has_connection()) {
    return is("modules", entry.connection().from()) || is("modules", entry.connection().to());
  }
  if (entry.has_gate_hook()) return is("modules", entry.gate_hook().module());
  if (entry.has_class_()) {
    const std::string& name = entry.class_().name();
    return is("classes", entry.class_().parent()) ||
           absl::StrCat("classes/", name.substr(0, name.rfind(':'))) ==
               absl::StrCat("classes/!leaf_", path.substr(path.find('/') + 1));
  }
  return false;
}

// Takes an entry out, and with it those that cannot be without it.
void TakeOut(const std::string& path, Configuration* all) {
  if (all->erase(path) == 0) return;
  std::vector<std::string> dependent;
  for (const auto& [other, entry] : *all) {
    if (Names(entry, path)) dependent.push_back(other);
  }
  for (const std::string& other : dependent) TakeOut(other, all);
}

}  // namespace

void LeaveOut(const Problems& problems, Configuration* wanted) {
  for (const Problem& problem : problems) {
    spdlog::error("{} does not come back: {}", problem.path, std::string(problem.status.message()));
    TakeOut(problem.path, wanted);
  }
}

absl::Status Engine::Restore(History history, std::unique_ptr<Journal> journal) {
  Configuration wanted = history.current();
  for (;;) {
    Problems problems;
    const auto applied = Apply(wanted, {.comment = "restart"}, &problems);
    if (applied.ok()) break;
    if (problems.empty()) return applied.status();
    LeaveOut(problems, &wanted);
  }
  absl::MutexLock lock(&edits_);
  const uint64_t whole = history.version();
  const auto lost_changes = Difference(history.current(), history_.current());
  history_ = std::move(history);
  journal_ = std::move(journal);
  if (lost_changes.empty()) return absl::OkStatus();
  spdlog::error("`bessctl rollback {}` brings it back once that can be", whole);
  native::Commit lost = NextCommit("restart", lost_changes);
  BESS_RETURN_IF_ERROR(WriteAhead(lost));
  Record(std::move(lost));
  return absl::OkStatus();
}

void Engine::CloseJournal() {
  absl::MutexLock lock(&edits_);
  journal_.reset();
}

}  // namespace bess
