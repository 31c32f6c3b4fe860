// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "core/graph/gate_list.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "modules/replicate.pb.h"

namespace bess {
namespace {

constexpr uint32_t kOutputGates = 32;

class Replicate final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Replicate",
      .help = "sends packets to the first of several gates and copies to the others",
      .template_name = "repl",
      .ogates = kOutputGates,
  };
  static Commands<Replicate> commands() {
    return {{"set_gates", &Replicate::SetGates, CommandKind::kSets}};
  }

  absl::Status Init(const pb::ReplicateArg& arg) { return Change(arg.gates()); }
  absl::Status SetGates(const pb::ReplicateCommandSetGatesArg& arg) { return Change(arg.gates()); }

  void Process(Context& context, Batch& batch) {
    const std::vector<uint32_t>& gates = *gates_.Get();
    for (Packet* packet : batch) {
      for (size_t i = 1; i < gates.size(); ++i) EmitCopy(context, *packet, gates[i]);
    }
    context.Emit(gates[0], batch);
  }

 private:
  absl::Status Change(absl::Span<const int64_t> list) {
    BESS_ASSIGN_OR_RETURN(std::vector<uint32_t> gates,
                          ReadGates("gates", list, kOutputGates, kOutputGates));
    if (gates.empty()) gates.push_back(0);
    gates_.Swap(host(), std::make_unique<const std::vector<uint32_t>>(std::move(gates)));
    return absl::OkStatus();
  }

  // A copy that could not be made is in the books as one that was made and dropped, so that the
  // loss is seen.
  void EmitCopy(Context& context, Packet& packet, uint32_t gate) {
    context.ledger().created.Add(1);
    if (Packet* copy = PacketPool::Of(packet).Copy(packet)) {
      context.EmitOne(gate, copy);
      return;
    }
    const auto reason =
        packet.total_length() > kMaxPacketLength ? DropReason::kTooLong : DropReason::kNoBuffers;
    context.ledger().dropped[static_cast<size_t>(reason)].Add(1);
  }

  Versioned<std::vector<uint32_t>> gates_;  // at least one
};

REGISTER_MODULE(Replicate);

}  // namespace
}  // namespace bess
