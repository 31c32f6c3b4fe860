// SPDX-License-Identifier: Apache-2.0
//
// Graphs of modules made on the spot, for the tests of this room: what a module is (gates, workers,
// whether it holds packets) and does is chosen one by one, without a class for each.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bess/hook.pb.h"
#include "bess/util.pb.h"
#include "core/graph/fake_host_testing.h"
#include "core/graph/graph.h"
#include "core/graph/plan.h"
#include "core/graph/track.h"

namespace bess {

// What travels in the packets of these tests.
struct Tag {
  uint64_t id = 0;
  uint64_t path = 0;  // a digest of the gates it went through
  uint32_t hops = 0;
};

inline Tag ReadTag(const Packet& packet) { return LoadUnaligned<Tag>(packet.data()); }
inline void WriteTag(Packet& packet, const Tag& tag) { StoreUnaligned(packet.data(), tag); }
inline Packet* MakeTagged(PacketPool& pool, uint64_t id) {
  Packet* packet = pool.Make(std::string(sizeof(Tag), '\0'));
  std::memset(packet->metadata(), 0xee, kMetadataSize);  // of a previous life
  WriteTag(*packet, {.id = id});
  return packet;
}

class TestModule final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Test", .help = "does what a test says", .igates = 64, .ogates = 64};

  using Behaviour = std::function<void(TestModule&, Context&, Batch&)>;

  ~TestModule() override { Discard(); }
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }

  void Process(Context& context, Batch& batch) {
    ++batches;
    packets += batch.size();
    workers.push_back(context.worker());
    igates[context.igate()] += batch.size();
    process(*this, context, batch);
  }
  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    task(*this, context, batch);
    return {};
  }

  uint64_t held() const override { return waiting.size(); }
  uint64_t Discard() override {
    const uint64_t n = waiting.size();
    for (Packet* packet : waiting) FreePackets(&packet, 1);
    waiting.clear();
    return n;
  }

  Brake* brake() override { return brakes ? &own_brake : nullptr; }
  void Placed(absl::Span<const uint32_t> ids) override { placed.assign(ids.begin(), ids.end()); }

  using Module::AddAttribute;
  using Module::AddTask;

  Behaviour process = [](TestModule&, Context& context, Batch& batch) { context.Emit(0, batch); };
  Behaviour task = [](TestModule&, Context&, Batch&) {};

  bool brakes = false;
  Brake own_brake;
  uint64_t batches = 0;
  uint64_t packets = 0;
  std::map<uint32_t, uint64_t> igates;  // packets by input gate
  std::vector<uint32_t> workers;        // one for each batch
  std::vector<uint32_t> placed;         // as it was told last
  std::vector<Tag> taken;               // what a sink got
  std::deque<Packet*> waiting;          // what a source will send, or a queue holds
};

// --- behaviours ---------------------------------------------------------------------------------

// Sends up to a batch of what waits, by gate 0.
inline void SendWaiting(TestModule& module, Context& context, Batch& batch) {
  while (!module.waiting.empty() && !batch.full()) {
    batch.Add(module.waiting.front());
    module.waiting.pop_front();
  }
  context.Emit(0, batch);
}
inline void Hold(TestModule& module, Context&, Batch& batch) {
  module.waiting.insert(module.waiting.end(), batch.begin(), batch.end());
  batch.clear();
}
inline void TakeAll(TestModule& module, Context& context, Batch& batch) {
  for (const Packet* packet : batch) module.taken.push_back(ReadTag(*packet));
  context.ledger().consumed.Add(batch.size());
  FreeBatch(batch);
}
// One verdict a packet.
template <typename Judge>
TestModule::Behaviour Judged(Judge judge) {
  return [judge](TestModule&, Context& context, Batch& batch) {
    ForEach(context, batch, [&](PacketView view) { return judge(ReadTag(view.packet())); });
  };
}
// A copy to each of the gates 1..n-1, the packet itself to gate 0.
inline TestModule::Behaviour Copied(PacketPool& pool, uint32_t gates) {
  return [&pool, gates](TestModule&, Context& context, Batch& batch) {
    for (uint32_t gate = 1; gate < gates; ++gate) {
      for (Packet* packet : batch) {
        context.ledger().created.Add(1);
        context.EmitOne(gate, pool.Copy(*packet));
      }
    }
    context.Emit(0, batch);
  };
}

// --- graphs -------------------------------------------------------------------------------------

// All modules, in the graph's order.
inline Topology TopologyOf(const Graph& graph) {
  Survey survey;
  for (const auto& [name, entry] : graph.modules) survey.Add(*entry);
  std::vector<uint32_t> places(graph.numbers);
  return Topology(std::move(survey), places);
}

class TestGraph {
 public:
  TestGraph() = default;
  ~TestGraph() {
    plans.clear();
    graph = {};
    modules_.clear();
    EXPECT_EQ(host.pool().in_use(), 0u) << "packets were leaked";
  }

