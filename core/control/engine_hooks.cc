// SPDX-License-Identifier: Apache-2.0
//
// The engine's gate hooks.
#include <algorithm>
#include <set>
#include <utility>

#include "core/control/engine.h"
#include "spdlog/spdlog.h"

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
  if (target.idle && !target.output) return absl::OkStatus();
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
    return std::vector<Gate>{{target.module, static_cast<uint32_t>(*target.gate)}};
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

absl::StatusOr<std::shared_ptr<const HookClass>> FindClass(std::string_view hclass) {
  const auto found = HookRegistry::Get().Find(hclass);
  if (found == nullptr) return Error(ENOENT, "there is no gate hook class '", hclass, "'");
  return found;
}

absl::Status CheckFree(const Hooks& hooks, const Gate& gate, std::string_view name) {
  const auto same = [&](const auto& hook) { return hook->name() == name; };
  if (std::none_of(hooks.begin(), hooks.end(), same)) return absl::OkStatus();
  return Error(EEXIST, "gate ", gate.gate, " of module '", gate.module, "' has a hook named '",
               name, "' already");
}

std::set<std::string> HookNames(const Graph& graph) {
  std::set<std::string> names;
  ForEachHook(graph, [&](const std::string&, GateHook& hook) { names.insert(hook.name()); });
  return names;
}

absl::Status PutHooks(Graph& graph, const HookClass& hclass, std::string_view name,
                      const HookTarget& target, const google::protobuf::Any& argument) {
  BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(graph, target));
  std::shared_ptr<GateHook> hook;
  for (const Gate& gate : gates) {
    Hooks& hooks = HooksAt(graph, gate, target.output);
    BESS_RETURN_IF_ERROR(CheckFree(hooks, gate, name));
    if (hook == nullptr || !hclass.info.shared) {
      BESS_ASSIGN_OR_RETURN(hook, hclass.Create(name, argument));
    }
    InsertByPriority(hooks, hook);
  }
  return absl::OkStatus();
}

// Another hook may get the name of the one nobody asked for, once that is gone.
void ForgetDefault(OutGate& gate) {
  const auto is_default = [&](const auto& hook) { return hook->name() == gate.default_hook; };
  if (std::none_of(gate.hooks.begin(), gate.hooks.end(), is_default)) gate.default_hook.clear();
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
  BESS_ASSIGN_OR_RETURN(const auto found, FindClass(hclass));
  Transaction transaction(*this);
  std::string chosen(name);
  if (chosen.empty()) {
    const std::set<std::string> taken = HookNames(draft_->graph);
    chosen =
        NextName(LowerCase(hclass), [&](const std::string& free) { return taken.contains(free); });
  }
  BESS_RETURN_IF_ERROR(PutHooks(draft_->graph, *found, chosen, target, argument));
  BESS_RETURN_IF_ERROR(transaction.Commit(absl::StrCat("ConfigureGateHook ", chosen)));
  return chosen;
}

absl::Status Engine::ShareHook(const std::shared_ptr<GateHook>& hook, const HookTarget& target) {
  Transaction transaction(*this);
  BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(draft_->graph, target));
  for (const Gate& gate : gates) {
    Hooks& hooks = HooksAt(draft_->graph, gate, target.output);
    BESS_RETURN_IF_ERROR(CheckFree(hooks, gate, hook->name()));
    InsertByPriority(hooks, hook);
  }
  return transaction.Commit(absl::StrCat("ConfigureGateHook ", hook->name()));
}

absl::Status Engine::RemoveHook(std::string_view hclass, std::string_view name,
                                const HookTarget& target) {
  BESS_RETURN_IF_ERROR(FindClass(hclass).status());
  Transaction transaction(*this);
  BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(draft_->graph, target));
  size_t removed = 0;
  for (const Gate& gate : gates) {
    removed += std::erase_if(HooksAt(draft_->graph, gate, target.output),
                             [&](const auto& hook) { return Matches(*hook, hclass, name); });
    if (target.output) ForgetDefault(draft_->graph.Edit(gate.module).out.at(gate.gate));
  }
  if (removed == 0 && target.gate) {
    return Error(ENOENT, "gate ", *target.gate, " of module '", target.module,
                 "' has no such hook");
  }
  return transaction.Commit(absl::StrCat("ConfigureGateHook ", AbslView(name), " off"));
}

absl::Status Engine::RunHookCommand(std::string_view hclass, std::string_view name,
                                    const HookTarget& target, std::string_view command,
                                    const google::protobuf::Any& argument,
                                    google::protobuf::Any* reply) {
  // Clients may name the hook alone.
  if (!hclass.empty()) BESS_RETURN_IF_ERROR(FindClass(hclass).status());
  const Transaction transaction(*this);
  const auto running = graph();
  BESS_ASSIGN_OR_RETURN(const auto gates, Resolve(*running, target));
  std::set<GateHook*> hooks;  // one at several gates is meant once
  for (const Gate& gate : gates) {
    for (const auto& hook : HooksAt(*running, gate, target.output)) {
      if (Matches(*hook, hclass, name)) hooks.insert(hook.get());
    }
  }
  if (hooks.empty()) return Error(ENOENT, "no such gate hook");
  for (GateHook* hook : hooks) {
    BESS_RETURN_IF_ERROR(hook->hclass().Run(*hook, command, argument, reply));
  }
  return absl::OkStatus();
}

void Engine::PlaceHooks(const Plan& plan) {
  if (plan.attentive.empty()) return;
  const std::vector<PlacedAttribute> attributes = LiveAttributes(plan);
  for (const auto& [module, hook] : plan.attentive) hook->Placed(attributes);
}

void Engine::RemoveFinishedHooks() {
  std::set<std::string> modules;
  const auto running = plan();
  for (const auto& [module, hook] : running->attentive) {
    if (hook->finished()) modules.insert(module);
  }
  if (modules.empty()) return;
  Transaction transaction = Transaction::Try(*this);
  if (!transaction.open()) return;
  const auto finished = [](const auto& hook) { return hook->finished(); };
  for (const std::string& module : modules) {
    if (draft_->graph.Find(module) == nullptr) continue;
    ModuleEntry& entry = draft_->graph.Edit(module);
    for (auto& [igate, hooks] : entry.in_hooks) std::erase_if(hooks, finished);
    for (auto& [ogate, out] : entry.out) std::erase_if(out.hooks, finished);
  }
  const absl::Status removed = transaction.Commit("a hook has finished");
  if (!removed.ok()) spdlog::error("a finished hook stays: {}", std::string(removed.message()));
}

}  // namespace bess
