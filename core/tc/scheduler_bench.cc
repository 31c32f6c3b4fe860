// SPDX-License-Identifier: Apache-2.0
//
// What a decision costs: choosing a leaf, one reading of the clock and all the accounting, with
// leaves that always have work. Prints a line for each tree: policy, leaves, and cycles a decision,
// the median of many short stretches, so that whatever else the machine does stays out of the
// figure.
#include <algorithm>
#include <iostream>
#include <vector>

#include "core/base/clock.h"
#include "core/tc/scheduler.h"

namespace bess {
namespace {

constexpr int kStretches = 2000;
constexpr int kDecisions = 1000;  // a stretch

ClassTree Flat(TcPolicy policy, uint32_t leaves) {
  ClassTree tree;
  tree.Add("top", {policy, TcResource::kCycle}, {.worker = 0}).IgnoreError();
  for (uint32_t i = 0; i < leaves; ++i) {
    tree.AddLeaf("m", i);
    tree.Move(LeafName("m", i), {.parent = "top", .priority = i, .share = 1 + i % 1000})
        .IgnoreError();
  }
  return tree;
}

double CyclesPerDecision(const ClassTree& tree) {
  TcScheduler scheduler(tree, 0, static_cast<uint64_t>(CyclesPerSecond()));
  uint64_t now = Cycles();
  scheduler.Adopt(now);
  std::vector<uint64_t> stretches;
  for (int i = 0; i < kStretches; ++i) {
    const uint64_t start = now;
    for (int k = 0; k < kDecisions; ++k) {
      const uint32_t leaf = scheduler.Next(now);
      const uint64_t after = Cycles();
      scheduler.Ran(leaf, {1, after - now, 32, 32 * 512}, /*blocked=*/false, after);
      now = after;
    }
    stretches.push_back(now - start);
  }
  std::nth_element(stretches.begin(), stretches.begin() + kStretches / 2, stretches.end());
  return static_cast<double>(stretches[kStretches / 2]) / kDecisions;
}

void Print() {
  for (const TcPolicy policy :
       {TcPolicy::kRoundRobin, TcPolicy::kWeightedFair, TcPolicy::kPriority}) {
    for (const uint32_t leaves : {1u, 64u, 1024u}) {
      std::cout << Name(policy) << " " << leaves << " " << CyclesPerDecision(Flat(policy, leaves))
                << "\n";
    }
  }
}

}  // namespace
}  // namespace bess

int main() { bess::Print(); }
