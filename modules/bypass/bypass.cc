// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"
#include "core/graph/module.h"
#include "modules/bypass.pb.h"

namespace bess {
namespace {

// Passes packets from input gate i to output gate i, on request burning CPU time on the way, as
// a stand-in for real work.
class Bypass final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Bypass",
      .help = "passes packets on, from input gate i to output gate i",
      .igates = kMaxGates,
      .ogates = kMaxGates,
      .igates_alike = false,
  };

  absl::Status Init(const pb::BypassArg& arg) {
    cost_ = arg;
    free_of_charge_ =
        arg.cycles_per_batch() == 0 && arg.cycles_per_packet() == 0 && arg.cycles_per_byte() == 0;
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    if (!free_of_charge_) [[unlikely]]
      Burn(batch);
    context.Emit(context.igate(), batch);
  }

 private:
  void Burn(const Batch& batch) const {
    const uint64_t start = Cycles();
    uint64_t bytes = 0;
    for (const Packet* packet : batch) bytes += packet->total_length();
    const uint64_t cycles = cost_.cycles_per_batch() +
                            uint64_t{cost_.cycles_per_packet()} * batch.size() +
                            uint64_t{cost_.cycles_per_byte()} * bytes;
    while (Cycles() - start < cycles) __builtin_ia32_pause();
  }

  pb::BypassArg cost_;
  bool free_of_charge_ = true;
};

REGISTER_MODULE(Bypass);

}  // namespace
}  // namespace bess
