// SPDX-License-Identifier: Apache-2.0
#include "core/graph/gate_list.h"

namespace bess {

absl::StatusOr<std::vector<uint32_t>> ReadGates(std::string_view what,
                                                absl::Span<const int64_t> list, size_t most,
                                                uint32_t gates) {
  if (list.size() > most) {
    return Error(EINVAL, "'", what, "' takes at most ", most, " gates, not ", list.size());
  }
  std::vector<uint32_t> read;
  for (const int64_t gate : list) {
    if (gate < 0 || gate >= gates) {
      return Error(EINVAL, "'", what, "[", read.size(), "]' must be a gate, 0..", gates - 1,
                   ", not ", gate);
    }
    read.push_back(static_cast<uint32_t>(gate));
  }
  return read;
}

}  // namespace bess
