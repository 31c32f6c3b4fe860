// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/gate_list.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/round_robin.pb.h"

namespace bess {
namespace {

constexpr size_t kMaxListedGates = 16384;

struct Rotation {
  bool by_packet = false;
  std::vector<uint32_t> gates;
};

// True for "packet".
absl::StatusOr<bool> ReadMode(const std::string& mode) {
  if (mode == "packet") return true;
  if (mode == "batch" || mode.empty()) return false;
  return Error(EINVAL, "'mode' must be 'packet' or 'batch', not '", mode, "'");
}

// Each worker has a turn of its own: one that all share would cost more than the module does.
class RoundRobin final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "RoundRobin",
      .help = "spreads packets or batches over gates in turn",
      .template_name = "rr",
      .ogates = kMaxGates,
  };
  static Commands<RoundRobin> commands() {
    return {{"set_mode", &RoundRobin::SetMode, CommandKind::kSets},
            {"set_gates", &RoundRobin::SetGates, CommandKind::kSets}};
  }

  absl::Status Init(const pb::RoundRobinArg& arg) {
    Rotation rotation;
    BESS_ASSIGN_OR_RETURN(rotation.by_packet, ReadMode(arg.mode()));
    BESS_ASSIGN_OR_RETURN(rotation.gates, ReadGates("gates", arg.gates(), kMaxListedGates));
    return Use(std::move(rotation));
  }

  absl::Status SetMode(const pb::RoundRobinCommandSetModeArg& arg) {
    Rotation rotation = *rotation_.Get();
    BESS_ASSIGN_OR_RETURN(rotation.by_packet, ReadMode(arg.mode()));
    return Use(std::move(rotation));
  }

  absl::Status SetGates(const pb::RoundRobinCommandSetGatesArg& arg) {
    Rotation rotation = *rotation_.Get();
    BESS_ASSIGN_OR_RETURN(rotation.gates, ReadGates("gates", arg.gates(), kMaxListedGates));
    return Use(std::move(rotation));
  }

  void Placed(absl::Span<const uint32_t> workers) override {
    for (const uint32_t worker : workers) turns_.At(worker);
  }

  void Process(Context& context, Batch& batch) {
    const Rotation& rotation = *rotation_.Get();
    if (rotation.gates.empty()) return context.Drop(batch, DropReason::kNoGate);
    size_t& turn = turns_.At(context.worker());
    if (!rotation.by_packet) return context.Emit(TakeTurn(rotation.gates, turn), batch);
    Verdict verdicts[kBatchSize];
    for (uint32_t i = 0; i < batch.size(); ++i) {
      verdicts[i] = Verdict::Gate(TakeTurn(rotation.gates, turn));
    }
    context.Deliver(batch, verdicts);
  }

 private:
  static uint32_t TakeTurn(const std::vector<uint32_t>& gates, size_t& turn) {
    if (turn >= gates.size()) turn = 0;
    return gates[turn++];
  }

  absl::Status Use(Rotation rotation) {
    rotation_.Swap(host(), std::make_unique<const Rotation>(std::move(rotation)));
    return absl::OkStatus();
  }

  Versioned<Rotation> rotation_;
  PerWorker<size_t> turns_;  // which of the gates is next
};

REGISTER_MODULE(RoundRobin);

}  // namespace
}  // namespace bess
