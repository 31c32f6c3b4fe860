// SPDX-License-Identifier: Apache-2.0
#include "bess/util.pb.h"
#include "core/graph/module.h"
#include "core/packet/checksum.h"
#include "core/packet/ether_type.h"

namespace bess {
namespace {

Verdict AgeIpv4(Ipv4Header& ip) {
  if (ip.ttl <= 1) return Verdict::Drop(DropReason::kTtlExpired);
  --ip.ttl;
  // The TTL is the upper byte of a 16-bit word, and what stands in the lower does not matter.
  ip.checksum = UpdateChecksum(ip.checksum, Be16(0x0100), Be16(0x0000));
  return Verdict::Gate(0);
}

Verdict AgeIpv6(Ipv6Header& ip) {
  if (ip.hop_limit <= 1) return Verdict::Drop(DropReason::kTtlExpired);
  --ip.hop_limit;
  return Verdict::Gate(0);
}

// Decrements the IPv4 TTL and the IPv6 hop limit, as a router does.
class UpdateTTL final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "UpdateTTL",
      .help = "decrements the IPv4 TTL or IPv6 hop limit",
      .template_name = "update_ttl",
  };

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    ForEach(context, batch, [](PacketView packet) {
      if (Ipv4Header* ip = packet.Ipv4()) return AgeIpv4(*ip);
      if (Ipv6Header* ip = packet.Ipv6()) return AgeIpv6(*ip);
      // A broken IP packet let through would never age, and could run in a loop for ever.
      return ClaimsIp(packet) ? Verdict::Drop(DropReason::kMalformed) : Verdict::Gate(0);
    });
  }
};

REGISTER_MODULE(UpdateTTL);

}  // namespace
}  // namespace bess
