// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <string>

#include "core/graph/module.h"
#include "core/packet/vlan.h"
#include "modules/vlan_push.pb.h"

namespace bess {
namespace {

class VLANPush final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "VLANPush",
      .help = "puts a VLAN tag on each packet, outside the tags it has",
      .template_name = "vlan_push",
  };
  static Commands<VLANPush> commands() {
    return {{"set_tci", &VLANPush::Init, CommandKind::kSets}};
  }

  absl::Status Init(const pb::VLANPushArg& arg) {
    if (arg.tci() > UINT16_MAX) {
      return Error(EINVAL, "'tci' must be 0..", UINT16_MAX, ", not ", arg.tci());
    }
    tci_.store(static_cast<uint16_t>(arg.tci()), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  std::string Description() const override {
    const uint16_t tci = tci_.load(std::memory_order_relaxed);
    return absl::StrCat("VLAN ", tci & kVlanIdMask, ", priority ", tci >> 13);
  }

  void Process(Context& context, Batch& batch) {
    const Be16 tci(tci_.load(std::memory_order_relaxed));
    ForEach(context, batch, [=](PacketView packet) {
      if (packet.length() < sizeof(EthernetHeader)) return Verdict::Drop(DropReason::kTruncated);
      const bool pushed = PushVlanTag(packet.packet(), tci);
      return pushed ? Verdict::Gate(0) : Verdict::Drop(DropReason::kNoRoom);
    });
  }

 private:
  std::atomic<uint16_t> tci_{0};
};

REGISTER_MODULE(VLANPush);

}  // namespace
}  // namespace bess
