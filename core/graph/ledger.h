// SPDX-License-Identifier: Apache-2.0
//
// The books of a module. Over all modules, always:
//
//   created = consumed + dropped + held
//
// created: packets that came to be here (received from a port, generated, copied)
// consumed: packets that ended here as they should (sent by a port, taken by a Sink)
// dropped: packets that ended here otherwise, by reason
// held: packets waiting inside (a Queue, the buffer of a cycle)
#pragma once

#include <array>
#include <cstdint>

#include "core/base/counter.h"
#include "core/packet/drop_reason.h"

namespace bess {

// One worker's share. Written by that worker only.
struct Ledger {
  Counter created;
  Counter consumed;
  std::array<Counter, kNumDropReasons> dropped;
};

// A sum over workers, at one moment.
struct LedgerTotals {
  uint64_t created = 0;
  uint64_t consumed = 0;
  DropCounts dropped{};

  uint64_t all_dropped() const {
    uint64_t sum = 0;
    for (const uint64_t n : dropped) sum += n;
    return sum;
  }
  LedgerTotals& operator+=(const LedgerTotals& other) {
    created += other.created;
    consumed += other.consumed;
    for (size_t i = 0; i < kNumDropReasons; ++i) dropped[i] += other.dropped[i];
    return *this;
  }
  LedgerTotals& operator+=(const Ledger& ledger) {
    created += ledger.created.Get();
    consumed += ledger.consumed.Get();
    for (size_t i = 0; i < kNumDropReasons; ++i) dropped[i] += ledger.dropped[i].Get();
    return *this;
  }
};

}  // namespace bess
