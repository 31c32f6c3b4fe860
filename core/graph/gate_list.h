// SPDX-License-Identifier: Apache-2.0
//
// The lists of output gates that clients send.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/graph/module.h"

namespace bess {

// At most `most` gates of 0..gates-1, or EINVAL naming the field `what`, the entry and the bound.
absl::StatusOr<std::vector<uint32_t>> ReadGates(std::string_view what,
                                                absl::Span<const int64_t> list, size_t most,
                                                uint32_t gates = kMaxGates);

}  // namespace bess
