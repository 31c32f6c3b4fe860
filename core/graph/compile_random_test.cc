// SPDX-License-Identifier: Apache-2.0
//
// Random graphs against a reference so slow that it is obvious: one packet after the other, each
// followed through the graph to its end before the next.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/graph/graph_testing.h"
#include "core/graph/plan_runner_testing.h"

namespace bess {
namespace {

constexpr uint32_t kMaxHops = 9;
constexpr uint32_t kGates = 4;

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t x = a * 0x9e3779b97f4a7c15u + b + 1;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  return x ^ (x >> 27);
}

enum class Kind { kSource, kPass, kSplit, kCopy, kQueue, kSink };

struct Spec {
  Kind kind = Kind::kPass;
  uint32_t gates = 1;  // of a split or copy
  std::string name;
};

// What becomes of a packet: a sink it reached or a reason, by which way.
struct Ending {
  std::string where;
  uint64_t path = 0;
  auto operator<=>(const Ending&) const = default;
};

struct Outcome {
  std::map<Ending, std::vector<uint64_t>> delivered;  // ids, in order
  DropCounts dropped{};
  uint64_t created = 0;
  std::map<std::string, uint64_t> hooks;  // packets by hook
};

// Where a split sends a packet; gate kGates means drop.
uint32_t Choose(const Spec& spec, const Tag& tag) {
  return static_cast<uint32_t>(Mix(tag.path, tag.id) % (spec.gates + (tag.id % 16 == 0 ? 1 : 0)));
}
// Nothing goes round for ever: who has made too many hops ends.
bool Tired(const Tag& tag) { return tag.hops >= kMaxHops; }
void Step(Tag& tag, uint64_t module, uint64_t ogate) {
  ++tag.hops;
  tag.path = Mix(Mix(tag.path, module), ogate);
}

class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : rng_(seed) {
    const uint32_t n = 3 + Below(9);
    for (uint32_t i = 0; i < n; ++i) AddModule(i);
    for (uint32_t i = 0; i < n; ++i) ConnectOutputs(i);
    for (uint32_t i = 0; i < n; ++i) AddInputHooks(i);
  }

  // --- the reference ----------------------------------------------------------------------------

  Outcome Reference(const std::vector<std::pair<uint32_t, uint64_t>>& fed) {
    outcome_ = {};
    for (const auto& [source, id] : fed) {
      ++outcome_.created;
      Leave(source, {.id = id}, 0);
      if (outcome_.created > 20000) break;
    }
    return outcome_;
  }

  // --- the plan ---------------------------------------------------------------------------------

  // Feeds `fed` bit by bit, replacing the plan meanwhile by one of the same graph now and then.
  void Run(const std::vector<std::pair<uint32_t, uint64_t>>& fed) {
    std::vector<std::unique_ptr<PlanRunner>> runners;
    for (uint32_t worker : {0, 1}) runners.push_back(std::make_unique<PlanRunner>(worker));
    size_t at = 0;
    for (uint64_t round = 0; at < fed.size() || Busy(); ++round) {
      ASSERT_LT(round, 3000u) << "it does not come to rest";
      if (round == 0 || Below(4) == 0) {
        const Plan& plan = test.MustCompile();
        for (auto& runner : runners) runner->Adopt(plan);
      }
      for (uint32_t n = Below(100); n > 0 && at < fed.size(); --n, ++at) {
        Packet* packet = MakeTagged(test.host.pool(), fed[at].second);
        TestModule& source = test.At(specs[fed[at].first].name);
        source.waiting.push_back(packet);
        source.ledger(kControlCell).created.Add(1);
      }
      for (auto& runner : runners) runner->Round();
    }
    test.CheckBooks();
  }

  std::vector<std::pair<uint32_t, uint64_t>> MakeInput(uint32_t n) {
    std::vector<std::pair<uint32_t, uint64_t>> fed;
    for (uint64_t id = 0; id < n; ++id) fed.emplace_back(sources_[Below(sources_.size())], id);
    return fed;
  }

  Outcome Result() const {
    Outcome outcome;
    outcome.delivered = delivered_;
    outcome.dropped = test.totals().dropped;
    outcome.created = test.totals().created;
    for (const auto& [name, hook] : hooks_) outcome.hooks[name] = hook->packets;
    for (const auto& [name, track] : tracks_) outcome.hooks[name] = track->counts().packets;
    std::erase_if(outcome.hooks, [](const auto& hook) { return hook.second == 0; });
    return outcome;
  }

  TestGraph test;
  std::vector<Spec> specs;

 private:
  uint32_t Below(size_t n) { return static_cast<uint32_t>(rng_() % n); }

  bool Busy() const { return test.held() != 0; }

