// SPDX-License-Identifier: Apache-2.0
//
// A lookup module beside an obvious slow way: both are shown the same packets while the table
// changes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/graph/module_tester.h"

namespace bess {

// Sends a batch of packets that make() makes. Each must leave by the one of `gates` gates that
// gate_of(packet) says, in order, or be dropped if there is none of that number.
template <typename Make, typename GateOf>
void ExpectGates(ModuleTester& tester, uint32_t gates, Make make, GateOf gate_of) {
  std::vector<std::string> packets;
  std::map<uint32_t, std::vector<std::string>> expected;
  for (uint32_t i = 0; i < kBatchSize; ++i) {
    packets.push_back(make());
    expected[gate_of(packets.back())].push_back(packets.back());
  }
  tester.Send(0, packets);
  for (uint32_t gate = 0; gate < gates; ++gate) {
    ASSERT_EQ(tester.Received(gate), expected[gate]) << "gate " << gate;
  }
}

}  // namespace bess
