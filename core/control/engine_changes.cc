// SPDX-License-Identifier: Apache-2.0
//
// What a transaction changes. Entries of the graph are shared until an edit changes them, so only
// those that are not the same object any more are looked at.
#include <algorithm>
#include <utility>

#include "core/control/describe.h"
#include "core/control/engine.h"
#include "core/control/remembered.h"

namespace bess {
namespace {

// What a module that runs already is told: the commands, or, where they stand for some of those it
// was told before, what it is remembered by then.
void DescribeTold(const ModuleClass& mclass, const Configuration& now,
                  const std::vector<native::Command>& commands, native::Change* change) {
  const native::Entry& before = now.at(change->path());
  CommandList told = before.module().commands();
  told.Add(commands.begin(), commands.end());
  CommandList remembered = Remembered(mclass, told);
  if (remembered.size() == told.size()) {
    change->mutable_commands()->Assign(commands.begin(), commands.end());
    return;
  }
  *change->mutable_before() = before;
  *change->mutable_after() = before;
  *change->mutable_after()->mutable_module()->mutable_commands() = std::move(remembered);
}

}  // namespace

void Engine::DescribePorts(Configuration* all) const {
  ports_.VisitAll([&](const Port& port, const google::protobuf::Any& argument) {
    if (!Leaves(port.name())) DescribePort(port, argument, draft_->port_confs, all);
  });
  for (const auto& [name, pretence] : draft_->pretended) (*all)[PortPath(name)] = pretence.entry;
}

bool Engine::IsMade(const native::Change& change) const {
  const std::string& name = change.after().port().name();
  const auto& made = draft_->new_ports;
  return std::find(made.begin(), made.end(), name) != made.end() ||
         draft_->pretended.contains(name);
}

std::vector<native::Change> Engine::Changes(const Graph& before, const Graph& after) const {
  Configuration from, to;
  for (const char* kind : {"ports/", "resume_hooks/", "workers/"}) {
    ForEachOf(history_.current(), kind,
              [&](const std::string& path, const native::Entry& entry) { from[path] = entry; });
  }
  DescribePorts(&to);
  DescribeResumeHooks(draft_->resume_hooks, &to);
  DescribeWorkers(draft_->workers, draft_->default_worker, &to);
  ClassTree::Classes::ForEachDifference(
      before.classes.classes(), after.classes.classes(),
      [&](const std::string& name, const auto* old, const auto* wanted) {
        if (old != nullptr) DescribeClass(name, *old, &from);
        if (wanted != nullptr) DescribeClass(name, *wanted, &to);
      });
  std::vector<native::Change> changes;
  SharedMap<ModuleEntry>::ForEachDifference(
      before.modules, after.modules,
      [&](const std::string& name, const auto* old, const auto* wanted) {
        if (old != nullptr) DescribeGates(name, *old, &from);
        if (wanted != nullptr) DescribeGates(name, *wanted, &to);
        const bool same = old != nullptr && wanted != nullptr && old->module == wanted->module;
        if (!same) changes.push_back(ModuleChange(name, wanted));
      });
  AddCommandChanges(&changes);
  for (native::Change& change : Difference(from, to)) {
    const bool other = change.after().has_port() && change.has_before() && IsMade(change);
    if (other) change.set_action(native::Change::REPLACE);
    changes.push_back(std::move(change));
  }
  std::sort(changes.begin(), changes.end(),
            [](const auto& a, const auto& b) { return a.path() < b.path(); });
  return changes;
}

native::Change Engine::ModuleChange(const std::string& name, const ModuleEntry* wanted) const {
  native::Change change;
  change.set_path(ModulePath(name));
  const auto now = history_.current().find(change.path());
  const bool was = now != history_.current().end();
  change.set_action(wanted == nullptr ? native::Change::REMOVE
                    : was             ? native::Change::REPLACE
                                      : native::Change::ADD);
  if (was) *change.mutable_before() = now->second;
  if (wanted != nullptr) *change.mutable_after()->mutable_module() = draft_->told.at(name);
  return change;
}

void Engine::AddCommandChanges(std::vector<native::Change>* changes) const {
  const auto add = [&](const std::string& name) -> native::Change& {
    native::Change& change = changes->emplace_back();
    change.set_path(ModulePath(name));
    change.set_action(native::Change::UPDATE);
    return change;
  };
  const auto running = plan();
  for (const auto& [name, commands] : draft_->tell) {
    DescribeTold(running->graph->Find(name)->module->mclass(), history_.current(), commands,
                 &add(name));
  }
  for (const auto& [name, config] : draft_->configs) {
    native::Change& change = add(name);
    change.mutable_commands()->Assign(config.commands.begin(), config.commands.end());
    if (!config.commands.empty()) continue;
    *change.mutable_before() = history_.current().at(change.path());
    *change.mutable_after() = change.before();
    native::Module& after = *change.mutable_after()->mutable_module();
    after.clear_commands();
    if (const auto wanted = GetConfig(*config.rehearsal); wanted.ok()) {
      *after.mutable_config() = *wanted;
    }
  }
}

}  // namespace bess
