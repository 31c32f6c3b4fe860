// SPDX-License-Identifier: Apache-2.0
//
// Module commands. What modules are told at run time is part of the configuration: one command
// alone is carried out and recorded; in a transaction, a copy of the module carries it out first,
// and what it came to is swapped in when all else is done.
#include <algorithm>
#include <map>
#include <utility>

#include "core/control/engine.h"
#include "core/control/remembered.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

constexpr char kGetConfig[] = "get_runtime_config";
constexpr char kSetConfig[] = "set_runtime_config";
// The most bytes of commands that a module which can say its configuration is remembered by: so
// many, or so many times what its configuration takes. A restart carries them out again.
constexpr size_t kMinFold = 1 << 20;
constexpr size_t kFoldRatio = 4;
// As long as a module is remembered by so few commands, each is compared with all; then only once
// about as many have come as there are, at so many bytes each.
constexpr int kShortList = 64;
constexpr size_t kCommandBytes = 16;

absl::Status Run(const ModuleEntry& entry, std::string_view command,
                 const google::protobuf::Any& argument, google::protobuf::Any* reply) {
  const absl::Status status = entry.module->mclass().Run(*entry.module, command, argument, reply);
  if (command == "get_initial_arg" && StatusErrno(status) == ENOTSUP) {
    *reply = entry.argument;
    return absl::OkStatus();
  }
  return status;
}

native::Command CommandOf(std::string command, google::protobuf::Any argument) {
  native::Command made;
  made.set_cmd(std::move(command));
  if (!argument.type_url().empty()) *made.mutable_arg() = std::move(argument);
  return made;
}

// Carries out commands one after another, mostly several of the same module, and makes the commit
// that they come to.
class CommandRunner {
 public:
  explicit CommandRunner(std::shared_ptr<const Plan> running) : plan_(std::move(running)) {}

  absl::Status operator()(std::string_view module, std::string command,
                          google::protobuf::Any argument, google::protobuf::Any* reply) {
    BESS_RETURN_IF_ERROR(TurnTo(module));
    BESS_RETURN_IF_ERROR(Run(*entry_, command, argument, reply));
    if (!IsRemembered(entry_->module->mclass(), command)) return absl::OkStatus();
    if (change_ == nullptr) {
      change_ = changes_[entry_] = commit_.add_changes();
      change_->set_path(ModulePath(entry_->module->name()));
      change_->set_action(native::Change::UPDATE);
    }
    *change_->add_commands() = CommandOf(std::move(command), std::move(argument));
    return absl::OkStatus();
  }

  native::Commit TakeCommit() { return std::move(commit_); }

 private:
  absl::Status TurnTo(std::string_view module) {
    if (entry_ != nullptr && module == entry_->module->name()) return absl::OkStatus();
    if (module.empty()) return Error(EINVAL, "'name' is missing: which module?");
    entry_ = plan_->graph->Find(module);
    if (entry_ == nullptr) return Error(ENOENT, "there is no module '", module, "'");
    const auto begun = changes_.find(entry_);
    change_ = begun == changes_.end() ? nullptr : begun->second;
    return absl::OkStatus();
  }

  const std::shared_ptr<const Plan> plan_;
  native::Commit commit_;
  const ModuleEntry* entry_ = nullptr;  // of the last command
  native::Change* change_ = nullptr;    // of that module, once there is one
  // One of each module, which Fold can look at by itself.
  std::map<const ModuleEntry*, native::Change*> changes_;
};

// --- What is remembered of what a module was told -----------------------------------------------

// Whether it pays to look for what `fresh` commands stand for among `all` there are then. So many
// bytes have come since that was done.
bool Pays(const ModuleClass& mclass, const CommandList& fresh, int all, size_t bytes) {
  bool replaces = false;
  for (const native::Command& command : fresh) {
    const CommandKind kind = KindOf(mclass, command.cmd());
    if (kind == CommandKind::kClears) return true;
    replaces |= kind == CommandKind::kSets || kind == CommandKind::kMerges;
  }
  return replaces && (all <= kShortList || bytes >= kCommandBytes * static_cast<size_t>(all));
}

