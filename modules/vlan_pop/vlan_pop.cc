// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "core/packet/vlan.h"
#include "modules/vlan_pop.pb.h"

namespace bess {
namespace {

class VLANPop final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "VLANPop",
      .help = "takes the outermost VLAN tag off each packet that has one",
      .template_name = "vlan_pop",
  };

  absl::Status Init(const pb::VLANPopArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    ForEach(context, batch, [](PacketView packet) {
      const bool whole = PopVlanTag(packet.packet()).has_value();
      return whole ? Verdict::Gate(0) : Verdict::Drop(DropReason::kTruncated);
    });
  }
};

REGISTER_MODULE(VLANPop);

}  // namespace
}  // namespace bess
