// SPDX-License-Identifier: Apache-2.0
//
// How long the random tests run. Each has a length of its own that is quick under a sanitizer;
// SOAK_PACKETS=10000000 in the environment asks each of them for so many packets (graphs, where it
// has no packets).
#pragma once

#include <cstdint>
#include <cstdlib>

namespace bess {

inline uint64_t SoakPackets(uint64_t normally) {
  const char* wanted = std::getenv("SOAK_PACKETS");
  return wanted == nullptr ? normally : std::strtoull(wanted, nullptr, 10);
}

}  // namespace bess
