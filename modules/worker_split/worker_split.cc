// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <utility>

#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/worker_split.pb.h"

namespace bess {
namespace {

constexpr uint32_t kOutputGates = kMaxWorkers;
constexpr uint32_t kNoGate = kOutputGates;

using GateOfWorker = std::array<uint32_t, kMaxWorkers>;

class WorkerSplit final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "WorkerSplit",
      .help = "picks the output gate by the worker that runs it",
      .template_name = "ws",
      .ogates = kOutputGates,
  };
  static Commands<WorkerSplit> commands() {
    return {{"reset", &WorkerSplit::Reset, CommandKind::kSets}};
  }

  absl::Status Init(const pb::WorkerSplitArg& arg) { return Reset(arg); }

  absl::Status Reset(const pb::WorkerSplitArg& arg) {
    auto gates = std::make_unique<GateOfWorker>();
    for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
      (*gates)[worker] = arg.worker_gates().empty() ? worker : kNoGate;
    }
    for (const auto& [worker, gate] : arg.worker_gates()) {
      if (worker >= kMaxWorkers) {
        return Error(EINVAL, "a key of 'worker_gates' must be a worker, 0..", kMaxWorkers - 1,
                     ", not ", worker);
      }
      BESS_RETURN_IF_ERROR(
          CheckGate(absl::StrCat("worker_gates[", worker, "]"), gate, kOutputGates));
      (*gates)[worker] = gate;
    }
    gates_.Swap(host(), std::move(gates));
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const uint32_t gate = (*gates_.Get())[context.worker()];
    if (gate == kNoGate) return context.Drop(batch, DropReason::kNoMatch);
    context.Emit(gate, batch);
  }

 private:
  Versioned<GateOfWorker> gates_;
};

REGISTER_MODULE(WorkerSplit);

}  // namespace
}  // namespace bess
