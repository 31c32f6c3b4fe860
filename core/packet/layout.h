// SPDX-License-Identifier: Apache-2.0
//
// Where a packet's headers are, proved once. ParseLayout checks every bound a header view relies
// on; the result is one word that travels on the packet, so that later modules reuse the proof
// until something moves the bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bess {

enum class L3 : uint8_t { kNone, kIpv4, kIpv6, kArp };
enum class L4 : uint8_t { kNone, kTcp, kUdp, kIcmp, kIcmpv6 };

// A zero word is "not parsed yet". l3 and l4 are set only when the whole header (IPv4 and TCP
// options included) lies in the first segment and its length fields agree with the packet.
struct Layout {
  uint32_t parsed : 1 = 0;
  uint32_t ethernet : 1 = 0;
  uint32_t fragment : 1 = 0;  // an IP fragment of any offset
  uint32_t l3_kind : 2 = 0;
  uint32_t l4_kind : 3 = 0;
  uint32_t vlan_tags : 4 = 0;   // 0..kMaxVlanTags
  uint32_t l3_offset : 7 = 0;   // behind Ethernet and VLAN tags, whether l3 is known or not
  uint32_t l4_offset : 11 = 0;  // behind the IP header and its extensions; 0 when there is none

  L3 l3() const { return static_cast<L3>(l3_kind); }
  L4 l4() const { return static_cast<L4>(l4_kind); }
};
static_assert(sizeof(Layout) == sizeof(uint32_t));

inline constexpr uint32_t kMaxVlanTags = 8;
inline constexpr uint32_t kMaxIpv6Extensions = 8;

// `length` bytes at `data` can be read (the first segment); the packet has `total` bytes in all.
Layout ParseLayout(const uint8_t* data, size_t length, size_t total);

}  // namespace bess
