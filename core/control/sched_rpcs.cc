// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"
#include "core/control/rpcs.h"

namespace bess::rpc {

absl::Status RemoveClass(Engine& engine, const native::RemoveClassRequest& request,
                         native::RemoveClassResponse*) {
  return engine.RemoveClass(request.name());
}

absl::Status MoveClass(Engine& engine, const native::MoveClassRequest& request,
                       native::MoveClassResponse*) {
  TcPlace place;
  place.parent = request.parent();
  if (request.place_case() == native::MoveClassRequest::kWorker) place.worker = request.worker();
  if (request.rank_case() == native::MoveClassRequest::kPriority) {
    place.priority = request.priority();
  }
  if (request.rank_case() == native::MoveClassRequest::kShare) place.share = request.share();
  return engine.MoveClass(request.name(), place);
}

absl::Status UpdateClass(Engine& engine, const native::UpdateClassRequest& request,
                         native::UpdateClassResponse*) {
  TcParams params = {.limit = request.limit(), .max_burst = request.max_burst()};
  BESS_ASSIGN_OR_RETURN(params.resource, ParseTcResource(request.resource()));
  return engine.UpdateClass(request.name(), params);
}

absl::Status GetWorkerUsage(Engine& engine, const native::GetWorkerUsageRequest&,
                            native::GetWorkerUsageResponse* response) {
  for (const WorkerStatus& status : engine.ListWorkers()) {
    auto& worker = *response->add_workers();
    worker.set_wid(status.id);
    worker.set_rounds(status.stats.rounds);
    worker.set_busy_rounds(status.stats.busy_rounds);
    worker.set_busy_cycles(status.stats.busy_cycles);
    worker.set_cycles(status.stats.cycles);
    worker.set_stalls(status.stalls.count);
    if (status.stalls.count == 0) continue;
    const Stall& stall = status.stalls.last;
    auto& last = *worker.mutable_last_stall();
    last.set_module(stall.module);
    last.set_class_(stall.traffic_class);
    last.set_timestamp(absl::ToDoubleSeconds(stall.seen - absl::UnixEpoch()));
    last.set_cpu_seconds(absl::ToDoubleSeconds(stall.cpu));
    last.set_over(stall.over);
  }
  response->set_cycles_per_second(CyclesPerSecond());
  return absl::OkStatus();
}

}  // namespace bess::rpc
