// SPDX-License-Identifier: Apache-2.0
//
// How a module comes by the port its argument names.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/graph/host.h"

namespace bess {

// As Host::LeasePort with the errors BESS clients know: EINVAL when no port is named, ENODEV when
// there is none of that name.
absl::StatusOr<std::unique_ptr<PortLease>> LeaseNamedPort(Host& host, std::string_view port,
                                                          Direction direction,
                                                          std::string_view module);

}  // namespace bess
