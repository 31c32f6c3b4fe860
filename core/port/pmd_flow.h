// SPDX-License-Identifier: Apache-2.0
//
// Rules in a network card that spread mobile-core traffic over the receive queues by what is
// inside the tunnel, so that all packets of a subscriber meet the same worker.
#pragma once

#include <rte_flow.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace bess {

// The interfaces of 3GPP TS 23.501 a port may face.
bool IsFlowProfile(uint32_t profile);

// Installs the rules of a profile over the queues 0..queues-1, adding them to `rules`. ENOTSUP
// with the driver's reason where the device cannot. Thread: control.
absl::Status InstallFlowProfile(uint16_t device, uint32_t profile, uint32_t queues,
                                std::vector<rte_flow*>* rules);

}  // namespace bess