// Adds a command to what a module was told.
void AddTo(const ModuleClass& mclass, native::Command command, CommandList* told) {
  CommandList fresh;
  *fresh.Add() = std::move(command);
  const bool pays = Pays(mclass, fresh, told->size() + 1, 0);
  told->MergeFrom(fresh);
  if (pays) *told = Remembered(mclass, *told);
}

// Makes the change say what the module is from now on. Returns what it is without being told.
native::Module& StartAnew(const native::Module& now, native::Change* change) {
  native::Module& after = *change->mutable_after()->mutable_module();
  after.set_name(now.name());
  after.set_mclass(now.mclass());
  if (now.has_arg()) *after.mutable_arg() = now.arg();
  change->clear_commands();
  return after;
}

// Where some of what the module was told stands for the rest, only that is remembered. False when
// it did not look.
bool FoldCommands(const ModuleClass& mclass, const native::Module& now, size_t bytes,
                  native::Change* change) {
  const int all = now.commands_size() + change->commands_size();
  if (!Pays(mclass, change->commands(), all, bytes)) return false;
  CommandList told = now.commands();
  told.MergeFrom(change->commands());
  CommandList remembered = Remembered(mclass, told);
  if (remembered.size() < all) *StartAnew(now, change).mutable_commands() = std::move(remembered);
  return true;
}

// A module that can say its configuration is remembered by that, once it is shorter.
bool FoldToConfig(Module& module, const native::Module& now, size_t bytes, native::Change* change) {
  if (bytes < kMinFold || bytes < kFoldRatio * now.config().value().size()) return false;
  auto config = GetConfig(module);
  if (!config.ok()) return false;
  *StartAnew(now, change).mutable_config() = *std::move(config);
  return true;
}

}  // namespace

bool HasConfig(const ModuleClass& mclass) {
  return mclass.FindCommand(kGetConfig) != nullptr && mclass.FindCommand(kSetConfig) != nullptr;
}

absl::StatusOr<google::protobuf::Any> GetConfig(Module& module) {
  google::protobuf::Any config;
  BESS_RETURN_IF_ERROR(module.mclass().Run(module, kGetConfig, {}, &config));
  return config;
}

absl::Status SetConfig(Module& module, const google::protobuf::Any& config) {
  google::protobuf::Any none;
  return module.mclass().Run(module, kSetConfig, config, &none);
}

// --- One alone ----------------------------------------------------------------------------------

absl::Status Engine::RunCommand(std::string_view module, std::string_view command,
                                const google::protobuf::Any& argument,
                                google::protobuf::Any* reply) {
  if (InTransaction()) {
    const ModuleEntry* entry = draft_->graph.Find(module);
    if (entry == nullptr) return Error(ENOENT, "there is no module '", module, "'");
    return RunInTransaction(*entry, command, argument, reply);
  }
  absl::MutexLock lock(&edits_);
  CommandRunner run(plan());
  BESS_RETURN_IF_ERROR(run(module, std::string(command), argument, reply));
  return CommitCommands(run.TakeCommit());
}

std::vector<BulkOutcome> Engine::RunCommands(native::BulkCommandRequest request,
                                             uint64_t* version) {
  absl::MutexLock lock(&edits_);
  std::vector<BulkOutcome> outcomes(static_cast<size_t>(request.commands_size()));
  CommandRunner run(plan());
  for (size_t i = 0; i < outcomes.size(); ++i) {
    pb::CommandRequest& command = *request.mutable_commands(static_cast<int>(i));
    outcomes[i].status = run(command.name(), std::move(*command.mutable_cmd()),
                             std::move(*command.mutable_arg()), &outcomes[i].reply);
  }
  const absl::Status committed = CommitCommands(run.TakeCommit());
  for (BulkOutcome& outcome : outcomes) outcome.status.Update(committed);
  *version = history_.version();
  return outcomes;
}

// What was carried out already: that it cannot be written is no reason to say nothing happened.
absl::Status Engine::CommitCommands(native::Commit commit) {
  if (commit.changes_size() == 0) return absl::OkStatus();
  RingWorkers();
  Stamp("ModuleCommand", &commit);
  for (native::Change& change : *commit.mutable_changes()) Fold(&change);
  const absl::Status written = WriteAhead(commit);
  Record(std::move(commit));
  if (written.ok()) return written;
  return Error(EIO, "carried out, but lost should the daemon end: ", written.message());
}

