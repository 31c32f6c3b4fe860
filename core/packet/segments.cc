// SPDX-License-Identifier: Apache-2.0
#include "core/packet/segments.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/packet/packet_pool.h"

namespace bess {
namespace {

// Calls visit(bytes, n) for each piece of the `n` bytes at `offset`, in order.
template <typename Segment, typename Visit>
void ForEachPiece(Segment& packet, size_t offset, size_t n, Visit visit) {
  for (Segment* segment = &packet; segment != nullptr && n > 0; segment = segment->next()) {
    const size_t skipped = std::min<size_t>(offset, segment->length());
    const size_t piece = std::min<size_t>(n, segment->length() - skipped);
    if (piece > 0) visit(segment->data() + skipped, piece);
    offset -= skipped;
    n -= piece;
  }
}

bool Has(const Packet& packet, size_t offset, size_t n) {
  return offset <= packet.total_length() && n <= packet.total_length() - offset;
}

// Takes the second segment out of the chain and frees it.
void DropSecond(Packet& packet) {
  rte_mbuf* second = packet.mbuf()->next;
  packet.mbuf()->next = std::exchange(second->next, nullptr);
  --packet.mbuf()->nb_segs;
  second->nb_segs = 1;
  Packet* freed = Packet::FromMbuf(second);
  FreePackets(&freed, 1);
}

}  // namespace

bool ReadBytes(const Packet& packet, size_t offset, absl::Span<uint8_t> to) {
  if (!Has(packet, offset, to.size())) return false;
  uint8_t* at = to.data();
  ForEachPiece(packet, offset, to.size(), [&at](const uint8_t* bytes, size_t n) {
    std::memcpy(at, bytes, n);
    at += n;
  });
  return true;
}

bool WriteBytes(Packet& packet, size_t offset, absl::Span<const uint8_t> from) {
  if (!Has(packet, offset, from.size())) return false;
  const uint8_t* at = from.data();
  ForEachPiece(packet, offset, from.size(), [&at](uint8_t* bytes, size_t n) {
    std::memcpy(bytes, at, n);
    at += n;
  });
  packet.ForgetLayout();
  return true;
}

// A piece that begins at an odd place contributes with its bytes swapped (RFC 1071, 2 (B)).
ChecksumSum SumBytes(const Packet& packet, size_t offset, size_t n) {
  ChecksumSum sum = 0;
  bool odd = false;
  ForEachPiece(packet, offset, n, [&](const uint8_t* bytes, size_t size) {
    const uint16_t piece = FoldChecksum(SumBytes({bytes, size}));
    sum += odd ? __builtin_bswap16(piece) : piece;
    odd ^= size % 2 == 1;
  });
  return sum;
}

void AddSegment(Packet& head, Packet* tail) {
  rte_pktmbuf_lastseg(head.mbuf())->next = tail->mbuf();
  head.mbuf()->nb_segs = static_cast<uint16_t>(head.segments() + tail->segments());
  head.mbuf()->pkt_len += tail->total_length();
  tail->mbuf()->pkt_len = tail->length();
  tail->mbuf()->nb_segs = 1;
}

void FreeTail(Packet& packet) {
  while (packet.next() != nullptr) DropSecond(packet);
  packet.mbuf()->pkt_len = packet.length();
}

bool PullUp(Packet& packet, uint32_t n) {
  if (n <= packet.length()) return true;
  if (n > packet.total_length() || n - packet.length() > packet.tailroom()) return false;
  packet.ForgetLayout();
  while (packet.length() < n) {
    Packet& second = *packet.next();
    const uint32_t piece = std::min<uint32_t>(n - packet.length(), second.length());
    std::memcpy(packet.data() + packet.length(), second.data(), piece);
    packet.mbuf()->data_len = static_cast<uint16_t>(packet.length() + piece);
    second.mbuf()->data_off = static_cast<uint16_t>(second.headroom() + piece);
    second.mbuf()->data_len = static_cast<uint16_t>(second.length() - piece);
    if (second.length() == 0) DropSecond(packet);
  }
  return true;
}

bool MakeLinear(Packet& packet) {
  if (packet.linear()) return true;
  if (!PullUp(packet, packet.total_length())) return false;
  FreeTail(packet);  // of segments without bytes
  return true;
}

}  // namespace bess
