// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "core/packet/checksum.h"
#include "core/packet/ether_type.h"
#include "core/packet/segments.h"
#include "modules/l4_checksum.pb.h"

namespace bess {
namespace {

constexpr uint32_t kRight = 0, kWrong = 1;  // output gates

// What a TCP or UDP checksum covers, beside the pseudo-header, and where it stands.
struct Segment {
  Be16* checksum = nullptr;
  uint8_t protocol = 0;
  uint32_t offset = 0;  // of the L4 header
  uint32_t length = 0;  // bytes from there on
};

// No segment when there is no whole header or its length contradicts the packet.
Segment FindSegment(PacketView packet, const Headers& headers) {
  const uint32_t offset = headers.layout().l4_offset;
  const uint32_t l4 = packet.L4Length();
  if (TcpHeader* tcp = headers.Tcp()) return {&tcp->checksum, kProtoTcp, offset, l4};
  UdpHeader* udp = headers.Udp();
  if (udp == nullptr) return {};
  // Bytes of the IP packet behind the UDP length are no part of the datagram.
  const uint32_t length = udp->length.value();
  if (length < sizeof(*udp) || length > l4) return {};
  return {&udp->checksum, kProtoUdp, offset, length};
}

// Whether a packet in which no segment was found says that it has one.
bool ClaimsSegment(PacketView packet) {
  uint8_t protocol;
  if (const Ipv4Header* ip = packet.Ipv4()) {
    protocol = ip->protocol;
  } else if (const Ipv6Header* ip6 = packet.Ipv6()) {
    protocol = ip6->next_header;
  } else {
    return ClaimsIp(packet);
  }
  return protocol == kProtoTcp || protocol == kProtoUdp;
}

ChecksumSum SumOf(PacketView packet, const Segment& segment) {
  if (const uint8_t* bytes = packet.Bytes(segment.offset, segment.length)) [[likely]]
    return SumBytes({bytes, segment.length});
  return SumBytes(packet.packet(), segment.offset, segment.length);
}

ChecksumSum PseudoHeaderOf(const Headers& headers, const Segment& segment) {
  if (const Ipv4Header* ip = headers.Ipv4()) {
    return PseudoHeaderSum(*ip, segment.protocol, segment.length);
  }
  return PseudoHeaderSum(*headers.Ipv6(), segment.protocol, segment.length);
}

// The checksum over all that is covered, the checksum field included: 0 when that is right.
Be16 Check(PacketView packet, const Headers& headers, const Segment& segment) {
  return FinishChecksum(PseudoHeaderOf(headers, segment) + SumOf(packet, segment));
}

// Taking the old checksum out of the sum, instead of clearing the field first, spares the sum from
// waiting for that store.
void Compute(PacketView packet, const Headers& headers, const Segment& segment) {
  const Be16 check = Check(packet, headers, segment);
  const Be16 checksum = UpdateChecksum(check, *segment.checksum, Be16(0));
  *segment.checksum = segment.protocol == kProtoUdp ? UdpChecksum(checksum) : checksum;
}

bool IsRight(PacketView packet, const Headers& headers, const Segment& segment) {
  const bool none = segment.protocol == kProtoUdp && segment.checksum->raw() == 0;
  // A UDP datagram may do without one over IPv4, but not over IPv6 (RFC 768; RFC 8200, 8.1).
  if (none) return headers.Ipv4() != nullptr;
  return Check(packet, headers, segment).raw() == 0;
}

template <bool kVerify>
Verdict Judge(PacketView packet) {
  const Headers headers = packet.headers();
  // The checksum of a fragment covers bytes that are elsewhere.
  if (headers.layout().fragment) return Verdict::Gate(kRight);
  const Segment segment = FindSegment(packet, headers);
  if (segment.checksum == nullptr) {
    if (!ClaimsSegment(packet)) return Verdict::Gate(kRight);
    return kVerify ? Verdict::Gate(kWrong) : Verdict::Drop(DropReason::kMalformed);
  }
  if (kVerify) return Verdict::Gate(IsRight(packet, headers, segment) ? kRight : kWrong);
  Compute(packet, headers, segment);
  return Verdict::Gate(kRight);
}

class L4ChecksumModule final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "L4Checksum",
      .help = "computes or verifies TCP and UDP checksums",
      .template_name = "l4_checksum",
      .igates = kMaxGates,
      .ogates = 2,
  };

  absl::Status Init(const pb::L4ChecksumArg& arg) {
    verify_ = arg.verify();
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    verify_ ? ForEach(context, batch, Judge<true>) : ForEach(context, batch, Judge<false>);
  }

 private:
  bool verify_ = false;
};

REGISTER_MODULE(L4ChecksumModule);

}  // namespace
}  // namespace bess
