// SPDX-License-Identifier: Apache-2.0
//
// Hashes of what makes up a flow.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/mix_hash.h"
#include "core/packet/packet_view.h"

namespace bess {

// One of `n`, each as likely as the others.
inline size_t PickByHash(uint64_t hash, size_t n) {
  const uint64_t high = MixHash(hash, 0) >> 32;
  return static_cast<size_t>(high * n >> 32);
}

// The MAC addresses; nothing when there is no whole Ethernet header.
inline uint64_t HashMacs(PacketView packet, uint64_t hash) {
  const EthernetHeader* ethernet = packet.Ethernet();
  if (ethernet == nullptr) return hash;
  const auto middle = LoadUnaligned<uint16_t>(ethernet->source.data());
  hash = MixHash(hash, LoadUnaligned<uint32_t>(ethernet->destination.data() + 2));
  hash =
      MixHash(hash, uint64_t{LoadUnaligned<uint16_t>(ethernet->destination.data())} << 16 | middle);
  return MixHash(hash, LoadUnaligned<uint32_t>(ethernet->source.data() + 2));
}

// The IP addresses; of other packets the MAC addresses.
inline uint64_t HashAddresses(PacketView packet, uint64_t hash) {
  if (const Ipv4Header* ip = packet.Ipv4()) {
    return MixHash(hash, uint64_t{ip->source.raw()} << 32 | ip->destination.raw());
  }
  const Ipv6Header* ip = packet.Ipv6();
  if (ip == nullptr) return HashMacs(packet, hash);
  hash = MixHash(hash, LoadUnaligned<uint64_t>(ip->source.data()));
  hash = MixHash(hash, LoadUnaligned<uint64_t>(ip->source.data() + 8));
  hash = MixHash(hash, LoadUnaligned<uint64_t>(ip->destination.data()));
  return MixHash(hash, LoadUnaligned<uint64_t>(ip->destination.data() + 8));
}

// Protocol and ports as far as they are known. An IPv6 packet names its protocol only behind its
// extension headers, which may differ within a flow: the kind of the L4 header stands in for it.
inline uint64_t HashPorts(PacketView packet, uint64_t hash) {
  if (const TcpHeader* tcp = packet.Tcp()) {
    return MixHash(hash, uint64_t{kProtoTcp} << 32 | uint64_t{tcp->source_port.raw()} << 16 |
                             tcp->destination_port.raw());
  }
  if (const UdpHeader* udp = packet.Udp()) {
    return MixHash(hash, uint64_t{kProtoUdp} << 32 | uint64_t{udp->source_port.raw()} << 16 |
                             udp->destination_port.raw());
  }
  if (const Ipv4Header* ip = packet.Ipv4()) return MixHash(hash, ip->protocol);
  return MixHash(hash, packet.layout().l4_kind);
}

// Addresses, protocol and ports; of a fragment, which may not have its ports, only the addresses.
inline uint64_t HashFlow(PacketView packet, uint64_t hash) {
  hash = HashAddresses(packet, hash);
  if (packet.layout().l3() == L3::kNone || packet.layout().fragment) return hash;
  return HashPorts(packet, hash);
}

}  // namespace bess
