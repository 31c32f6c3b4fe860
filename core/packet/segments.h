// SPDX-License-Identifier: Apache-2.0
//
// For what needs a packet's bytes behind its first segment. Header modules do not: PacketView
// shows them the first segment, and ports see to it that the headers are there (kHeaderRoom).
//
//   uint8_t id[4];
//   if (ReadBytes(packet, 3000, id)) ...
//   ChecksumSum sum = SumBytes(packet, view.layout().l4_offset, view.L4Length());
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "core/packet/checksum.h"
#include "core/packet/packet.h"

namespace bess {

// Every packet that came in by a port has this many bytes in its first segment, or all it has.
inline constexpr uint32_t kHeaderRoom = 256;

// Copies bytes from, or to, wherever they lie. False, and nothing is done, unless the packet has
// all of them. WriteBytes forgets the layout.
bool ReadBytes(const Packet& packet, size_t offset, absl::Span<uint8_t> to);
bool WriteBytes(Packet& packet, size_t offset, absl::Span<const uint8_t> from);

// The checksum's sum of `n` bytes at `offset`, as far as the packet has them.
ChecksumSum SumBytes(const Packet& packet, size_t offset, size_t n);

// Makes `tail` (of any number of segments, with a room of its own) the end of `head`.
void AddSegment(Packet& head, Packet* tail);
// Frees all segments but the first, and their bytes with them.
void FreeTail(Packet& packet);

// Moves bytes forward until the first segment holds `n`. False, and nothing is done, when the
// packet is shorter or the segment has no room for them. Forgets the layout.
bool PullUp(Packet& packet, uint32_t n);
// The same for all bytes; afterwards the packet is linear.
bool MakeLinear(Packet& packet);

}  // namespace bess
