// SPDX-License-Identifier: Apache-2.0
//
// Runs one worker's part of a plan without a thread: a round is what a worker does between two
// looks at the published plan, first every cut cycle, then every task, once each.
#pragma once

#include <gtest/gtest.h>

#include "core/graph/plan.h"

namespace bess {

inline std::vector<uint32_t> WorkersOf(const Plan& plan, std::string_view module) {
  return WorkerList(plan.WorkersOf(*plan.graph->Find(module)));
}

// All nodes of a worker, part by part.
inline std::vector<const Node*> NodesOf(const Plan& plan, uint32_t worker) {
  std::vector<const Node*> nodes;
  for (const auto& part : plan.parts) {
    if (part == nullptr) continue;
    const auto its = part->workers.find(worker);
    if (its == part->workers.end()) continue;
    for (const Node& node : its->second.nodes) nodes.push_back(&node);
  }
  return nodes;
}

class PlanRunner {
 public:
  explicit PlanRunner(uint32_t worker = 0) : worker_(worker), context_(worker) {}

  // Runs this plan from now on. It must outlive the next Adopt or the last Round.
  void Adopt(const Plan& plan) {
    plan_ = plan.workers[worker_].get();
    nodes_ = NodesOf(plan, worker_);
    if (plan_ != nullptr) context_.Adopt(plan_->most_nodes, plan_->arena.get());
  }

  // Returns how many packets the tasks said they handled.
  uint64_t Round() {
    if (plan_ == nullptr) return 0;
    context_.BeginRound(++now_);
    for (const LoopSlot& slot : plan_->loops) {
      RunLoop(context_, slot);
      CheckNothingWaits();
    }
    uint64_t packets = 0;
    for (const TaskSlot& task : plan_->tasks) packets += RunTask(task);
    return packets;
  }
  void Rounds(int n) {
    while (n-- > 0) Round();
  }

  uint64_t RunTask(const TaskSlot& task) {
    const TaskResult result = context_.RunRoot(*task.root, [&](Context& context, Batch& batch) {
      return task.run(*task.module, context, batch, task.argument);
    });
    CheckNothingWaits();
    return result.packets;
  }

  Context& context() { return context_; }
  const WorkerPlan* plan() const { return plan_; }

 private:
  // Whatever began has ended when RunRoot returns.
  void CheckNothingWaits() {
    for (const Node* node : nodes_) {
      ASSERT_EQ(node->filling, nullptr);
      ASSERT_TRUE(node->full.empty());
    }
  }

  const uint32_t worker_;
  Context context_;
  const WorkerPlan* plan_ = nullptr;
  std::vector<const Node*> nodes_;
  uint64_t now_ = 0;
};

}  // namespace bess
