// SPDX-License-Identifier: Apache-2.0
//
// What a FlowGen was told, checked and worked out: how often flows begin, how long they live, and
// the packet they are made from. Never changes once made.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/random.h"
#include "core/packet/headers.h"
#include "core/packet/layout.h"
#include "modules/flow_gen.pb.h"

namespace bess::flow_gen {

// How many flows there may be at once, and how many one may ask for: the lives of a Pareto
// distribution vary so much that there are at times twice as many as in the long run.
inline constexpr uint32_t kMaxFlows = 1 << 18;
inline constexpr uint32_t kMaxMeanFlows = kMaxFlows / 2;

// Values from a first one on, with wrap-around.
template <typename T>
struct Range {
  T first = 0;
  uint32_t count = 1;

  T Pick(Random& random) const { return static_cast<T>(first + random.Below(count)); }
};

struct Settings {
  uint64_t version = 0;  // another one for each update

  // The packet, with right checksums, and where its headers are.
  std::vector<uint8_t> packet;
  Layout layout;
  uint32_t payload = 0;  // bytes behind the TCP header; 0 for UDP

  Range<uint32_t> source, destination;  // the last four bytes of addresses
  Range<uint16_t> source_port, destination_port;

  double mean_flows = 0;     // at once, in the long run
  double arrival = 0;        // cycles from one flow's begin to the next one's, on average
  double packets = 0;        // of a flow, on average
  uint64_t interval = 0;     // cycles from one packet of a flow to the next
  bool exponential = false;  // arrivals
  bool pareto = false;       // lives
};

// A field that is 0 or empty stands for its default.
absl::StatusOr<Settings> MakeSettings(const pb::FlowGenArg& arg);

}  // namespace bess::flow_gen
