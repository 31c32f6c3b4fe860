// SPDX-License-Identifier: Apache-2.0
#include "core/packet/layout.h"

#include <algorithm>

#include "core/packet/headers.h"

namespace bess {
namespace {

constexpr uint32_t kMaxL4Offset = (1u << 11) - 1;

// A read-only window that only ever shrinks. Get() is the one place where bytes become a header.
class Window {
 public:
  Window(const uint8_t* data, size_t length, size_t total)
      : data_(data), length_(length), total_(std::max(total, length)) {}

  template <typename T>
  const T* Get() const {
    return length_ < sizeof(T) ? nullptr : reinterpret_cast<const T*>(data_);
  }

  bool Advance(size_t n) {
    if (n > length_) return false;
    data_ += n;
    length_ -= n;
    total_ -= n;
    offset_ += static_cast<uint32_t>(n);
    return true;
  }

  // Cuts off what lies behind `n` bytes (link padding); false when the packet is shorter.
  bool Limit(size_t n) {
    if (n > total_) return false;
    total_ = n;
    length_ = std::min(length_, n);
    return true;
  }

  bool Has(size_t n) const { return n <= length_; }
  uint32_t offset() const { return offset_; }

 private:
  const uint8_t* data_;
  size_t length_;  // readable
  size_t total_;   // in all segments
  uint32_t offset_ = 0;
};

void SetL4(Layout& layout, const Window& window, L4 kind) {
  if (window.offset() > kMaxL4Offset) return;
  layout.l4_kind = static_cast<uint32_t>(kind);
}

void ParseL4(Layout& layout, const Window& window, uint8_t protocol) {
  switch (protocol) {
    case kProtoTcp: {
      const auto* tcp = window.Get<TcpHeader>();
      if (tcp != nullptr && tcp->header_length() >= sizeof(*tcp) &&
          window.Has(tcp->header_length())) {
        SetL4(layout, window, L4::kTcp);
      }
      break;
    }
    case kProtoUdp:
      if (window.Get<UdpHeader>() != nullptr) SetL4(layout, window, L4::kUdp);
      break;
    case kProtoIcmp:
      if (layout.l3() == L3::kIpv4 && window.Get<IcmpHeader>() != nullptr) {
        SetL4(layout, window, L4::kIcmp);
      }
      break;
    case kProtoIcmpv6:
      if (layout.l3() == L3::kIpv6 && window.Get<IcmpHeader>() != nullptr) {
        SetL4(layout, window, L4::kIcmpv6);
      }
      break;
    default:
      break;
  }
}

void ParseIpv4(Layout& layout, Window window) {
  const auto* ip = window.Get<Ipv4Header>();
  if (ip == nullptr || ip->version() != 4 || ip->header_length() < sizeof(*ip)) return;
  if (ip->total_length.value() < ip->header_length()) return;
  if (!window.Limit(ip->total_length.value()) || !window.Advance(ip->header_length())) return;
  layout.l3_kind = static_cast<uint32_t>(L3::kIpv4);
  layout.l4_offset = window.offset() & kMaxL4Offset;
  layout.fragment = ip->more_fragments() || ip->fragment_offset() != 0;
  if (ip->fragment_offset() == 0) ParseL4(layout, window, ip->protocol);
}

// Extension headers that start with {next header, length} (RFC 8200, 4; RFC 4302; RFC 6275).
struct Ipv6Extension {
  uint8_t next_header;
  uint8_t length;
  Be16 fragment;  // of the fragment header only
};

bool IsIpv6Extension(uint8_t protocol) {
  constexpr uint8_t kHopByHop = 0, kRouting = 43, kDestination = 60, kMobility = 135;
  return protocol == kHopByHop || protocol == kRouting || protocol == kDestination ||
         protocol == kMobility;
}

constexpr uint8_t kIpv6Fragment = 44;
constexpr uint8_t kIpv6Authentication = 51;

// The bytes the extension header `protocol` takes, or 0 when `protocol` is none.
uint32_t ExtensionLength(uint8_t protocol, const Ipv6Extension& extension) {
  if (protocol == kIpv6Fragment) return 8;
  if (protocol == kIpv6Authentication) return (extension.length + 2u) * 4u;
  return IsIpv6Extension(protocol) ? (extension.length + 1u) * 8u : 0;
}

// Steps over extension headers. False when the L4 header cannot be reached: cut short, too many,
// or a later fragment.
bool SkipIpv6Extensions(Layout& layout, Window& window, uint8_t& protocol) {
  for (uint32_t i = 0; i <= kMaxIpv6Extensions; ++i) {
    const auto* extension = window.Get<Ipv6Extension>();
    if (extension == nullptr) return false;
    const uint32_t length = ExtensionLength(protocol, *extension);
    if (length == 0) return true;
    if (protocol == kIpv6Fragment) {
      layout.fragment = 1;
      if (!window.Has(length) || (extension->fragment.value() & 0xfff8u) != 0) return false;
    }
    protocol = extension->next_header;
    if (!window.Advance(length)) return false;
  }
  return false;
}

void ParseIpv6(Layout& layout, Window window) {
  const auto* ip = window.Get<Ipv6Header>();
  if (ip == nullptr || ip->version() != 6) return;
  if (!window.Limit(sizeof(*ip) + ip->payload_length.value())) return;
  window.Advance(sizeof(*ip));
  layout.l3_kind = static_cast<uint32_t>(L3::kIpv6);
  uint8_t protocol = ip->next_header;
  if (!SkipIpv6Extensions(layout, window, protocol)) return;
  if (window.offset() > kMaxL4Offset) return;
  layout.l4_offset = window.offset();
  ParseL4(layout, window, protocol);
}

void ParseArp(Layout& layout, const Window& window) {
  const auto* arp = window.Get<ArpHeader>();
  if (arp == nullptr || arp->hardware_length != 6 || arp->protocol_length != 4) return;
  if (arp->protocol_type.value() != kEtherTypeIpv4) return;
  layout.l3_kind = static_cast<uint32_t>(L3::kArp);
}

// Returns the EtherType behind at most kMaxVlanTags tags; 0 when cut short.
uint16_t SkipVlanTags(Layout& layout, Window& window, uint16_t type) {
  while (type == kEtherTypeVlan || type == kEtherTypeQinQ) {
    const auto* tag = window.Get<VlanTag>();
    if (tag == nullptr || layout.vlan_tags == kMaxVlanTags) return 0;
    type = tag->type.value();
    window.Advance(sizeof(*tag));
    ++layout.vlan_tags;
  }
  return type;
}

}  // namespace

Layout ParseLayout(const uint8_t* data, size_t length, size_t total) {
  Layout layout;
  layout.parsed = 1;
  Window window(data, length, total);
  const auto* ethernet = window.Get<EthernetHeader>();
  if (ethernet == nullptr) return layout;
  layout.ethernet = 1;
  window.Advance(sizeof(*ethernet));
  const uint16_t type = SkipVlanTags(layout, window, ethernet->type.value());
  layout.l3_offset = window.offset();
  if (type == kEtherTypeIpv4) ParseIpv4(layout, window);
  if (type == kEtherTypeIpv6) ParseIpv6(layout, window);
  if (type == kEtherTypeArp) ParseArp(layout, window);
  return layout;
}

}  // namespace bess
