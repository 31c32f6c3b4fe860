// SPDX-License-Identifier: Apache-2.0
//
// Rules that commands add to, remove from or exchange as a whole while packets are looked up in
// them, and the gate for packets that none of them matches. Both are exchanged as one.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

#include "core/graph/versioned.h"
#include "core/match/arguments.h"

namespace bess {

// What a set of rules is derived from. Thread: any reads, control writes.
class WithDefaultGate {
 public:
  // The gate of packets that no rule matches; kMaxGates drops.
  uint32_t Default() const { return default_gate_.load(std::memory_order_relaxed); }
  Verdict Miss() const { return GateOrDrop(Default(), DropReason::kNoMatch); }
  // EINVAL naming `what` for a number above kMaxGates.
  absl::Status SetDefault(std::string_view what, uint64_t gate) {
    BESS_ASSIGN_OR_RETURN(const uint32_t checked, ReadGateOrDrop(what, gate));
    default_gate_.store(checked, std::memory_order_relaxed);
    return absl::OkStatus();
  }
  void TakeDefaultOf(const WithDefaultGate& other) {
    default_gate_.store(other.Default(), std::memory_order_relaxed);
  }

 private:
  std::atomic<uint32_t> default_gate_{kMaxGates};
};

template <typename Rules>
class LiveRules {
 public:
  // Thread: any; changed by control only. Valid until the worker's current task ends.
  Rules& Get() const { return **rules_.Get(); }

  // Thread: control, one at a time; so are all below.
  void Swap(Host& host, std::unique_ptr<Rules> made) {
    rules_.Swap(host, std::make_unique<const std::unique_ptr<Rules>>(std::move(made)));
  }
  // Swaps in `empty` with the present default gate.
  void Clear(Host& host, std::unique_ptr<Rules> empty) {
    empty->TakeDefaultOf(Get());
    Swap(host, std::move(empty));
  }

 private:
  Versioned<std::unique_ptr<Rules>> rules_;
};

}  // namespace bess
