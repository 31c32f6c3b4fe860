// SPDX-License-Identifier: Apache-2.0
//
// A packet: a DPDK mbuf and, beside it, its metadata area. The header is private to the daemon;
// the data buffer may be shared with network functions. Code outside this room reaches bytes
// through PacketView, never through data() arithmetic.
//
// A packet longer than a buffer is a chain of several segments, each a Packet of which only the
// first counts: the others lend their bytes. Nothing but segments.h looks behind the first.
#pragma once

#include <rte_mbuf.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/packet/layout.h"

namespace bess {

// Bytes of metadata attributes a packet carries, and of free space before fresh data.
inline constexpr size_t kMetadataSize = 128;
inline constexpr uint16_t kHeadroom = RTE_PKTMBUF_HEADROOM;

class Packet {
 public:
  // Length of the first segment, and of all segments.
  uint16_t length() const { return mbuf_.data_len; }
  uint32_t total_length() const { return mbuf_.pkt_len; }
  bool linear() const { return mbuf_.nb_segs == 1; }
  uint16_t segments() const { return mbuf_.nb_segs; }
  // The segment behind this one: nullptr at the end. Of it, data() and length() have a meaning.
  const Packet* next() const { return reinterpret_cast<const Packet*>(mbuf_.next); }
  Packet* next() { return reinterpret_cast<Packet*>(mbuf_.next); }

  uint8_t* data() { return rte_pktmbuf_mtod(&mbuf_, uint8_t*); }
  const uint8_t* data() const { return rte_pktmbuf_mtod(&mbuf_, const uint8_t*); }
  uint16_t headroom() const { return mbuf_.data_off; }
  uint16_t tailroom() const {
    return static_cast<uint16_t>(mbuf_.buf_len - mbuf_.data_off - mbuf_.data_len);
  }

  // Each of these four returns nullptr (false) and changes nothing when there is no room or not
  // enough data in the first segment. They forget the layout. Append and RemoveBack need a linear
  // packet.
  uint8_t* Prepend(uint16_t n);
  uint8_t* Append(uint16_t n);
  bool RemoveFront(uint16_t n);
  bool RemoveBack(uint16_t n);
  // The same with any length: bytes are cut off at the end, or there are more, whatever is in them.
  bool Resize(uint16_t n);

  // The header layout, parsed when first asked for. It travels in the upper half of the hash
  // field, which is free on every packet that no flow-director rule marks.
  Layout layout() {
    const auto cached = std::bit_cast<Layout>(mbuf_.hash.fdir.hi);
    if (cached.parsed) [[likely]]
      return cached;
    const Layout parsed = ParseLayout(data(), length(), total_length());
    AdoptLayout(parsed);
    return parsed;
  }
  // To be called by whoever rewrites bytes that a layout depends on.
  void ForgetLayout() { mbuf_.hash.fdir.hi = 0; }
  // To be called instead by whoever has just made the packet, all its bytes and its length, a copy
  // of bytes with this layout.
  void AdoptLayout(Layout layout) { mbuf_.hash.fdir.hi = std::bit_cast<uint32_t>(layout); }

  uint8_t* metadata() { return metadata_; }
  const uint8_t* metadata() const { return metadata_; }

  // Makes a packet fresh from a pool one of `length` bytes with nothing known about them. Writes
  // all fields there are, so that the compiler makes a few wide stores of it.
  void Reset(uint16_t length) {
    mbuf_.data_off = kHeadroom;
    mbuf_.refcnt = 1;
    mbuf_.nb_segs = 1;
    mbuf_.port = RTE_MBUF_PORT_INVALID;
    mbuf_.ol_flags = 0;
    mbuf_.packet_type = 0;
    mbuf_.pkt_len = length;
    mbuf_.data_len = length;
    mbuf_.vlan_tci = 0;
    mbuf_.hash.fdir.lo = 0;
    ForgetLayout();
  }

  rte_mbuf* mbuf() { return &mbuf_; }
  static Packet* FromMbuf(rte_mbuf* mbuf) { return reinterpret_cast<Packet*>(mbuf); }
  // Drivers fill arrays of rte_mbuf*; both arrays have the same bytes.
  static rte_mbuf** AsMbufs(Packet** packets) { return reinterpret_cast<rte_mbuf**>(packets); }

 private:
  rte_mbuf mbuf_;
  alignas(RTE_CACHE_LINE_SIZE) uint8_t metadata_[kMetadataSize];
};
static_assert(sizeof(Packet) == sizeof(rte_mbuf) + kMetadataSize);

inline uint8_t* Packet::Prepend(uint16_t n) {
  if (n > headroom()) return nullptr;
  mbuf_.data_off = static_cast<uint16_t>(mbuf_.data_off - n);
  mbuf_.data_len = static_cast<uint16_t>(mbuf_.data_len + n);
  mbuf_.pkt_len += n;
  ForgetLayout();
  return data();
}

inline uint8_t* Packet::Append(uint16_t n) {
  if (!linear() || n > tailroom()) return nullptr;
  uint8_t* end = data() + length();
  mbuf_.data_len = static_cast<uint16_t>(mbuf_.data_len + n);
  mbuf_.pkt_len += n;
  ForgetLayout();
  return end;
}

inline bool Packet::RemoveFront(uint16_t n) {
  if (n > length()) return false;
  mbuf_.data_off = static_cast<uint16_t>(mbuf_.data_off + n);
  mbuf_.data_len = static_cast<uint16_t>(mbuf_.data_len - n);
  mbuf_.pkt_len -= n;
  ForgetLayout();
  return true;
}

inline bool Packet::RemoveBack(uint16_t n) {
  if (!linear() || n > length()) return false;
  mbuf_.data_len = static_cast<uint16_t>(mbuf_.data_len - n);
  mbuf_.pkt_len -= n;
  ForgetLayout();
  return true;
}

inline bool Packet::Resize(uint16_t n) {
  if (!linear() || n > mbuf_.buf_len - mbuf_.data_off) return false;
  mbuf_.data_len = n;
  mbuf_.pkt_len = n;
  ForgetLayout();
  return true;
}

}  // namespace bess