  void AddModule(uint32_t i) {
    Spec spec{.name = absl::StrCat("m", i)};
    if (i > 0) {
      constexpr Kind kKinds[] = {Kind::kPass, Kind::kPass,  Kind::kSplit, Kind::kSplit,
                                 Kind::kCopy, Kind::kQueue, Kind::kSink,  Kind::kSource};
      spec.kind = kKinds[Below(std::size(kKinds))];
    } else {
      spec.kind = Kind::kSource;
    }
    if (spec.kind == Kind::kSplit) spec.gates = 2 + Below(3);
    if (spec.kind == Kind::kCopy) spec.gates = 2;
    specs.push_back(spec);
    Make(i);
  }

  void Make(uint32_t i) {
    const Spec& spec = specs[i];
    const uint32_t worker = Below(2);
    if (spec.kind == Kind::kSource) {
      test.AddSource(spec.name, worker).task = [i](TestModule& m, Context& context, Batch& batch) {
        TakeWaiting(m, batch);
        StepAll(batch, i, 0);
        context.Emit(0, batch);
      };
      sources_.push_back(i);
      return;
    }
    if (spec.kind == Kind::kQueue) {
      test.AddQueue(spec.name, worker).task = [i](TestModule& m, Context& context, Batch& batch) {
        TakeWaiting(m, batch);
        End(
            context, batch, [&](Tag&) { return Verdict::Gate(0); }, i);
      };
      return;
    }
    ModuleInfo info = TestModule::kInfo;
    info.igates_alike = Below(2) == 0;
    test.Add(spec.name, info).process = [this, i](TestModule& m, Context& context, Batch& batch) {
      Act(i, m, context, batch);
    };
  }

  static void TakeWaiting(TestModule& module, Batch& batch) {
    while (!module.waiting.empty() && !batch.full()) {
      batch.Add(module.waiting.front());
      module.waiting.pop_front();
    }
  }
  static void StepAll(Batch& batch, uint32_t i, uint32_t gate) {
    for (Packet* packet : batch) {
      Tag tag = ReadTag(*packet);
      Step(tag, i, gate);
      WriteTag(*packet, tag);
    }
  }

  // Ends tired packets, and sends the others where `judge` says.
  template <typename Judge>
  static void End(Context& context, Batch& batch, Judge judge, uint32_t i) {
    ForEach(context, batch, [&](PacketView view) {
      Tag tag = ReadTag(view.packet());
      if (Tired(tag)) return Verdict::Drop(DropReason::kTtlExpired);
      const Verdict verdict = judge(tag);
      if (!verdict.is_drop()) Step(tag, i, verdict.gate());
      WriteTag(view.packet(), tag);
      return verdict;
    });
  }

  void Act(uint32_t i, TestModule& module, Context& context, Batch& batch) {
    const Spec& spec = specs[i];
    switch (spec.kind) {
      case Kind::kSink:
        for (const Packet* packet : batch) {
          const Tag tag = ReadTag(*packet);
          delivered_[{module.name(), tag.path}].push_back(tag.id);
        }
        context.ledger().consumed.Add(batch.size());
        FreeBatch(batch);
        break;
      case Kind::kCopy:
        Copy(i, context, batch);
        break;
      default:
        End(
            context, batch,
            [&](Tag& tag) {
              const uint32_t gate = Choose(spec, tag);
              return gate < spec.gates ? Verdict::Gate(gate) : Verdict::Drop(DropReason::kDenied);
            },
            i);
    }
  }

  void Copy(uint32_t i, Context& context, Batch& batch) {
    for (Packet* packet : batch) {
      const Tag before = ReadTag(*packet);
      if (Tired(before)) {
        context.DropOne(packet, DropReason::kTtlExpired);
        continue;
      }
      for (const uint32_t gate : {1, 0}) {
        Packet* out = gate == 0 ? packet : test.host.pool().Copy(*packet);
        if (gate != 0) context.ledger().created.Add(1);
        Tag tag = before;
        Step(tag, i, gate);
        WriteTag(*out, tag);
        context.EmitOne(gate, out);
      }
    }
    batch.clear();
  }

  void ConnectOutputs(uint32_t i) {
    if (specs[i].kind == Kind::kSink) return;
    for (uint32_t gate = 0; gate < specs[i].gates; ++gate) {
      if (Below(12) == 0) continue;  // a dead end
      const uint32_t to = Below(specs.size());
      if (specs[to].kind == Kind::kSource) continue;
      Hooks hooks;
      for (uint32_t n = Below(4); n > 2; --n) hooks.push_back(NewHook());
      test.Connect(specs[i].name, gate, specs[to].name, Below(kGates), std::move(hooks));
    }
  }

