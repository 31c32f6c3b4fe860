// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "bess/util.pb.h"
#include "core/graph/module.h"
#include "core/packet/ether_type.h"

namespace bess {
namespace {

// TCP or UDP. No checksum changes: it is a sum, and its terms only change places.
template <typename Header>
void SwapPorts(Header* l4) {
  if (l4 != nullptr) std::swap(l4->source_port, l4->destination_port);
}

template <typename Header>
bool SwapAddresses(Header* ip) {
  if (ip == nullptr) return false;
  std::swap(ip->source, ip->destination);
  return true;
}

// Neither addresses nor ports bear on the layout, which therefore stays known.
Verdict SwapEnds(PacketView packet) {
  if (!SwapAddresses(packet.Ipv4()) && !SwapAddresses(packet.Ipv6())) {
    return ClaimsIp(packet) ? Verdict::Drop(DropReason::kMalformed) : Verdict::Gate(0);
  }
  SwapPorts(packet.Tcp());
  SwapPorts(packet.Udp());
  return Verdict::Gate(0);
}

class IPSwap final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "IPSwap",
      .help = "exchanges source and destination IP addresses and TCP or UDP ports",
      .template_name = "ipswap",
  };

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) { ForEach(context, batch, SwapEnds); }
};

REGISTER_MODULE(IPSwap);

}  // namespace
}  // namespace bess
