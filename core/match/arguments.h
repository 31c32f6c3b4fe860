// SPDX-License-Identifier: Apache-2.0
//
// Arguments that the matching classes have in common.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/graph/module.h"

namespace bess {

inline constexpr uint64_t kDefaultEntries = 32768;
inline constexpr uint64_t kMaxEntries = 1 << 26;

// How many rules there is room for; 0 stands for the default. EINVAL when that is too many.
inline absl::StatusOr<uint64_t> ReadEntries(uint64_t entries) {
  if (entries <= kMaxEntries) return entries != 0 ? entries : kDefaultEntries;
  return Error(EINVAL, "'entries' must be 0..", kMaxEntries, ", not ", entries);
}

// The gate of a rule, or of packets that no rule matches: a number, of which kMaxGates drops.
// EINVAL naming `what` for a number above.
inline absl::StatusOr<uint32_t> ReadGateOrDrop(std::string_view what, uint64_t gate) {
  BESS_RETURN_IF_ERROR(CheckGate(what, gate, kMaxGates + 1));
  return static_cast<uint32_t>(gate);
}

inline Verdict GateOrDrop(uint32_t gate, DropReason reason) {
  return gate == kMaxGates ? Verdict::Drop(reason) : Verdict::Gate(gate);
}

}  // namespace bess
