// SPDX-License-Identifier: Apache-2.0
#include "core/control/rpcs.h"

namespace bess::rpc {
namespace {

// A gate of -1, or none at all, means all gates; without a direction, output gates.
absl::StatusOr<HookTarget> TargetOf(const pb::GateHookInfo& hook) {
  HookTarget target{.module = hook.module_name()};
  target.output = hook.gate_case() != pb::GateHookInfo::kIgate;
  if (hook.gate_case() == pb::GateHookInfo::GATE_NOT_SET) return target;
  const int64_t gate = target.output ? hook.ogate() : hook.igate();
  if (gate < -1) {
    return Error(EINVAL, "'", target.output ? "ogate" : "igate",
                 "' must be a gate number or -1 for all, not ", gate);
  }
  if (gate >= 0) target.gate = static_cast<uint64_t>(gate);
  return target;
}

template <typename SetGate>
void DescribeHooks(const Hooks& hooks, const std::string& module, SetGate set_gate,
                   pb::ListGateHooksResponse* response) {
  for (const auto& hook : hooks) {
    auto& out = *response->add_hooks();
    out.set_class_name(std::string(hook->hclass().info.name));
    out.set_hook_name(hook->name());
    out.set_module_name(module);
    set_gate(&out);
    if (!hook->argument().type_url().empty()) *out.mutable_arg() = hook->argument();
  }
}

}  // namespace

absl::Status ListGateHookClass(Engine&, const pb::EmptyRequest&,
                               pb::ListGateHookClassResponse* response) {
  for (const auto& [name, hclass] : HookRegistry::Get().classes()) response->add_names(name);
  return absl::OkStatus();
}

absl::Status GetGateHookClassInfo(Engine&, const pb::GetGateHookClassInfoRequest& request,
                                  pb::GetGateHookClassInfoResponse* response) {
  if (request.name().empty()) return Error(EINVAL, "'name' is missing: which hook class?");
  const auto hclass = HookRegistry::Get().Find(request.name());
  if (hclass == nullptr) {
    return Error(ENOENT, "there is no gate hook class '", request.name(), "'");
  }
  response->set_name(std::string(hclass->info.name));
  response->set_help(std::string(hclass->info.help));
  for (const auto& [name, run] : hclass->commands) {
    response->add_cmds(name);
    response->add_cmd_args("EmptyArg");
  }
  return absl::OkStatus();
}

absl::Status ConfigureGateHook(Engine& engine, const pb::ConfigureGateHookRequest& request,
                               pb::ConfigureGateHookResponse* response) {
  const pb::GateHookInfo& hook = request.hook();
  BESS_ASSIGN_OR_RETURN(const HookTarget target, TargetOf(hook));
  if (!request.enable()) return engine.RemoveHook(hook.class_name(), hook.hook_name(), target);
  BESS_ASSIGN_OR_RETURN(const std::string name,
                        engine.AddHook(hook.class_name(), hook.hook_name(), target, hook.arg()));
  response->set_name(name);
  return absl::OkStatus();
}

absl::Status ListGateHooks(Engine& engine, const pb::EmptyRequest&,
                           pb::ListGateHooksResponse* response) {
  const auto plan = engine.plan();
  for (const auto& [name, entry] : plan->graph->modules) {
    for (const auto& [gate, hooks] : entry->in_hooks) {
      DescribeHooks(
          hooks, name, [g = gate](auto* out) { out->set_igate(g); }, response);
    }
    for (const auto& [gate, out_gate] : entry->out) {
      DescribeHooks(
          out_gate.hooks, name, [g = gate](auto* out) { out->set_ogate(g); }, response);
    }
  }
  return absl::OkStatus();
}

absl::Status GateHookCommand(Engine& engine, const pb::GateHookCommandRequest& request,
                             pb::CommandResponse* response) {
  const pb::GateHookInfo& hook = request.hook();
  BESS_ASSIGN_OR_RETURN(const HookTarget target, TargetOf(hook));
  google::protobuf::Any reply;
  BESS_RETURN_IF_ERROR(engine.RunHookCommand(hook.class_name(), hook.hook_name(), target,
                                             request.cmd(), hook.arg(), &reply));
  if (!reply.type_url().empty()) *response->mutable_data() = std::move(reply);
  return absl::OkStatus();
}

absl::Status ConfigureResumeHook(Engine& engine, const pb::ConfigureResumeHookRequest& request,
                                 pb::CommandResponse*) {
  if (request.hook_name().empty()) {
    return Error(EINVAL, "'hook_name' is missing: which resume hook?");
  }
  if (!request.enable()) return engine.RemoveResumeHook(request.hook_name());
  return engine.AddResumeHook(request.hook_name(), request.arg());
}

}  // namespace bess::rpc
