// SPDX-License-Identifier: Apache-2.0
//
// The two ends of a graph under test, modules themselves: one sends packets in, one takes what
// comes out. So the graph is an ordinary one, and its books are those of ordinary modules.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "bess/util.pb.h"
#include "core/graph/module.h"

namespace bess::packet_tests {

class Injector final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "TestInjector", .help = "sends packets in", .igates = 0, .ogates = kMaxGates};

  absl::Status Init(const pb::EmptyArg&) { return AddTask(0); }

  // One batch of what waits, out by `gate`.
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    while (!waiting.empty() && !batch.full()) {
      batch.Add(waiting.front());
      waiting.pop_front();
    }
    context.ledger().created.Add(batch.size());
    const TaskResult result = {.packets = batch.size()};
    context.Emit(gate, batch);
    return result;
  }

  std::deque<Packet*> waiting;
  uint32_t gate = 0;
};

class Collector final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {.name = "TestCollector",
                                       .help = "keeps the bytes of packets",
                                       .igates = kMaxGates,
                                       .ogates = 0,
                                       .igates_alike = false};

  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch);

  std::map<uint32_t, std::vector<std::string>> collected;  // by input gate, in order
};

}  // namespace bess::packet_tests
