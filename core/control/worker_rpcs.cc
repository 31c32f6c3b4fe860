// SPDX-License-Identifier: Apache-2.0
#include "core/control/rpcs.h"

namespace bess::rpc {

absl::Status PauseWorker(Engine& engine, const pb::PauseWorkerRequest& request,
                         pb::EmptyResponse*) {
  return engine.PauseWorker(request.wid());
}

absl::Status ResumeWorker(Engine& engine, const pb::ResumeWorkerRequest& request,
                          pb::EmptyResponse*) {
  return engine.ResumeWorker(request.wid());
}

absl::Status ResetWorkers(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.ResetWorkers();
}

absl::Status ListWorkers(Engine& engine, const pb::EmptyRequest&,
                         pb::ListWorkersResponse* response) {
  for (const WorkerStatus& worker : engine.ListWorkers()) {
    auto& status = *response->add_workers_status();
    status.set_wid(worker.id);
    status.set_core(worker.core);
    status.set_running(worker.running);
    status.set_num_tcs(static_cast<int64_t>(worker.classes));
    status.set_silent_drops(static_cast<int64_t>(worker.dead_ends));
  }
  return absl::OkStatus();
}

absl::Status AddWorker(Engine& engine, const pb::AddWorkerRequest& request, pb::EmptyResponse*) {
  return engine.AddWorker(request.wid(), request.core(), request.scheduler());
}

absl::Status DestroyWorker(Engine& engine, const pb::DestroyWorkerRequest& request,
                           pb::EmptyResponse*) {
  return engine.DestroyWorker(request.wid());
}

// More workers than a module allows are refused when they are asked for, so no plan has them, and
// nothing here is fatal. Clients call this before every ResumeAll.
absl::Status CheckSchedulingConstraints(Engine& engine, const pb::EmptyRequest&,
                                        pb::CheckSchedulingConstraintsResponse* response) {
  for (const Misplacement& each : engine.FindMisplacements()) {
    response->add_modules()->set_name(each.module);
    for (const std::string& leaf : each.leaves) {
      auto& violation = *response->add_violations();
      violation.set_name(leaf);
      violation.set_constraint(static_cast<int32_t>(each.numa_nodes));
      violation.set_assigned_node(each.node);
      violation.set_assigned_core(each.core);
    }
  }
  return absl::OkStatus();
}

}  // namespace bess::rpc
