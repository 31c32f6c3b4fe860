// SPDX-License-Identifier: Apache-2.0
#include "core/graph/graph.h"

#include <utility>

namespace bess {
namespace {

absl::Status NoSuchModule(std::string_view name) {
  return Error(ENOENT, "there is no module '", name, "'");
}

absl::Status CheckModuleGate(const Module& module, const char* direction, uint64_t gate,
                             uint32_t gates) {
  if (gate < gates) return absl::OkStatus();
  if (gates == 0) {
    return Error(EINVAL, "module '", module.name(), "' (", module.info().name, ") has no ",
                 direction, " gates; there is no gate ", gate);
  }
  return Error(EINVAL, "module '", module.name(), "' (", module.info().name, ") has ", direction,
               " gates 0..", gates - 1, ", not ", gate);
}

}  // namespace

const ModuleEntry* Graph::Find(std::string_view name) const {
  const auto it = modules.find(name);
  return it == modules.end() ? nullptr : it->second.get();
}

ModuleEntry& Graph::Edit(std::string_view name) {
  auto copy = std::make_shared<ModuleEntry>(*Find(name));
  ModuleEntry& entry = *copy;
  modules.Set(name, std::move(copy));
  return entry;
}

void Graph::Add(std::shared_ptr<Module> module, google::protobuf::Any argument,
                std::optional<uint32_t> worker) {
  const std::string& name = module->name();
  for (uint32_t task = 0; task < module->tasks().size(); ++task) {
    classes.AddLeaf(name, task);
    if (worker) classes.Assign(LeafName(name, task), worker);
  }
  auto entry = std::make_shared<ModuleEntry>();
  entry->number = TakeNumber();
  entry->argument = std::move(argument);
  entry->module = std::move(module);
  modules.Set(name, std::move(entry));
}

uint32_t Graph::TakeNumber() {
  if (free_numbers.empty()) return numbers++;
  const uint32_t number = free_numbers.back();
  free_numbers.pop_back();
  return number;
}

absl::Status Graph::Connect(std::string_view from, uint64_t ogate, std::string_view to,
                            uint64_t igate, Hooks hooks) {
  const ModuleEntry* source = Find(from);
  if (source == nullptr) return NoSuchModule(from);
  const ModuleEntry* target = Find(to);
  if (target == nullptr) return NoSuchModule(to);
  const Module& sender = *source->module;
  const Module& receiver = *target->module;
  BESS_RETURN_IF_ERROR(CheckModuleGate(sender, "output", ogate, sender.info().ogates));
  BESS_RETURN_IF_ERROR(CheckModuleGate(receiver, "input", igate, receiver.info().igates));
  const auto taken = source->out.find(static_cast<uint32_t>(ogate));
  if (taken != source->out.end()) {
    return Error(EBUSY, "output gate ", ogate, " of '", from, "' is connected to '",
                 taken->second.to, "' already");
  }
  Edit(from).out[static_cast<uint32_t>(ogate)] = {.to = std::string(to),
                                                  .to_number = target->number,
                                                  .igate = static_cast<uint32_t>(igate),
                                                  .edge = std::make_shared<Edge>(),
                                                  .hooks = std::move(hooks)};
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Edge>> Graph::Disconnect(std::string_view from, uint64_t ogate) {
  const ModuleEntry* source = Find(from);
  if (source == nullptr) return NoSuchModule(from);
  const Module& sender = *source->module;
  BESS_RETURN_IF_ERROR(CheckModuleGate(sender, "output", ogate, sender.info().ogates));
  const auto gate = static_cast<uint32_t>(ogate);
  if (!source->out.contains(gate)) return std::shared_ptr<Edge>();
  auto node = Edit(from).out.extract(gate);
  return std::move(node.mapped().edge);
}

void Graph::Unlink(const std::set<std::string>& names, Edges* edges) {
  std::vector<std::pair<std::string, uint32_t>> inward;
  for (const auto& [other, entry] : modules) {
    if (names.contains(other)) continue;
    for (const auto& [ogate, out] : entry->out) {
      if (!names.contains(out.to)) continue;
      edges->emplace_back(entry->module, out.edge);
      inward.emplace_back(other, ogate);
    }
  }
  for (const auto& [other, ogate] : inward) Edit(other).out.erase(ogate);
}

absl::StatusOr<Graph::Edges> Graph::Remove(const std::set<std::string>& names) {
  Edges edges;
  for (const std::string& name : names) {
    const ModuleEntry* removed = Find(name);
    if (removed == nullptr) return NoSuchModule(name);
    for (const auto& [ogate, out] : removed->out) edges.emplace_back(removed->module, out.edge);
  }
  Unlink(names, &edges);
  for (const std::string& name : names) {
    const ModuleEntry& removed = *Find(name);
    free_numbers.push_back(removed.number);
    for (uint32_t task = 0; task < removed.module->tasks().size(); ++task) {
      classes.RemoveLeaf(name, task);
    }
    modules.Erase(name);
  }
  return edges;
}

void ForEachHook(const Graph& graph, HookVisit visit) {
  for (const auto& [name, entry] : graph.modules) {
    for (const auto& [igate, hooks] : entry->in_hooks) {
      for (const auto& hook : hooks) visit(name, *hook);
    }
    for (const auto& [ogate, out] : entry->out) {
      for (const auto& hook : out.hooks) visit(name, *hook);
    }
  }
}

void Graph::RemoveAll() {
  for (const auto& [name, entry] : modules) {
    for (uint32_t task = 0; task < entry->module->tasks().size(); ++task) {
      classes.RemoveLeaf(name, task);
    }
  }
  modules.clear();
  numbers = 0;
  free_numbers.clear();
  attributes.clear();
}

}  // namespace bess
