// SPDX-License-Identifier: Apache-2.0
//
// What a port can send of a burst goes first, and what it cannot stays the caller's at the end.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/packet/packet.h"

namespace bess {

// Moves the packets that do not fit behind the others, which keep their order, and returns how many
// fit. `fits` is asked once for each.
template <typename Fits>
uint32_t FitFirst(Packet** packets, uint32_t n, Fits fits) {
  for (uint32_t i = 0; i < n;) {
    if (fits(*packets[i])) [[likely]] {
      ++i;
    } else {
      std::rotate(packets + i, packets + i + 1, packets + n);
      --n;
    }
  }
  return n;
}

}  // namespace bess
