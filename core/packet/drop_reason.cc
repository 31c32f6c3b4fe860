// SPDX-License-Identifier: Apache-2.0
#include "core/packet/drop_reason.h"

namespace bess {
namespace {

constexpr std::array<std::string_view, kNumDropReasons> kNames = {
    "dead_end",        "no_gate",     "no_buffers", "truncated",      "malformed",
    "unsupported",     "ttl_expired", "denied",     "no_match",       "no_mapping",
    "ports_exhausted", "table_full",  "no_room",    "too_long",       "queue_full",
    "tx_full",         "loop_full",   "overload",   "module_removed",
};
static_assert(!kNames.back().empty(), "each reason has a name");

}  // namespace

std::string_view DropReasonName(DropReason reason) {
  const auto index = static_cast<size_t>(reason);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace bess
