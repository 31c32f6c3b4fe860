// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "modules/ether_encap.pb.h"

namespace bess {
namespace {

class EtherEncap final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "EtherEncap",
      .help = "puts an Ethernet header made from metadata before each packet",
      .template_name = "ether_encap",
  };

  absl::Status Init(const pb::EtherEncapArg&) {
    constexpr auto kRead = AttributeMode::kRead;
    BESS_RETURN_IF_ERROR(AddAttribute("ether_src", sizeof(MacAddress), kRead).status());
    BESS_RETURN_IF_ERROR(AddAttribute("ether_dst", sizeof(MacAddress), kRead).status());
    return AddAttribute("ether_type", sizeof(Be16), kRead).status();
  }

  void Process(Context& context, Batch& batch) {
    const AttributeRef source = context.attribute(0), destination = context.attribute(1),
                       type = context.attribute(2);
    ForEach(context, batch, [=](PacketView view) {
      Packet& packet = view.packet();
      uint8_t* bytes = packet.Prepend(sizeof(EthernetHeader));
      if (bytes == nullptr) return Verdict::Drop(DropReason::kNoRoom);
      StoreUnaligned(bytes, EthernetHeader{LoadUnaligned<MacAddress>(destination.Read(packet)),
                                           LoadUnaligned<MacAddress>(source.Read(packet)),
                                           LoadUnaligned<Be16>(type.Read(packet))});
      return Verdict::Gate(0);
    });
  }
};

REGISTER_MODULE(EtherEncap);

}  // namespace
}  // namespace bess
