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
  // Whether it is one segment that nobody else refers to. Both in one comparison.
  bool alone() const {
    uint32_t both;
    std::memcpy(&both, reinterpret_cast<const uint8_t*>(&mbuf_) + offsetof(rte_mbuf, refcnt),
                sizeof(both));
    return both == 0x10001;
  }
  // The segment behind this one: nullptr at the end. Of it, data() and length() have a meaning.
  const Packet* next() const { return reinterpret_cast<const Packet*>(mbuf_.next); }
  Packet* next() { return reinterpret_cast<Packet*>(mbuf_.next); }

  uint8_t* data() { return rte_pktmbuf_mtod(&mbuf_, uint8_t*); }
  const uint8_t* data() const { return rte_pktmbuf_mtod(&mbuf_, const uint8_t*); }
  uint16_t headroom() const { return mbuf_.data_off; }
  // Bytes from the start of the data to the end of the buffer.
  uint32_t room() const { return uint32_t{mbuf_.buf_len} - mbuf_.data_off; }
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
  bool layout_known() const { return std::bit_cast<Layout>(mbuf_.hash.fdir.hi).parsed; }
  // To be called by whoever rewrites bytes that a layout depends on.
  void ForgetLayout() { mbuf_.hash.fdir.hi = 0; }
  // To be called instead by whoever has just made the packet, all its bytes and its length, a copy
  // of bytes with this layout.
  void AdoptLayout(Layout layout) { mbuf_.hash.fdir.hi = std::bit_cast<uint32_t>(layout); }

  uint8_t* metadata() { return metadata_; }
  const uint8_t* metadata() const { return metadata_; }

  // Makes a packet fresh from a pool one of `length` bytes, from `data_off` on in its buffer, with
  // nothing known about them. Where that is the same for all packets of a loop, what is written is
  // in a register.
  void Reset(uint16_t length, uint16_t data_off = kHeadroom) {
    constexpr uint64_t kRearm =
        uint64_t{1} << 16 | uint64_t{1} << 32 | uint64_t{RTE_MBUF_PORT_INVALID} << 48;
    const Words words = {kRearm | data_off, 0, uint64_t{length} << 32, length};
    std::memcpy(reinterpret_cast<uint8_t*>(&mbuf_) + offsetof(rte_mbuf, rearm_data), &words,
                sizeof(words));
    ForgetLayout();
  }

  rte_mbuf* mbuf() { return &mbuf_; }
  static Packet* FromMbuf(rte_mbuf* mbuf) { return reinterpret_cast<Packet*>(mbuf); }
  // Drivers fill arrays of rte_mbuf*; both arrays have the same bytes.
  static rte_mbuf** AsMbufs(Packet** packets) { return reinterpret_cast<rte_mbuf**>(packets); }

 private:
  // What Reset writes: data_off, refcnt, nb_segs and port; ol_flags; packet_type and pkt_len;
  // data_len, vlan_tci and hash.fdir.lo. The layout's word stands behind it.
  typedef uint64_t Words __attribute__((vector_size(32)));
  static_assert(offsetof(rte_mbuf, refcnt) == offsetof(rte_mbuf, data_off) + 2 &&
                offsetof(rte_mbuf, nb_segs) == offsetof(rte_mbuf, data_off) + 4 &&
                offsetof(rte_mbuf, port) == offsetof(rte_mbuf, data_off) + 6 &&
                offsetof(rte_mbuf, pkt_len) == offsetof(rte_mbuf, data_off) + 20 &&
                offsetof(rte_mbuf, data_len) == offsetof(rte_mbuf, data_off) + 24 &&
                offsetof(rte_mbuf, hash.fdir.hi) == offsetof(rte_mbuf, data_off) + sizeof(Words));

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