// What a module was told gives way to what it came to, at once or now and then, so that one that is
// told things all the time is remembered by its size, not by its history. What is decided here is
// in the change, so that the journal needs no classes to be read.
void Engine::Fold(native::Change* change) {
  const native::Module& now = history_.current().at(change->path()).module();
  const auto running = plan();
  Module& module = *running->graph->Find(now.name())->module;
  size_t& bytes = command_bytes_[change->path()];
  bytes += change->ByteSizeLong();
  const bool folded = HasConfig(module.mclass())
                          ? FoldToConfig(module, now, bytes, change)
                          : FoldCommands(module.mclass(), now, bytes, change);
  if (folded) bytes = 0;
}

// --- In a transaction ---------------------------------------------------------------------------

absl::Status Engine::RunInTransaction(const ModuleEntry& entry, std::string_view command,
                                      const google::protobuf::Any& argument,
                                      google::protobuf::Any* reply) {
  const std::string& name = entry.module->name();
  const ModuleClass& mclass = entry.module->mclass();
  const auto made_here = draft_->told.find(name);
  if (made_here != draft_->told.end()) {
    BESS_RETURN_IF_ERROR(Run(entry, command, argument, reply));
    if (!IsRemembered(mclass, command)) return absl::OkStatus();
    AddTo(mclass, CommandOf(std::string(command), argument), made_here->second.mutable_commands());
    return absl::OkStatus();
  }
  if (OnlyReads(mclass, command) && !draft_->configs.contains(name)) {
    return Run(entry, command, argument, reply);
  }
  BESS_ASSIGN_OR_RETURN(NewConfig * rehearsed, Rehearse(entry));
  const ModuleEntry copy{.module = rehearsed->rehearsal, .argument = entry.argument};
  BESS_RETURN_IF_ERROR(Run(copy, command, argument, reply));
  if (!IsRemembered(mclass, command)) return absl::OkStatus();
  rehearsed->commands.push_back(CommandOf(std::string(command), argument));
  return absl::OkStatus();
}

absl::StatusOr<NewConfig*> Engine::Rehearse(const ModuleEntry& entry) {
  Module& module = *entry.module;
  const auto known = draft_->configs.find(module.name());
  if (known != draft_->configs.end()) return &known->second;
  if (!HasConfig(module.mclass())) {
    return Error(EBUSY, "module '", module.name(), "' is there already, and ", module.info().name,
                 " has no '", kGetConfig, "' and '", kSetConfig,
                 "': what it is told could not be taken back");
  }
  NewConfig config;
  BESS_ASSIGN_OR_RETURN(config.before, GetConfig(module));
  BESS_ASSIGN_OR_RETURN(config.rehearsal,
                        module.mclass().Create(module.name(), *this, entry.argument));
  BESS_RETURN_IF_ERROR(SetConfig(*config.rehearsal, config.before));
  return &draft_->configs.emplace(module.name(), std::move(config)).first->second;
}

absl::Status Engine::TellModules() {
  BESS_RETURN_IF_ERROR(Obstacle("tell modules"));
  std::vector<std::pair<Module*, const google::protobuf::Any*>> done;
  absl::Status told;
  const auto running = plan();
  for (const auto& [name, config] : draft_->configs) {
    Module& module = *running->graph->Find(name)->module;
    const auto wanted = GetConfig(*config.rehearsal);
    told = wanted.ok() ? SetConfig(module, *wanted) : wanted.status();
    if (!told.ok()) break;
    done.emplace_back(&module, &config.before);
  }
  for (const auto& [name, commands] : draft_->tell) {
    for (const native::Command& command : commands) {
      google::protobuf::Any none;
      if (told.ok()) told = Run(*running->graph->Find(name), command.cmd(), command.arg(), &none);
    }
  }
  if (told.ok()) return told;
  for (const auto& [module, before] : done) SetConfig(*module, *before).IgnoreError();
  return told;
}

}  // namespace bess
