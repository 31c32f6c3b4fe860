// SPDX-License-Identifier: Apache-2.0
//
// Module commands. What modules are told at run time is part of the configuration: one command
// alone is carried out and recorded; in a transaction, a copy of the module carries it out first,
// and what it came to is swapped in when all else is done.
#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/control/engine.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

constexpr char kGetConfig[] = "get_runtime_config";
constexpr char kSetConfig[] = "set_runtime_config";
// The most bytes of commands that a module which can say its configuration is remembered by.
constexpr size_t kMinFold = 256 << 10;

bool OnlyReads(std::string_view command) { return command.starts_with("get_"); }

bool Has(const ModuleClass& mclass, std::string_view command) {
  return std::any_of(mclass.commands.begin(), mclass.commands.end(),
                     [&](const CommandClass& candidate) { return candidate.name == command; });
}

absl::Status Run(const ModuleEntry& entry, std::string_view command,
                 const google::protobuf::Any& argument, google::protobuf::Any* reply) {
  const absl::Status status = entry.module->mclass().Run(*entry.module, command, argument, reply);
  if (command == "get_initial_arg" && StatusErrno(status) == ENOTSUP) {
    *reply = entry.argument;
    return absl::OkStatus();
  }
  return status;
}

native::Command CommandOf(std::string_view command, const google::protobuf::Any& argument) {
  native::Command made;
  made.set_cmd(std::string(command));
  if (!argument.type_url().empty()) *made.mutable_arg() = argument;
  return made;
}

}  // namespace

bool HasConfig(const ModuleClass& mclass) {
  return Has(mclass, kGetConfig) && Has(mclass, kSetConfig);
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
  native::Commit commit;
  BESS_RETURN_IF_ERROR(RunNow(module, command, argument, reply, &commit));
  return CommitCommands(std::move(commit));
}

std::vector<BulkOutcome> Engine::RunCommands(const native::BulkCommandRequest& request,
                                             uint64_t* version) {
  absl::MutexLock lock(&edits_);
  std::vector<BulkOutcome> outcomes;
  native::Commit commit;
  for (const pb::CommandRequest& command : request.commands()) {
    BulkOutcome& outcome = outcomes.emplace_back();
    outcome.status = RunNow(command.name(), command.cmd(), command.arg(), &outcome.reply, &commit);
  }
  const absl::Status committed = CommitCommands(std::move(commit));
  for (BulkOutcome& outcome : outcomes) outcome.status.Update(committed);
  *version = history_.version();
  return outcomes;
}

absl::Status Engine::RunNow(std::string_view module, std::string_view command,
                            const google::protobuf::Any& argument, google::protobuf::Any* reply,
                            native::Commit* commit) {
  if (module.empty()) return Error(EINVAL, "'name' is missing: which module?");
  const auto running = plan();
  const ModuleEntry* entry = running->graph->Find(module);
  if (entry == nullptr) return Error(ENOENT, "there is no module '", module, "'");
  BESS_RETURN_IF_ERROR(Run(*entry, command, argument, reply));
  if (OnlyReads(command)) return absl::OkStatus();
  const std::string path = ModulePath(std::string(module));
  // Mostly the last one's; several changes of one module are fine, too.
  if (commit->changes().empty() || commit->changes().rbegin()->path() != path) {
    commit->add_changes()->set_path(path);
    commit->mutable_changes()->rbegin()->set_action(native::Change::UPDATE);
  }
  *commit->mutable_changes()->rbegin()->add_commands() = CommandOf(command, argument);
  return absl::OkStatus();
}

// What was carried out already: that it cannot be written is no reason to say nothing happened.
absl::Status Engine::CommitCommands(native::Commit commit) {
  if (commit.changes_size() == 0) return absl::OkStatus();
  RingWorkers();
  commit.set_version(history_.version() + 1);
  commit.set_timestamp(WallSeconds());
  commit.set_comment("ModuleCommand");
  commit.set_num_changes(static_cast<uint32_t>(commit.changes_size()));
  for (native::Change& change : *commit.mutable_changes()) Fold(&change);
  const absl::Status written = WriteAhead(commit);
  Record(std::move(commit));
  if (written.ok()) return written;
  return Error(EIO, "carried out, but lost should the daemon end: ", written.message());
}

// Now and then what a module was told gives way to what it came to, so that a table that changes
// all the time is remembered by its size, not by its history.
void Engine::Fold(native::Change* change) {
  size_t& bytes = command_bytes_[change->path()];
  bytes += change->ByteSizeLong();
  const native::Entry& now = history_.current().at(change->path());
  if (bytes < kMinFold || bytes < 2 * now.module().config().value().size()) return;
  const auto running = plan();
  Module& module = *running->graph->Find(now.module().name())->module;
  if (!HasConfig(module.mclass())) return;
  auto config = GetConfig(module);
  if (!config.ok()) return;
  native::Module& after = *change->mutable_after()->mutable_module();
  after.set_name(now.module().name());
  after.set_mclass(now.module().mclass());
  if (now.module().has_arg()) *after.mutable_arg() = now.module().arg();
  *after.mutable_config() = *std::move(config);
  change->clear_commands();
  bytes = 0;
}

// --- In a transaction ---------------------------------------------------------------------------

absl::Status Engine::RunInTransaction(const ModuleEntry& entry, std::string_view command,
                                      const google::protobuf::Any& argument,
                                      google::protobuf::Any* reply) {
  const std::string& name = entry.module->name();
  const auto made_here = draft_->told.find(name);
  if (made_here != draft_->told.end()) {
    BESS_RETURN_IF_ERROR(Run(entry, command, argument, reply));
    if (!OnlyReads(command)) *made_here->second.add_commands() = CommandOf(command, argument);
    return absl::OkStatus();
  }
  if (OnlyReads(command) && !draft_->configs.contains(name)) {
    return Run(entry, command, argument, reply);
  }
  BESS_ASSIGN_OR_RETURN(NewConfig * rehearsed, Rehearse(entry));
  const ModuleEntry copy{.module = rehearsed->rehearsal, .argument = entry.argument};
  BESS_RETURN_IF_ERROR(Run(copy, command, argument, reply));
  if (OnlyReads(command)) return absl::OkStatus();
  rehearsed->commands.push_back(CommandOf(command, argument));
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
