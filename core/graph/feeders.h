// SPDX-License-Identifier: Apache-2.0
//
// Whose tasks a full module has to stop: those whose packets arrive there.
#pragma once

#include <cstdint>
#include <vector>

#include "core/graph/topology.h"

namespace bess {

// The modules whose tasks bring packets to `holder`, a module that holds them, by their place in
// the graph and in no particular order. Behind another module that holds packets it is that one's
// task; if that one brakes too, its own feeders stop in turn, and so on from hop to hop.
// A module to which packets come back from `holder` is left out: in a cycle that is full, somebody
// has to go on.
std::vector<uint32_t> FeedersOf(const Topology& topology, uint32_t holder);

}  // namespace bess
