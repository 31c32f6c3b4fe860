// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bess/util.pb.h"
#include "core/base/parse.h"
#include "core/graph/module.h"
#include "core/graph/versioned.h"
#include "core/packet/ether_type.h"
#include "modules/arp_responder.pb.h"

namespace bess {
namespace {

constexpr uint16_t kHardwareEthernet = 1;
constexpr uint16_t kRequest = 1, kReply = 2;
constexpr size_t kMaxOwners = 65536;

// A host on whose behalf requests are answered.
struct Owner {
  uint32_t ip = 0;
  MacAddress mac{};
};

// By increasing address.
using Owners = std::vector<Owner>;

Owners::const_iterator LowerBound(const Owners& owners, uint32_t ip) {
  return std::lower_bound(owners.begin(), owners.end(), ip,
                          [](const Owner& owner, uint32_t wanted) { return owner.ip < wanted; });
}

bool IsGroup(const MacAddress& mac) { return (mac[0] & 1) != 0; }

absl::StatusOr<Owner> ReadOwner(const pb::ArpResponderArg& arg) {
  Owner owner;
  BESS_ASSIGN_OR_RETURN(owner.ip, ParseIpv4(arg.ip()));
  BESS_ASSIGN_OR_RETURN(owner.mac, ParseMac(arg.mac_addr()));
  constexpr uint32_t kFirstMulticast = 0xe0000000;
  if (owner.ip == 0 || owner.ip >= kFirstMulticast) {
    return Error(EINVAL, "'ip' must be the address of one host, not ", arg.ip());
  }
  if (IsGroup(owner.mac) || owner.mac == MacAddress{}) {
    return Error(EINVAL, "'mac_addr' must be the address of one host, not ", arg.mac_addr());
  }
  return owner;
}

DropReason WhyNoArp(PacketView packet) {
  if (packet.Ethernet() == nullptr) return DropReason::kTruncated;
  const bool cut = EtherType(packet) == kEtherTypeArp &&
                   packet.Bytes(packet.layout().l3_offset, sizeof(ArpHeader)) == nullptr;
  return cut ? DropReason::kTruncated : DropReason::kUnsupported;
}

// Turns a request into the reply to it (RFC 826).
void TurnRound(EthernetHeader& ethernet, ArpHeader& arp, const MacAddress& answer) {
  arp.operation = kReply;
  arp.target_mac = arp.sender_mac;
  arp.sender_mac = answer;
  std::swap(arp.sender_ip, arp.target_ip);
  ethernet.destination = arp.target_mac;
  ethernet.source = answer;
}

Verdict Answer(PacketView packet, const Owners& owners) {
  ArpHeader* arp = packet.Arp();
  if (arp == nullptr) return Verdict::Drop(WhyNoArp(packet));
  if (arp->hardware_type.value() != kHardwareEthernet || arp->operation.value() != kRequest) {
    return Verdict::Drop(DropReason::kUnsupported);
  }
  // Who asks in the name of a group wants the answer sent to everybody in it.
  if (IsGroup(arp->sender_mac)) return Verdict::Drop(DropReason::kMalformed);
  const uint32_t wanted = arp->target_ip.value();
  const auto found = LowerBound(owners, wanted);
  if (found == owners.end() || found->ip != wanted) return Verdict::Drop(DropReason::kNoMatch);
  TurnRound(*packet.Ethernet(), *arp, found->mac);
  return Verdict::Gate(0);
}

class ArpResponder final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "ArpResponder",
      .help = "answers ARP requests for the addresses it was told",
      .template_name = "arp_responder",
  };
  static Commands<ArpResponder> commands() {
    return {{"add", &ArpResponder::Add, &pb::ArpResponderArg::ip}};
  }

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }

  absl::Status Add(const pb::ArpResponderArg& arg) {
    BESS_ASSIGN_OR_RETURN(const Owner owner, ReadOwner(arg));
    auto owners = std::make_unique<Owners>(*owners_.Get());
    const auto at = owners->begin() + (LowerBound(*owners, owner.ip) - owners->cbegin());
    if (at != owners->end() && at->ip == owner.ip) {
      at->mac = owner.mac;
    } else if (owners->size() == kMaxOwners) {
      return Error(ENOSPC, "there are ", kMaxOwners, " addresses; ", arg.ip(), " is one too many");
    } else {
      owners->insert(at, owner);
    }
    owners_.Swap(host(), std::move(owners));
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    const Owners& owners = *owners_.Get();
    ForEach(context, batch, [&](PacketView packet) { return Answer(packet, owners); });
  }

 private:
  Versioned<Owners> owners_;
};

REGISTER_MODULE(ArpResponder);

}  // namespace
}  // namespace bess
