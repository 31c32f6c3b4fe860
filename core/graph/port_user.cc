// SPDX-License-Identifier: Apache-2.0
#include "core/graph/port_user.h"

#include "core/base/status.h"

namespace bess {

absl::StatusOr<std::unique_ptr<PortLease>> LeaseNamedPort(Host& host, std::string_view port,
                                                          Direction direction,
                                                          std::string_view module) {
  if (port.empty()) return Error(EINVAL, "'port' must be the name of a port");
  auto lease = host.LeasePort(port, direction, module);
  if (StatusErrno(lease.status()) == ENOENT) return Error(ENODEV, lease.status().message());
  return lease;
}

}  // namespace bess
