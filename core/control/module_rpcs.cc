// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "core/base/clock.h"
#include "core/control/rpcs.h"
#include "core/graph/track.h"

namespace bess::rpc {
namespace {

using Info = pb::GetModuleInfoResponse;

const char* ModeName(AttributeMode mode) {
  switch (mode) {
    case AttributeMode::kRead:
      return "read";
    case AttributeMode::kWrite:
      return "write";
    case AttributeMode::kUpdate:
      return "update";
  }
  return "unknown";
}

template <typename Gate>
void DescribeHooks(const Hooks& hooks, Gate* gate) {
  for (const auto& hook : hooks) {
    auto& out = *gate->add_gatehooks();
    out.set_class_name(std::string(hook->hclass().info.name));
    out.set_hook_name(hook->name());
    const auto* track = dynamic_cast<const Track*>(hook.get());
    if (track == nullptr) continue;
    const Track::Counts counts = track->counts();
    gate->set_cnt(counts.batches);
    gate->set_pkts(counts.packets);
    gate->set_bytes(counts.bytes);
    gate->set_timestamp(WallSeconds());
  }
}

void DescribeInputs(const Graph& graph, const std::string& module, Info* info) {
  std::map<uint32_t, Info::IGate> gates;
  for (const auto& [name, entry] : graph.modules) {
    for (const auto& [ogate, out] : entry->out) {
      if (out.to != module) continue;
      auto& upstream = *gates[out.igate].add_ogates();
      upstream.set_ogate(ogate);
      upstream.set_name(name);
    }
  }
  for (const auto& [igate, hooks] : graph.Find(module)->in_hooks) {
    DescribeHooks(hooks, &gates[igate]);
  }
  for (auto& [igate, gate] : gates) {
    gate.set_igate(igate);
    *info->add_igates() = std::move(gate);
  }
}

void DescribeOutputs(const ModuleEntry& entry, Info* info) {
  for (const auto& [ogate, out] : entry.out) {
    auto& gate = *info->add_ogates();
    gate.set_ogate(ogate);
    gate.set_name(out.to);
    gate.set_igate(out.igate);
    DescribeHooks(out.hooks, &gate);
  }
}

void DescribeAttributes(const Plan& plan, const Module& module, Info* info) {
  const auto& offsets = plan.offsets(module.name());
  for (size_t i = 0; i < module.attributes().size(); ++i) {
    const Attribute& attribute = module.attributes()[i];
    auto& out = *info->add_metadata();
    out.set_name(attribute.name);
    out.set_size(attribute.size);
    out.set_mode(ModeName(attribute.mode));
    out.set_offset(offsets[i]);
  }
}

}  // namespace

absl::Status ListMclass(Engine&, const pb::EmptyRequest&, pb::ListMclassResponse* response) {
  for (const auto& [name, mclass] : ModuleRegistry::Get().classes()) response->add_names(name);
  return absl::OkStatus();
}

absl::Status GetMclassInfo(Engine&, const pb::GetMclassInfoRequest& request,
                           pb::GetMclassInfoResponse* response) {
  if (request.name().empty()) return Error(EINVAL, "'name' is missing: which module class?");
  const auto mclass = ModuleRegistry::Get().Find(request.name());
  if (mclass == nullptr) {
    return Error(ENOENT, "there is no module class '", request.name(), "'");
  }
  response->set_name(std::string(mclass->info.name));
  response->set_help(std::string(mclass->info.help));
  bool has_initial_arg = false;
  for (const CommandClass& command : mclass->commands) {
    response->add_cmds(command.name);
    response->add_cmd_args(command.argument->name());
    has_initial_arg |= command.name == "get_initial_arg";
  }
  if (!has_initial_arg) {
    response->add_cmds("get_initial_arg");
    response->add_cmd_args("EmptyArg");
  }
  return absl::OkStatus();
}

absl::Status ResetModules(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.ResetModules();
}

absl::Status ListModules(Engine& engine, const pb::EmptyRequest&,
                         pb::ListModulesResponse* response) {
  const auto plan = engine.plan();
  for (const auto& [name, entry] : plan->graph->modules) {
    auto& module = *response->add_modules();
    module.set_name(name);
    module.set_mclass(std::string(entry->module->info().name));
    module.set_desc(entry->module->Description());
  }
  return absl::OkStatus();
}

absl::Status CreateModule(Engine& engine, const pb::CreateModuleRequest& request,
                          pb::CreateModuleResponse* response) {
  BESS_ASSIGN_OR_RETURN(const std::string name,
                        engine.CreateModule(request.name(), request.mclass(), request.arg()));
  response->set_name(name);
  return absl::OkStatus();
}

absl::Status DestroyModule(Engine& engine, const pb::DestroyModuleRequest& request,
                           pb::EmptyResponse*) {
  return engine.DestroyModule(request.name());
}

absl::Status GetModuleInfo(Engine& engine, const pb::GetModuleInfoRequest& request,
                           pb::GetModuleInfoResponse* response) {
  if (request.name().empty()) return Error(EINVAL, "'name' is missing: which module?");
  const auto plan = engine.plan();
  const ModuleEntry* entry = plan->graph->Find(request.name());
  if (entry == nullptr) return Error(ENOENT, "there is no module '", request.name(), "'");
  const Module& module = *entry->module;
  response->set_name(module.name());
  response->set_mclass(std::string(module.info().name));
  response->set_desc(module.Description());
  DescribeInputs(*plan->graph, module.name(), response);
  DescribeOutputs(*entry, response);
  DescribeAttributes(*plan, module, response);
  response->set_deadends(module.totals().dropped[static_cast<size_t>(DropReason::kDeadEnd)]);
  return absl::OkStatus();
}

absl::Status ConnectModules(Engine& engine, const pb::ConnectModulesRequest& request,
                            pb::EmptyResponse*) {
  return engine.Connect(request.m1(), request.ogate(), request.m2(), request.igate(),
                        !request.skip_default_hooks());
}

absl::Status DisconnectModules(Engine& engine, const pb::DisconnectModulesRequest& request,
                               pb::EmptyResponse*) {
  return engine.Disconnect(request.name(), request.ogate());
}

absl::Status ModuleCommand(Engine& engine, const pb::CommandRequest& request,
                           pb::CommandResponse* response) {
  google::protobuf::Any reply;
  BESS_RETURN_IF_ERROR(engine.RunCommand(request.name(), request.cmd(), request.arg(), &reply));
  if (!reply.type_url().empty()) *response->mutable_data() = std::move(reply);
  return absl::OkStatus();
}

}  // namespace bess::rpc
