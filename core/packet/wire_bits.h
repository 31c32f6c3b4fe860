// SPDX-License-Identifier: Apache-2.0
//
// How much of a link packets take: the unit of `bit` limits and shares, and of bit rates.
#pragma once

#include <cstdint>

#include "core/packet/batch.h"

namespace bess {

// Bytes on the wire beside the frame: preamble (8), checksum (4) and the gap to the next (12).
inline constexpr uint64_t kFrameOverhead = 24;

inline uint64_t WireBits(uint64_t packets, uint64_t bytes) {
  return (bytes + packets * kFrameOverhead) * 8;
}

inline uint64_t WireBits(const Batch& batch) {
  uint64_t bytes = 0;
  for (const Packet* packet : batch) bytes += packet->total_length();
  return WireBits(batch.size(), bytes);
}

}  // namespace bess
