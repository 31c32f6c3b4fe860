// SPDX-License-Identifier: Apache-2.0
//
// A limit per second, kept in time instead of tokens: each unit used costs cycles, and a class may
// run again when all it has used is paid for. Unused time piles up to max_burst and no further.
// One multiplication a charge, no division; exact to 2^-32 of a cycle from 1 unit a second to
// hundreds of units a cycle.
//
//   now <= paid    it waits until `paid`
//   charge         paid = max(paid + used * price, now - burst)
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/tc/class_state.h"

namespace bess {

class Rate {
 public:
  Rate() = default;
  // `limit` a second, 0 for no limit; `hz` cycles a second. Both amounts up to 1e15.
  Rate(uint64_t limit, uint64_t max_burst, uint64_t hz)
      : price_(limit == 0 ? 0 : PriceOf(limit, hz)),
        burst_(std::max(Cost(max_burst), Uint128{hz / kMinBurst} << 32)) {}

  // In cycles << 32; 0: no limit.
  uint64_t price() const { return price_; }

  // Returns when the class may run again: 0 for at once.
  uint64_t Charge(Uint128& paid, uint64_t used, uint64_t now) const {
    if (price_ == 0) return 0;
    const Uint128 now128 = Uint128{now} << 32;
    paid = std::max(paid + Cost(used), now128 > burst_ ? now128 - burst_ : 0);
    return paid > now128 ? ReadyAt(paid) : 0;
  }
  static uint64_t ReadyAt(Uint128 paid) { return static_cast<uint64_t>(paid >> 32) + 1; }

 private:
  // No wait is longer than this many cycles: some twenty years.
  static constexpr Uint128 kMaxCost = Uint128{1} << (61 + 32);
  // What is used in 1/kMinBurst of a second may always pile up: a worker has other tasks to run,
  // and no class is lost because its turn comes that much late.
  static constexpr uint64_t kMinBurst = 20000;

  static uint64_t PriceOf(uint64_t limit, uint64_t hz) {
    const Uint128 price = ((Uint128{hz} << 32) + limit / 2) / limit;
    return static_cast<uint64_t>(std::clamp<Uint128>(price, 1, UINT64_MAX));
  }
  Uint128 Cost(uint64_t used) const { return std::min(Uint128{used} * price_, kMaxCost); }

  uint64_t price_ = 0;
  Uint128 burst_ = 0;
};

}  // namespace bess
