// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "core/packet/vlan.h"
#include "modules/vlan_split.pb.h"

namespace bess {
namespace {

class VLANSplit final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "VLANSplit",
      .help = "takes the outermost VLAN tag off and sends the packet to the gate of its VLAN",
      .template_name = "vlan_split",
      .ogates = kVlanIdMask + 1,
  };

  absl::Status Init(const pb::VLANSplitArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    ForEach(context, batch, [](PacketView packet) {
      const auto tci = PopVlanTag(packet.packet());
      return tci ? Verdict::Gate(*tci & kVlanIdMask) : Verdict::Drop(DropReason::kTruncated);
    });
  }
};

REGISTER_MODULE(VLANSplit);

}  // namespace
}  // namespace bess
