// SPDX-License-Identifier: Apache-2.0
#include "core/control/describe.h"

#include <algorithm>
#include <utility>

namespace bess {
namespace {

void Put(native::Entry entry, Configuration* all) { (*all)[PathOf(entry)] = std::move(entry); }

bool Passes(const GateHook& hook) { return hook.hclass().info.passing; }

native::Entry DescribeHook(const std::string& module, const GateHook& hook) {
  native::Entry entry;
  native::GateHook& out = *entry.mutable_gate_hook();
  out.set_module(module);
  out.set_hclass(std::string(hook.hclass().info.name));
  out.set_name(hook.name());
  if (!hook.argument().type_url().empty()) *out.mutable_arg() = hook.argument();
  return entry;
}

void DescribeOutput(const std::string& module, uint32_t ogate, const OutGate& gate,
                    Configuration* all) {
  native::Entry entry;
  native::Connection& out = *entry.mutable_connection();
  out.set_from(module);
  out.set_ogate(ogate);
  out.set_to(gate.to);
  out.set_igate(gate.igate);
  out.set_skip_default_hooks(true);
  for (const auto& hook : gate.hooks) {
    if (hook->name() == gate.default_hook) {
      out.set_skip_default_hooks(false);
      continue;
    }
    if (Passes(*hook)) continue;
    native::Entry at_gate = DescribeHook(module, *hook);
    at_gate.mutable_gate_hook()->set_ogate(ogate);
    Put(std::move(at_gate), all);
  }
  Put(std::move(entry), all);
}

}  // namespace

void DescribeGates(const std::string& module, const ModuleEntry& entry, Configuration* all) {
  for (const auto& [ogate, gate] : entry.out) DescribeOutput(module, ogate, gate, all);
  for (const auto& [igate, hooks] : entry.in_hooks) {
    for (const auto& hook : hooks) {
      if (Passes(*hook)) continue;
      native::Entry at_gate = DescribeHook(module, *hook);
      at_gate.mutable_gate_hook()->set_igate(igate);
      Put(std::move(at_gate), all);
    }
  }
}

void DescribeClass(const std::string& name, const TrafficClass& tc, Configuration* all) {
  native::Entry entry;
  native::Class& out = *entry.mutable_class_();
  out.set_name(name);
  out.set_policy(std::string(Name(tc.params.policy)));
  const bool limits = tc.params.policy == TcPolicy::kRateLimit;
  if (limits || tc.params.policy == TcPolicy::kWeightedFair) {
    out.set_resource(std::string(Name(tc.params.resource)));
  }
  if (limits) {
    out.set_limit(tc.params.limit);
    out.set_max_burst(tc.params.max_burst);
  }
  if (!tc.place.parent.empty()) out.set_parent(tc.place.parent);
  if (tc.place.worker) out.set_worker(*tc.place.worker);
  if (tc.place.priority) out.set_priority(*tc.place.priority);
  if (tc.place.share) out.set_share(*tc.place.share);
  Put(std::move(entry), all);
}

void DescribeWorkers(const std::map<uint32_t, int>& workers, bool automatic, Configuration* all) {
  for (const auto& [id, core] : workers) {
    native::Entry entry;
    entry.mutable_worker()->set_wid(id);
    entry.mutable_worker()->set_core(core);
    entry.mutable_worker()->set_automatic(automatic && id == 0);
    Put(std::move(entry), all);
  }
}

void DescribeResumeHooks(const ResumeHooks& hooks, Configuration* all) {
  for (const auto& [name, installed] : hooks) {
    native::Entry entry;
    entry.mutable_resume_hook()->set_name(name);
    if (!installed.argument.type_url().empty()) {
      *entry.mutable_resume_hook()->mutable_arg() = installed.argument;
    }
    Put(std::move(entry), all);
  }
}

void DescribeShape(const PortShape& shape, native::Port* port) {
  port->set_num_inc_q(shape.rx_queues);
  port->set_num_out_q(shape.tx_queues);
  port->set_size_inc_q(shape.rx_size);
  port->set_size_out_q(shape.tx_size);
}

void DescribePort(const Port& port, const google::protobuf::Any& argument, const PortConfs& confs,
                  Configuration* all) {
  native::Entry entry;
  native::Port& out = *entry.mutable_port();
  out.set_name(port.name());
  out.set_driver(std::string(port.driver().info.name));
  DescribeShape(port.shape(), &out);
  if (!argument.type_url().empty()) *out.mutable_arg() = argument;
  const auto conf = confs.find(port.name());
  if (conf != confs.end()) *out.mutable_conf() = conf->second;
  Put(std::move(entry), all);
}

}  // namespace bess
