// SPDX-License-Identifier: Apache-2.0
//
// One instance of a case's graph: real module classes, compiled by the real compiler, run by one
// worker that is not a thread. Packets go in at any input gate or port, and everything that comes
// out of an unconnected output gate is kept.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/graph/fake_host_testing.h"
#include "core/graph/plan.h"
#include "tests/packets/ends.h"
#include "tests/packets/packet_case.h"

namespace bess::packet_tests {

using Gate = std::pair<std::string, uint32_t>;  // of a module; of a port, a queue

// What a gate or a port's queue gave that nobody has taken.
struct Untaken {
  std::string kind;  // "module" or "port"
  Gate gate;
  Packets packets;
};

class Testbed {
 public:
  // A class can have 8192 output gates: collected are the first ones of each module, and those
  // that an `out` step of the case names.
  static constexpr uint32_t kCollectedGates = 64;
  // So many rounds follow the one in which packets were given in, unless no cycle holds any more.
  static constexpr uint32_t kMaxRounds = 128;

  // The graph of the case, or what a daemon would answer who asks for it. `collected_gates` is
  // how many of each module's first gates are collected, `more` are those beside them.
  static absl::StatusOr<std::unique_ptr<Testbed>> Build(const Case& wanted,
                                                        uint32_t collected_gates,
                                                        const std::set<Gate>& more);
  ~Testbed();

  // An error is one of the case: it names what is not there, or is what the command answered.
  absl::Status Do(const Step& step, Packets* out);

  // created = consumed + dropped + held; the error has the sums of each module.
  absl::Status CheckBooks() const;
  std::vector<Untaken> TakeAll();
  // By module, but those without drops.
  std::vector<std::pair<std::string, DropCounts>> Drops() const;
  // Gates that have ever given something.
  std::set<Gate> UsedGates() const;
  // Empties the graph and takes it apart; an error if packets were leaked.
  absl::Status Finish();

 private:
  Testbed() : context_(0) {}

  absl::Status AddModules(const Case& wanted);
  absl::Status AddModule(const std::string& name, const std::string& mclass,
                         const google::protobuf::Any& argument);
  absl::Status AddEnds(const Case& wanted, uint32_t collected_gates, const std::set<Gate>& more);
  absl::Status Collect(const Gate& gate);
  absl::Status CompileGraph();

  absl::Status In(const Step& step);
  Packet* Make(const Step& step, size_t index);
  absl::Status RunTasks(const Step& step);
  absl::StatusOr<FakePort*> FindPort(const Step& step);
  absl::StatusOr<Module*> FindModule(const std::string& name) const;
  void RunTask(const TaskSlot& task);
  void RunLoops();
  void EmptyLoops();
  uint64_t HeldInLoops() const;
  uint64_t DiscardAll();

  FakeHost host_;
  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();
  std::unique_ptr<Plan> plan_;
  Injector* injector_ = nullptr;
  Collector* collector_ = nullptr;
  std::vector<Gate> entries_;  // by the injector's output gate
  std::vector<Gate> exits_;    // by the collector's input gate
  Context context_;
  uint64_t now_ = 0;
};

}  // namespace bess::packet_tests
