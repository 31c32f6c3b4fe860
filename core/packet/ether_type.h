// SPDX-License-Identifier: Apache-2.0
//
// What a frame says it carries, whether that is then there or not.
#pragma once

#include "core/packet/packet_view.h"

namespace bess {

// The EtherType behind the VLAN tags, 0 of a frame too short to have one.
inline uint16_t EtherType(PacketView packet) {
  const Layout layout = packet.layout();
  if (!layout.ethernet) return 0;
  const uint8_t* bytes = packet.Bytes(layout.l3_offset - sizeof(Be16), sizeof(Be16));
  return LoadUnaligned<Be16>(bytes).value();
}

// Asked of packets in which no whole IP header was found.
inline bool ClaimsIp(PacketView packet) {
  const uint16_t type = EtherType(packet);
  return type == kEtherTypeIpv4 || type == kEtherTypeIpv6;
}

}  // namespace bess
