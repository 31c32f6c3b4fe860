// SPDX-License-Identifier: Apache-2.0
//
// The engine's gate hooks.
#include <algorithm>
#include <utility>

#include "core/control/engine.h"

namespace bess {
namespace {

struct Gate {
  std::string module;
  uint32_t gate = 0;
};

// Input gates in use: connected to, or hooked.
std::vector<uint32_t> InputGates(const Graph& graph, const std::string& module) {
  std::vector<uint32_t> gates;
  for (const auto& [name, entry] : graph.modules) {
    for (const auto& [ogate, out] : entry->out) {
      if (out.to == module) gates.push_back(out.igate);
    }
  }
  for (const auto& [igate, hooks] : graph.Find(module)->in_hooks) gates.push_back(igate);
  std::sort(gates.begin(), gates.end());
  gates.erase(std::unique(gates.begin(), gates.end()), gates.end());
  return gates;
}

std::vector<uint32_t> GatesInUse(const Graph& graph, const std::string& module, bool output) {
  if (!output) return InputGates(graph, module);
  std::vector<uint32_t> gates;
  for (const auto& [ogate, out] : graph.Find(module)->out) gates.push_back(ogate);
  return gates;
}

absl::Status CheckTargetGate(const Graph& graph, const HookTarget& target) {
  const Module& module = *graph.Find(target.module)->module;
  const uint32_t gates = target.output ? module.info().ogates : module.info().igates;
  const char* direction = target.output ? "output" : "input";
  if (*target.gate >= gates) {
    return Error(EINVAL, "module '", target.module, "' has ", gates, " ", direction,
                 " gate(s), there is no gate ", *target.gate);
  }
  const auto used = GatesInUse(graph, target.module, target.output);
  if (std::find(used.begin(), used.end(), *target.gate) == used.end()) {
    return Error(EINVAL, direction, " gate ", *target.gate, " of module '", target.module,
                 "' is not connected");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Gate>> Resolve(const Graph& graph, const HookTarget& target) {
  std::vector<std::string> modules;
  if (target.module.empty()) {
    for (const auto& [name, entry] : graph.modules) modules.push_back(name);
  } else if (graph.Find(target.module) != nullptr) {
    modules.push_back(target.module);
  } else {
    return Error(ENOENT, "there is no module '", target.module, "'");
  }
  if (target.gate && !target.module.empty()) {
    BESS_RETURN_IF_ERROR(CheckTargetGate(graph, target));
  }
  std::vector<Gate> gates;
  for (const std::string& module : modules) {
    for (const uint32_t gate : GatesInUse(graph, module, target.output)) {
      if (!target.gate || *target.gate == gate) gates.push_back({module, gate});
    }
  }
  return gates;
}

Hooks& HooksAt(Graph& graph, const Gate& gate, bool output) {
  ModuleEntry& entry = graph.Edit(gate.module);
  return output ? entry.out.at(gate.gate).hooks : entry.in_hooks[gate.gate];
}

const Hooks& HooksAt(const Graph& graph, const Gate& gate, bool output) {
  static const Hooks kNone;
  const ModuleEntry& entry = *graph.Find(gate.module);
  if (output) return entry.out.at(gate.gate).hooks;
  const auto it = entry.in_hooks.find(gate.gate);
  return it == entry.in_hooks.end() ? kNone : it->second;
}

bool Matches(const GateHook& hook, std::string_view hclass, std::string_view name) {
  if (!name.empty() && hook.name() != name) return false;
  return hclass.empty() || hook.hclass().info.name == hclass;
}

void InsertByPriority(Hooks& hooks, std::shared_ptr<GateHook> hook) {
  const auto behind =
      std::upper_bound(hooks.begin(), hooks.end(), hook, [](const auto& a, const auto& b) {
        return std::pair(a->hclass().info.priority, std::string_view(a->name())) <
               std::pair(b->hclass().info.priority, std::string_view(b->name()));
      });
  hooks.insert(behind, std::move(hook));
}

absl::StatusOr<const HookClass*> FindClass(std::string_view hclass) {
  const HookClass* found = HookRegistry::Get().Find(hclass);
  if (found == nullptr) return Error(ENOENT, "there is no gate hook class '", hclass, "'");
  return found;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

}  // namespace

absl::StatusOr<std::string> Engine::AddHook(std::string_view hclass, std::string_view name,
                                            const HookTarget& target,
                                            const google::protobuf::Any& argument) {
  BESS_ASSIGN_OR_RETURN(const HookClass* found, FindClass(hclass));
  absl::MutexLock lock(&edits_);
  const std::string stem = LowerCase(hclass);
  const std::string chosen =
      name.empty() ? absl::StrCat(stem, name_counters_[stem]++) : std::string(name);
  BESS_RETURN_IF_ERROR(Commit([&](Graph& graph) -> absl::Status {
    BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(graph, target));
    for (const Gate& gate : gates) {
      Hooks& hooks = HooksAt(graph, gate, target.output);
      const auto same = [&](const auto& hook) { return hook->name() == chosen; };
      if (std::any_of(hooks.begin(), hooks.end(), same)) {
        return Error(EEXIST, "gate ", gate.gate, " of module '", gate.module,
                     "' has a hook named '", chosen, "' already");
      }
      BESS_ASSIGN_OR_RETURN(auto hook, found->Create(chosen, argument));
      InsertByPriority(hooks, std::move(hook));
    }
    return absl::OkStatus();
  }));
  return chosen;
}

absl::Status Engine::RemoveHook(std::string_view hclass, std::string_view name,
                                const HookTarget& target) {
  BESS_RETURN_IF_ERROR(FindClass(hclass).status());
  absl::MutexLock lock(&edits_);
  return Commit([&](Graph& graph) -> absl::Status {
    BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(graph, target));
    size_t removed = 0;
    for (const Gate& gate : gates) {
      removed += std::erase_if(HooksAt(graph, gate, target.output),
                               [&](const auto& hook) { return Matches(*hook, hclass, name); });
    }
    if (removed == 0 && target.gate) {
      return Error(ENOENT, "gate ", *target.gate, " of module '", target.module,
                   "' has no such hook");
    }
    return absl::OkStatus();
  });
}

absl::Status Engine::RunHookCommand(std::string_view hclass, std::string_view name,
                                    const HookTarget& target, std::string_view command) {
  BESS_RETURN_IF_ERROR(FindClass(hclass).status());
  absl::MutexLock lock(&edits_);
  const auto graph = plan()->graph;
  BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(*graph, target));
  bool found = false;
  for (const Gate& gate : gates) {
    for (const auto& hook : HooksAt(*graph, gate, target.output)) {
      if (!Matches(*hook, hclass, name)) continue;
      found = true;
      BESS_RETURN_IF_ERROR(hook->hclass().Run(*hook, command));
    }
  }
  if (!found) return Error(ENOENT, "no such gate hook");
  return absl::OkStatus();
}

}  // namespace bess
