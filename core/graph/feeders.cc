// SPDX-License-Identifier: Apache-2.0
#include "core/graph/feeders.h"

namespace bess {
namespace {

// Marks what can be reached from `start`, itself included, by steps to all of Neighbours(module).
template <typename Neighbours>
std::vector<bool> Reach(size_t size, uint32_t start, Neighbours neighbours) {
  std::vector<bool> seen(size);
  std::vector<uint32_t> open = {start};
  seen[start] = true;
  while (!open.empty()) {
    const uint32_t at = open.back();
    open.pop_back();
    for (const uint32_t next : neighbours(at)) {
      if (!seen[next]) open.push_back(next);
      seen[next] = true;
    }
  }
  return seen;
}

}  // namespace

std::vector<uint32_t> FeedersOf(const Topology& topology, uint32_t holder) {
  const auto upstream = Reach(topology.size(), holder, [&](uint32_t m) {
    const bool ends_here = m != holder && topology.sites[m].holds_packets;
    return ends_here ? absl::Span<const uint32_t>() : topology.up[m];
  });
  const auto downstream = Reach(topology.size(), holder, [&](uint32_t m) {
    std::vector<uint32_t> next;
    for (const auto& connection : topology.down[m]) next.push_back(connection.to);
    return next;
  });
  std::vector<uint32_t> feeders;
  for (uint32_t m = 0; m < topology.size(); ++m) {
    if (upstream[m] && !downstream[m] && topology.sites[m].has_tasks) feeders.push_back(m);
  }
  return feeders;
}

}  // namespace bess
