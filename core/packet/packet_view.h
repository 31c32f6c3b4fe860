// SPDX-License-Identifier: Apache-2.0
//
// The one bounds-checked way to a packet's bytes. Every accessor returns nullptr unless the whole
// header asked for is inside the packet.
//
//   if (Ipv4Header* ip = packet.Ipv4()) ip->ttl = 64;
//   if (uint8_t* field = packet.Bytes(26, 4)) ...
//
// "The packet" means its first segment, where ports put the headers: a header module that takes
// nullptr for an answer copes with chains without knowing of them. What needs all bytes of a long
// packet finds them with segments.h.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/types/span.h"
#include "core/packet/headers.h"
#include "core/packet/packet.h"

namespace bess {

// A packet's headers, its layout read once: for more than one question to one packet. Valid until
// bytes move or the layout is forgotten.
class Headers {
 public:
  explicit Headers(Packet& packet) : layout_(packet.layout()), data_(packet.data()) {}

  Layout layout() const { return layout_; }

  EthernetHeader* Ethernet() const { return layout_.ethernet ? At<EthernetHeader>(0) : nullptr; }
  // The i-th VLAN tag, outermost first; its EtherType stands before it.
  VlanTag* Vlan(uint32_t i) const {
    if (i >= layout_.vlan_tags) return nullptr;
    return At<VlanTag>(sizeof(EthernetHeader) + i * sizeof(VlanTag));
  }
  ArpHeader* Arp() const { return L3At<ArpHeader>(L3::kArp); }
  Ipv4Header* Ipv4() const { return L3At<Ipv4Header>(L3::kIpv4); }
  Ipv6Header* Ipv6() const { return L3At<Ipv6Header>(L3::kIpv6); }
  TcpHeader* Tcp() const { return L4At<TcpHeader>(L4::kTcp); }
  UdpHeader* Udp() const { return L4At<UdpHeader>(L4::kUdp); }
  IcmpHeader* Icmp() const { return L4At<IcmpHeader>(L4::kIcmp); }
  IcmpHeader* Icmpv6() const { return L4At<IcmpHeader>(L4::kIcmpv6); }

 private:
  // The layout has proved the bounds.
  template <typename T>
  T* At(size_t offset) const {
    return reinterpret_cast<T*>(data_ + offset);
  }
  template <typename T>
  T* L3At(L3 kind) const {
    return layout_.l3() == kind ? At<T>(layout_.l3_offset) : nullptr;
  }
  template <typename T>
  T* L4At(L4 kind) const {
    return layout_.l4() == kind ? At<T>(layout_.l4_offset) : nullptr;
  }

  Layout layout_;
  uint8_t* data_;
};

class PacketView {
 public:
  explicit PacketView(Packet& packet) : packet_(&packet) {}

  Packet& packet() const { return *packet_; }
  uint16_t length() const { return packet_->length(); }

  Headers headers() const { return Headers(*packet_); }
  // One question each: see Headers.
  EthernetHeader* Ethernet() const { return headers().Ethernet(); }
  VlanTag* Vlan(uint32_t i) const { return headers().Vlan(i); }
  ArpHeader* Arp() const { return headers().Arp(); }
  Ipv4Header* Ipv4() const { return headers().Ipv4(); }
  Ipv6Header* Ipv6() const { return headers().Ipv6(); }
  TcpHeader* Tcp() const { return headers().Tcp(); }
  UdpHeader* Udp() const { return headers().Udp(); }
  IcmpHeader* Icmp() const { return headers().Icmp(); }
  IcmpHeader* Icmpv6() const { return headers().Icmpv6(); }

  Layout layout() const { return packet_->layout(); }

  // `n` bytes at `offset` from the start, to read.
  const uint8_t* Bytes(size_t offset, size_t n) const {
    return InBounds(offset, n) ? packet_->data() + offset : nullptr;
  }
  // The same, to write. Forgets the layout, since the bytes may belong to a header.
  uint8_t* MutableBytes(size_t offset, size_t n) const {
    if (!InBounds(offset, n)) return nullptr;
    packet_->ForgetLayout();
    return packet_->data() + offset;
  }

  // How long the IP payload is, from the L4 header on, link padding cut off, in all segments; 0
  // when there is no L4 offset.
  uint32_t L4Length() const;
  // Those bytes, as far as the first segment holds them.
  absl::Span<uint8_t> L4Bytes() const;

 private:
  bool InBounds(size_t offset, size_t n) const {
    return offset <= packet_->length() && n <= packet_->length() - offset;
  }

  Packet* packet_;
};

inline uint32_t PacketView::L4Length() const {
  const Headers found = headers();
  const Layout where = found.layout();
  if (where.l4_offset == 0) return 0;
  uint32_t end = where.l3_offset;
  if (const Ipv4Header* ip = found.Ipv4()) end += ip->total_length.value();
  if (const Ipv6Header* ip = found.Ipv6()) end += sizeof(*ip) + ip->payload_length.value();
  end = std::min(end, packet_->total_length());
  return end < where.l4_offset ? 0 : end - where.l4_offset;
}

inline absl::Span<uint8_t> PacketView::L4Bytes() const {
  const size_t offset = layout().l4_offset;
  if (offset == 0 || offset > packet_->length()) return {};
  return {packet_->data() + offset, std::min<size_t>(L4Length(), packet_->length() - offset)};
}

}  // namespace bess
