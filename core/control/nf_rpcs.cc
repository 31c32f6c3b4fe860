// SPDX-License-Identifier: Apache-2.0
#include "core/control/rpcs.h"
#include "core/port/nf_port.h"

namespace bess::rpc {
namespace {

using State = native::NfPortState;

void Describe(const NfProcess& process, State::Process* out) {
  out->set_name(process.name);
  out->set_pid(process.pid);
  out->set_uid(process.uid);
  out->set_since(process.since);
  out->set_buffers(process.buffers);
}

void Describe(const NfEvents& events, State* out) {
  const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  auto& all = *out->mutable_events();
  // How attachments end before how many there are: never more ends than beginnings.
  all.set_detached(read(events.detached));
  all.set_died(read(events.died));
  all.set_violated(read(events.violated));
  all.set_stalled(read(events.stalled));
  all.set_refused(read(events.refused));
  all.set_attached(read(events.attached));
  for (size_t i = 0; i < kNfViolations; ++i) {
    const uint64_t times = read(events.violations[i]);
    if (times == 0) continue;
    auto& violation = *out->add_violations();
    violation.set_reason(ViolationText(static_cast<NfViolation>(i)));
    violation.set_times(times);
  }
}

void Describe(const NFPort& port, const google::protobuf::Any& argument, State* out) {
  pb::NFPortArg arg;
  argument.UnpackTo(&arg);
  out->set_port(port.name());
  out->set_trusted(arg.trusted());
  out->set_domain(arg.domain());
  const NfServer& server = port.server();
  if (const auto process = server.process()) Describe(*process, out->mutable_process());
  Describe(server.events(), out);
  out->set_overloaded(server.overloaded());
  out->set_copied(server.traffic().copied.load(std::memory_order_relaxed));
  out->set_no_buffers(server.traffic().no_buffers.load(std::memory_order_relaxed));
}

}  // namespace

absl::Status ListNfs(Engine& engine, const native::ListNfsRequest& request,
                     native::ListNfsResponse* response) {
  std::string other;  // a port that was asked for and is none of these
  const auto describe = [&](const Port& port, const google::protobuf::Any& argument) {
    if (const auto* nf_port = dynamic_cast<const NFPort*>(&port)) {
      Describe(*nf_port, argument, response->add_ports());
    } else if (other.empty()) {
      other = port.name();
    }
  };
  if (request.ports().empty()) engine.ports().VisitAll(describe);
  for (const std::string& name : request.ports()) {
    other.clear();
    BESS_RETURN_IF_ERROR(engine.ports().Visit(name, describe));
    if (!other.empty()) return Error(EINVAL, "port '", other, "' has no driver NFPort");
  }
  return absl::OkStatus();
}

}  // namespace bess::rpc
