// SPDX-License-Identifier: Apache-2.0
//
// Putting VLAN tags on packets and taking them off (IEEE 802.1Q, 802.1ad). A tag stands behind the
// two addresses, so that all that moves is those 12 bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "core/packet/headers.h"
#include "core/packet/packet.h"

namespace bess {

inline constexpr uint16_t kVlanIdMask = 0x0fff;  // of a TCI

inline bool IsVlanType(uint16_t type) { return type == kEtherTypeVlan || type == kEtherTypeQinQ; }

namespace vlan_internal {

// Both MAC addresses. `to` and `from` may overlap: all is loaded before anything is stored.
inline void MoveAddresses(uint8_t* to, const uint8_t* from) {
  const auto first = LoadUnaligned<uint64_t>(from);
  const auto last = LoadUnaligned<uint32_t>(from + sizeof(first));
  StoreUnaligned(to, first);
  StoreUnaligned(to + sizeof(first), last);
}

inline constexpr size_t kTypeOffset = 2 * sizeof(MacAddress);

}  // namespace vlan_internal

// Puts a tag outside all others. Its EtherType is that of a service tag (802.1ad) when the packet
// has a tag already. The packet must have an Ethernet header; false, and nothing is changed, when
// there is no headroom.
inline bool PushVlanTag(Packet& packet, Be16 tci) {
  const uint8_t* before = packet.data();
  const uint16_t inner = LoadUnaligned<Be16>(before + vlan_internal::kTypeOffset).value();
  uint8_t* data = packet.Prepend(sizeof(VlanTag));
  if (data == nullptr) return false;
  vlan_internal::MoveAddresses(data, before);
  uint8_t* type = data + vlan_internal::kTypeOffset;
  StoreUnaligned(type, Be16(IsVlanType(inner) ? kEtherTypeQinQ : kEtherTypeVlan));
  StoreUnaligned(type + sizeof(Be16), tci);
  return true;
}

// Takes the outermost tag off and returns its TCI. A packet without a tag stays as it is and counts
// as one of TCI 0, which is no VLAN and no priority. nullopt, and nothing is changed, when the
// packet ends inside the Ethernet header or the tag.
inline std::optional<uint16_t> PopVlanTag(Packet& packet) {
  uint8_t* data = packet.data();
  if (packet.length() < sizeof(EthernetHeader)) return std::nullopt;
  const uint8_t* type = data + vlan_internal::kTypeOffset;
  if (!IsVlanType(LoadUnaligned<Be16>(type).value())) return 0;
  if (packet.length() < sizeof(EthernetHeader) + sizeof(VlanTag)) return std::nullopt;
  const uint16_t tci = LoadUnaligned<Be16>(type + sizeof(Be16)).value();
  vlan_internal::MoveAddresses(data + sizeof(VlanTag), data);
  packet.RemoveFront(sizeof(VlanTag));
  return tci;
}

}  // namespace bess
