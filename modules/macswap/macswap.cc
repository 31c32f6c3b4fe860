// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/graph/module.h"
#include "modules/macswap.pb.h"

namespace bess {
namespace {

class MACSwap final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "MACSwap",
      .help = "exchanges the source and destination MAC addresses",
      .template_name = "macswap",
  };

  absl::Status Init(const pb::MACSwapArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    ForEach(context, batch, [](PacketView packet) {
      // Addresses do not bear on the layout, which therefore stays known.
      EthernetHeader* ethernet = packet.Ethernet();
      if (ethernet == nullptr) return Verdict::Drop(DropReason::kTruncated);
      std::swap(ethernet->source, ethernet->destination);
      return Verdict::Gate(0);
    });
  }
};

REGISTER_MODULE(MACSwap);

}  // namespace
}  // namespace bess
