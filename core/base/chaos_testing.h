// SPDX-License-Identifier: Apache-2.0
//
// How much the chaos tests do, those with "Chaos" in their names: a little, that is quick under a
// sanitizer, or with BESS_CHAOS in the environment all of it. `./build.py test --chaos` sets it.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace bess {

inline bool FullChaos() { return std::getenv("BESS_CHAOS") != nullptr; }

inline uint64_t Chaos(uint64_t normally, uint64_t full) { return FullChaos() ? full : normally; }

}  // namespace bess
