// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "core/packet/checksum.h"
#include "core/packet/ether_type.h"
#include "modules/ip_checksum.pb.h"

namespace bess {
namespace {

constexpr uint32_t kRight = 0, kWrong = 1;  // output gates

Verdict Compute(PacketView packet) {
  if (Ipv4Header* ip = packet.Ipv4()) {
    ip->checksum = Ipv4HeaderChecksum(*ip);
    return Verdict::Gate(kRight);
  }
  // There is no header whose checksum could be made right.
  return EtherType(packet) == kEtherTypeIpv4 ? Verdict::Drop(DropReason::kMalformed)
                                             : Verdict::Gate(kRight);
}

Verdict Verify(PacketView packet) {
  const Ipv4Header* ip = packet.Ipv4();
  const bool right = ip != nullptr ? Ipv4ChecksumHolds(*ip) : EtherType(packet) != kEtherTypeIpv4;
  return Verdict::Gate(right ? kRight : kWrong);
}

class IPChecksum final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "IPChecksum",
      .help = "computes or verifies the checksum of the IPv4 header",
      .template_name = "ip_checksum",
      .ogates = 2,
  };

  absl::Status Init(const pb::IPChecksumArg& arg) {
    verify_ = arg.verify();
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    verify_ ? ForEach(context, batch, Verify) : ForEach(context, batch, Compute);
  }

 private:
  bool verify_ = false;
};

REGISTER_MODULE(IPChecksum);

}  // namespace
}  // namespace bess
