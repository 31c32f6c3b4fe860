// SPDX-License-Identifier: Apache-2.0
//
// A copy of a packet for somebody who looks at it far from the packet path.
#pragma once

#include <array>
#include <cstdint>

#include "core/packet/packet.h"
#include "core/packet/packet_pool.h"

namespace bess {

struct PacketSnapshot {
  // Any packet of one segment of the default size fits.
  static constexpr uint32_t kMostBytes = kHeadroom + kDefaultDataRoom;

  uint64_t time = 0;          // nanoseconds since the epoch
  uint32_t total_length = 0;  // of the packet
  uint32_t length = 0;        // of what is kept of it
  std::array<uint8_t, kMostBytes> bytes;
  std::array<uint8_t, kMetadataSize> metadata;

  // Keeps the first `most` bytes, 0..kMostBytes, of all segments together.
  void Take(Packet& packet, uint64_t now, uint32_t most);
};

}  // namespace bess
