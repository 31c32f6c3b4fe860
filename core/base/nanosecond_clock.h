// SPDX-License-Identifier: Apache-2.0
//
// The cycle counter in nanoseconds: it only rises, all workers see the same, and reading it costs
// one multiplication more than the counter itself. Times travel in packets and their metadata in
// this form.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace bess {

class NanosecondClock {
 public:
  uint64_t Now() const { return FromCycles(Cycles()); }
  uint64_t FromCycles(uint64_t cycles) const {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(cycles) * factor_ >> 32);
  }

 private:
  // Nanoseconds a cycle, times 2^32.
  uint64_t factor_ = static_cast<uint64_t>(1e9 / CyclesPerSecond() * 4294967296.0);
};

}  // namespace bess
