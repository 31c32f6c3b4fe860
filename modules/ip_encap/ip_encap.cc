// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "core/packet/checksum.h"
#include "modules/ip_encap.pb.h"

namespace bess {
namespace {

constexpr uint8_t kVersionIhl = 0x45;  // version 4, five words
constexpr uint16_t kDontFragment = 0x4000;
constexpr uint8_t kTtl = 64;

// The checksum is summed from what goes into the header, which spares it from waiting until that
// can be read back. A packet that must not be fragmented needs no id of its own (RFC 6864, 4.1).
Ipv4Header MakeHeader(uint16_t length, uint8_t protocol, Be32 source, Be32 destination) {
  const ChecksumSum sum =
      ChecksumSum{Be16(kVersionIhl << 8).raw()} + Be16(length).raw() + Be16(kDontFragment).raw() +
      Be16(static_cast<uint16_t>(kTtl << 8 | protocol)).raw() + source.raw() + destination.raw();
  return {.version_ihl = kVersionIhl,
          .tos = 0,
          .total_length = Be16(length),
          .id = Be16(0),
          .fragment = Be16(kDontFragment),
          .ttl = kTtl,
          .protocol = protocol,
          .checksum = FinishChecksum(sum),
          .source = source,
          .destination = destination};
}

class IPEncap final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "IPEncap",
      .help = "puts an IPv4 header made from metadata before each packet",
      .template_name = "ip_encap",
  };

  absl::Status Init(const pb::IPEncapArg&) {
    constexpr auto kRead = AttributeMode::kRead, kWrite = AttributeMode::kWrite;
    BESS_RETURN_IF_ERROR(AddAttribute("ip_src", sizeof(Be32), kRead).status());
    BESS_RETURN_IF_ERROR(AddAttribute("ip_dst", sizeof(Be32), kRead).status());
    BESS_RETURN_IF_ERROR(AddAttribute("ip_proto", sizeof(uint8_t), kRead).status());
    BESS_RETURN_IF_ERROR(AddAttribute("ip_nexthop", sizeof(Be32), kWrite).status());
    return AddAttribute("ether_type", sizeof(Be16), kWrite).status();
  }

  void Process(Context& context, Batch& batch) {
    const Attributes at = {context.attribute(0), context.attribute(1), context.attribute(2),
                           context.attribute(3), context.attribute(4)};
    ForEach(context, batch, [&](PacketView packet) { return Encapsulate(packet.packet(), at); });
  }

 private:
  struct Attributes {
    AttributeRef source, destination, protocol, next_hop, ether_type;
  };

  static Verdict Encapsulate(Packet& packet, const Attributes& at) {
    const size_t length = packet.total_length() + sizeof(Ipv4Header);
    if (length > UINT16_MAX) return Verdict::Drop(DropReason::kTooLong);
    uint8_t* bytes = packet.Prepend(sizeof(Ipv4Header));
    if (bytes == nullptr) return Verdict::Drop(DropReason::kNoRoom);
    const auto destination = LoadUnaligned<Be32>(at.destination.Read(packet));
    StoreUnaligned(bytes, MakeHeader(static_cast<uint16_t>(length), *at.protocol.Read(packet),
                                     LoadUnaligned<Be32>(at.source.Read(packet)), destination));
    if (uint8_t* to = at.next_hop.Write(packet)) StoreUnaligned(to, destination);
    if (uint8_t* to = at.ether_type.Write(packet)) StoreUnaligned(to, Be16(kEtherTypeIpv4));
    return Verdict::Gate(0);
  }
};

REGISTER_MODULE(IPEncap);

}  // namespace
}  // namespace bess