  void AddInputHooks(uint32_t i) {
    if (specs[i].kind == Kind::kSource) return;
    for (uint32_t gate = 0; gate < kGates; ++gate) {
      if (Below(6) != 0) continue;
      Hooks& hooks = test.graph.Edit(specs[i].name).in_hooks[gate];
      for (uint32_t n = 1 + Below(2); n > 0; --n) hooks.push_back(NewHook());
    }
  }

  std::shared_ptr<GateHook> NewHook() {
    const std::string name = absl::StrCat("hook", hooks_.size() + tracks_.size());
    if (Below(2) == 0) return tracks_[name] = MakeTrack(name);
    return hooks_[name] = MakeLogHook(name);
  }

  // The reference: a packet leaves module i by a gate.
  void Leave(uint32_t i, Tag tag, uint32_t gate) {
    Step(tag, i, gate);
    const auto& out = test.graph.Find(specs[i].name)->out;
    const auto connection = out.find(gate);
    if (connection == out.end()) {
      ++outcome_.dropped[static_cast<size_t>(DropReason::kDeadEnd)];
      return;
    }
    const OutGate& taken = connection->second;
    for (const auto& hook : taken.hooks) ++outcome_.hooks[hook->name()];
    const auto& in_hooks = test.graph.Find(taken.to)->in_hooks;
    if (const auto hooks = in_hooks.find(taken.igate); hooks != in_hooks.end()) {
      for (const auto& hook : hooks->second) ++outcome_.hooks[hook->name()];
    }
    uint32_t to = 0;
    while (specs[to].name != taken.to) ++to;
    Arrive(to, tag);
  }

  void Arrive(uint32_t i, const Tag& tag) {
    const Spec& spec = specs[i];
    if (spec.kind == Kind::kSink) {
      outcome_.delivered[{spec.name, tag.path}].push_back(tag.id);
      return;
    }
    if (Tired(tag)) {
      ++outcome_.dropped[static_cast<size_t>(DropReason::kTtlExpired)];
      return;
    }
    if (spec.kind == Kind::kCopy) {
      ++outcome_.created;
      Leave(i, tag, 1);
      Leave(i, tag, 0);
      return;
    }
    const uint32_t gate = spec.kind == Kind::kQueue ? 0 : Choose(spec, tag);
    if (gate == spec.gates) {
      ++outcome_.dropped[static_cast<size_t>(DropReason::kDenied)];
      return;
    }
    Leave(i, tag, gate);
  }

  std::mt19937 rng_;
  std::vector<uint32_t> sources_;
  std::map<std::string, std::shared_ptr<LogHook>> hooks_;
  std::map<std::string, std::shared_ptr<Track>> tracks_;
  std::map<Ending, std::vector<uint64_t>> delivered_;
  Outcome outcome_;
};

bool Lossy(const Outcome& outcome) {
  return outcome.dropped[static_cast<size_t>(DropReason::kLoopFull)] != 0 ||
         outcome.dropped[static_cast<size_t>(DropReason::kOverload)] != 0;
}

// With losses: what arrived came in the order of the reference, with gaps.
void ExpectWithin(const Outcome& actual, const Outcome& expected) {
  for (const auto& [ending, ids] : actual.delivered) {
    const auto whole = expected.delivered.find(ending);
    ASSERT_NE(whole, expected.delivered.end());
    ASSERT_TRUE(std::includes(whole->second.begin(), whole->second.end(), ids.begin(), ids.end()));
    ASSERT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  }
}

TEST(CompileRandomTest, PlansDoWhatTheReferenceDoes) {
  int lossless = 0, looped = 0, delivering = 0;
  constexpr int kGraphs = 1200;
  for (uint32_t seed = 0; seed < kGraphs; ++seed) {
    RandomGraph graph(seed);
    const auto fed = graph.MakeInput(150);
    const Outcome expected = graph.Reference(fed);
    if (expected.created > 20000) continue;
    graph.Run(fed);
    const Outcome actual = graph.Result();
    if (Lossy(actual)) {
      ExpectWithin(actual, expected);
    } else {
      ++lossless;
      ASSERT_EQ(actual.delivered, expected.delivered) << "seed " << seed;
      ASSERT_EQ(actual.dropped, expected.dropped) << "seed " << seed;
      ASSERT_EQ(actual.created, expected.created) << "seed " << seed;
      ASSERT_EQ(actual.hooks, expected.hooks) << "seed " << seed;
    }
    const Plan& plan = *graph.test.plans.back();
    for (uint32_t worker : {0, 1}) {
      if (plan.workers[worker] != nullptr && !plan.workers[worker]->loops.empty()) ++looped;
    }
    if (!actual.delivered.empty()) ++delivering;
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
  // The graphs are worth running.
  EXPECT_GT(lossless, kGraphs * 8 / 10);
  EXPECT_GT(looped, kGraphs / 4);
  EXPECT_GT(delivering, kGraphs / 4);
}

}  // namespace
}  // namespace bess