  TestModule& Add(const std::string& name, ModuleInfo info = TestModule::kInfo) {
    ModuleClass& mclass = classes_.emplace_back(registry_internal::Describe<TestModule>());
    mclass.info = info;
    auto made = mclass.Create(name, host, {});
    EXPECT_TRUE(made.ok()) << made.status();
    modules_.push_back(*std::move(made));
    graph.Add(modules_.back(), {});
    return static_cast<TestModule&>(*modules_.back());
  }
  TestModule& AddSink(const std::string& name) {
    TestModule& sink = Add(name);
    sink.process = TakeAll;
    return sink;
  }
  // A module without inputs whose task, on `worker`, sends what Feed gives it.
  TestModule& AddSource(const std::string& name, uint32_t worker = 0) {
    ModuleInfo info = TestModule::kInfo;
    info.igates = 0;
    TestModule& source = Add(name, info);
    source.task = SendWaiting;
    AddTask(name, worker);
    return source;
  }
  TestModule& AddQueue(const std::string& name, uint32_t worker = 0) {
    ModuleInfo info = TestModule::kInfo;
    info.holds_packets = true;
    TestModule& queue = Add(name, info);
    queue.process = Hold;
    queue.task = SendWaiting;
    AddTask(name, worker);
    return queue;
  }
  void AddTask(const std::string& name, std::optional<uint32_t> worker) {
    EXPECT_TRUE(At(name).AddTask(0).ok());
    const auto task = static_cast<uint32_t>(At(name).tasks().size() - 1);
    graph.classes.AddLeaf(name, task);
    graph.classes.Assign(LeafName(name, task), worker);
  }
  void MoveTask(const std::string& name, std::optional<uint32_t> worker) {
    graph.classes.Assign(LeafName(name, 0), worker);
  }

  void Connect(const std::string& from, uint32_t ogate, const std::string& to, uint32_t igate = 0,
               Hooks hooks = {}) {
    const absl::Status status = graph.Connect(from, ogate, to, igate, std::move(hooks));
    ASSERT_TRUE(status.ok()) << status;
  }
  void Chain(const std::vector<std::string>& names) {
    for (size_t i = 0; i + 1 < names.size(); ++i) Connect(names[i], 0, names[i + 1]);
  }

  // Gives a source packets whose ids count on from the last ones.
  void Feed(const std::string& source, uint64_t n) {
    TestModule& module = At(source);
    for (uint64_t i = 0; i < n; ++i) {
      module.waiting.push_back(MakeTagged(host.pool(), next_id_++));
      module.ledger(kControlCell).created.Add(1);
    }
  }

  TestModule& At(const std::string& name) const {
    return static_cast<TestModule&>(*graph.Find(name)->module);
  }

  // As the control plane does: the places of one plan are where the next one begins.
  absl::StatusOr<const Plan*> TryCompile() {
    auto plan = Compile(std::make_shared<const Graph>(graph));
    if (!plan.ok()) return plan.status();
    graph.attributes = (*plan)->places;
    plans.push_back(*std::move(plan));
    return plans.back().get();
  }
  const Plan& MustCompile() {
    const auto plan = TryCompile();
    EXPECT_TRUE(plan.ok()) << plan.status();
    return **plan;
  }

  LedgerTotals totals() const {
    LedgerTotals totals;
    for (const auto& [name, entry] : graph.modules) totals += entry->module->totals();
    return totals;
  }
  uint64_t held() const {
    uint64_t held = 0;
    for (const auto& [name, entry] : graph.modules) {
      held += entry->module->held();
      for (const auto& [gate, out] : entry->out) held += out.edge->held();
    }
    return held;
  }
  uint64_t dropped(DropReason reason) const {
    return totals().dropped[static_cast<size_t>(reason)];
  }
  // The law of the ledger: created = consumed + dropped + held, and no packet beside them.
  void CheckBooks() {
    const LedgerTotals sums = totals();
    EXPECT_EQ(sums.created, sums.consumed + sums.all_dropped() + held());
    EXPECT_EQ(host.pool().in_use(), held());
  }

  FakeHost host{1 << 20};
  Graph graph;
  std::vector<std::unique_ptr<Plan>> plans;

 private:
  std::deque<ModuleClass> classes_;
  std::vector<std::shared_ptr<Module>> modules_;
  uint64_t next_id_ = 0;
};

inline std::vector<uint64_t> Ids(const std::vector<Tag>& tags) {
  std::vector<uint64_t> ids;
  for (const Tag& tag : tags) ids.push_back(tag.id);
  return ids;
}

// A hook that writes down its name and how many packets crossed.
class LogHook final : public GateHook {
 public:
  static constexpr HookInfo kInfo = {.name = "Log", .help = "logs"};
  absl::Status Init(const pb::EmptyArg&) { return absl::OkStatus(); }
  void Process(Context& context, Batch& batch) {
    packets += batch.size();
    if (log != nullptr) log->push_back(name());
    context.Emit(0, batch);
  }

  std::vector<std::string>* log = nullptr;
  uint64_t packets = 0;
};

inline std::shared_ptr<LogHook> MakeLogHook(const std::string& name,
                                            std::vector<std::string>* log = nullptr) {
  static const HookClass hclass = registry_internal::DescribeHook<LogHook>();
  auto hook = std::static_pointer_cast<LogHook>(*hclass.Create(name, {}));
  hook->log = log;
  return hook;
}

inline std::shared_ptr<Track> MakeTrack(const std::string& name, bool bits = false) {
  pb::TrackArg arg;
  arg.set_bits(bits);
  google::protobuf::Any any;
  any.PackFrom(arg);
  return std::static_pointer_cast<Track>(*HookRegistry::Get().Find("Track")->Create(name, any));
}

}  // namespace bess
