// SPDX-License-Identifier: Apache-2.0
#include "core/graph/part.h"

#include <algorithm>
#include <bit>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "core/base/clock.h"
#include "core/graph/feeders.h"

namespace bess {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

uint64_t Bit(uint32_t worker) { return uint64_t{1} << worker; }

void ClearMetadata(void* self, Context& context, Batch& batch) {
  const auto& ranges = *static_cast<const std::vector<ClearRange>*>(self);
  for (Packet* packet : batch) {
    for (const ClearRange& range : ranges) {
      std::memset(packet->metadata() + range.offset, 0, range.size);
    }
  }
  context.Emit(0, batch);
}

// What waits for a module that no task of this worker leads to any more.
void DropStranded(void*, Context& context, Batch& batch) {
  context.Drop(batch, DropReason::kModuleRemoved);
}

// The input of a module that keeps packets for its tasks.
void ProcessAndKnock(void* self, Context& context, Batch& batch) {
  const Holder& holder = *static_cast<const Holder*>(self);
  holder.module->mclass().process(holder.module, context, batch);
  for (LeafDoor* door : holder.doors) door->Knock();
}

// Builds one worker's nodes: those its tasks can reach. They are numbered as they are made, and
// get their place in memory when all are known.
class WorkerPartBuilder {
 public:
  WorkerPartBuilder(Part& part, uint32_t worker)
      : part_(part), topology_(part.topology), worker_(worker), plain_(topology_.size(), kNone) {
    // For each module an input and a counter in front of it: seldom are there more.
    drafts_.reserve(2 * topology_.size());
    links_.reserve(2 * topology_.size());
  }

  void AddTask(uint32_t module, uint32_t task, const ClassState* state) {
    const uint32_t root = NewNode(module);
    Connect(root, module);
    if (!part_.metadata.clear[module].empty()) PutClearBehind(root, module);
    Module* owner = topology_.sites[module].module;
    TaskSlot slot = {.module = owner,
                     .run = owner->mclass().run_task,
                     .argument = owner->tasks()[task].argument,
                     .state = state};
    if (!part_.brakes.empty()) slot.brakes = part_.brakes[module];
    const auto own = part_.holders.find(module);
    if (own != part_.holders.end() && own->second.brake != nullptr) slot.holder = &own->second;
    if (!owner->info().holds_packets) slot.wake_fd = owner->wake_fd(slot.argument);
    made_.tasks.push_back({module, task, slot});
    task_roots_.push_back(root);
    roots_.push_back(root);
    Reach(module);
  }

  WorkerPart Build() {
    WireAll();
    DrainLoops();
    Rank();
    AbsorbCounters();
    PutInOrder();
    return std::move(made_);
  }

 private:
  using GateKey = std::pair<uint32_t, uint32_t>;  // module, input gate
  enum class State : uint8_t { kNew, kOpen, kDone };

  struct Link {
    uint32_t to = kNone;
    Edge* edge = nullptr;  // of the module's gate, if this is one
  };
  struct Draft {
    ProcessFunction process = nullptr;
    CrossingCounts* counts = nullptr;
    void* self = nullptr;
    void* cell = nullptr;
    Ledger* ledger = nullptr;
    uint32_t module = 0;
    uint32_t igate = 0;
    uint32_t first_link = 0;
    uint32_t links = 0;
    uint32_t absorbed_by = kNone;
    State state = State::kNew;
  };

  void Reach(uint32_t module) { part_.placement[module] |= Bit(worker_); }

  uint32_t NewNode(uint32_t module) {
    const auto number = static_cast<uint32_t>(drafts_.size());
    Draft& draft = drafts_.emplace_back();
    Site& site = topology_.sites[module];
    if (site.books_of != worker_) {
      site.books = &site.module->ledger(worker_);
      site.books_of = worker_;
    }
    draft.module = module;
    draft.self = site.module;
    draft.process = site.process;
    draft.ledger = site.books;
    return number;
  }

  Link* SetLinks(uint32_t node, size_t count) {
    drafts_[node].first_link = static_cast<uint32_t>(links_.size());
    drafts_[node].links = static_cast<uint32_t>(count);
    links_.resize(links_.size() + count);
    return &links_[drafts_[node].first_link];
  }

  uint32_t NewForwarder(uint32_t module, ProcessFunction process, void* self, uint32_t to) {
    const uint32_t number = NewNode(module);
    drafts_[number].process = process;
    drafts_[number].self = self;
    SetLinks(number, 1)->to = to;
    return number;
  }

  uint32_t NewCounter(uint32_t module, CrossingCounts* counts, uint32_t to) {
    const uint32_t number = NewForwarder(module, nullptr, nullptr, to);
    drafts_[number].counts = counts;
    return number;
  }

  // Hooks in front of `to`, first hook first.
  uint32_t Hooked(uint32_t module, const Hooks& hooks, uint32_t to) {
    for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) {
      if (CrossingCounts* counts = (*hook)->CountsOnly(worker_)) {
        to = NewCounter(module, counts, to);
      } else {
        to = NewForwarder(module, (*hook)->hclass().process, hook->get(), to);
        drafts_[to].cell = (*hook)->Cell(worker_);
      }
    }
    return to;
  }

  // The hooks of a connection's output gate in front of `to`.
  uint32_t HookedOutput(uint32_t module, Connection& connection, uint32_t to) {
    if (!connection.hooked) return to;
    if (connection.counts_of == worker_) return NewCounter(module, connection.counts, to);
    const Hooks& hooks = connection.gate->hooks;
    to = Hooked(module, hooks, to);
    if (hooks.size() == 1 && drafts_[to].counts != nullptr) {
      connection.counts = drafts_[to].counts;
      connection.counts_of = worker_;
    }
    return to;
  }

  // The node that runs the module for batches that come in by `igate`. Inputs that are alike share
  // one, but behind hooks each has its own: only then do all links into a module's hooks and inputs
  // come from the connections themselves, which is where a cycle is cut and filled again.
  uint32_t Input(uint32_t module, uint32_t igate, bool hooked) {
    const uint32_t seen = topology_.sites[module].igates_alike ? 0 : igate;
    uint32_t& known = seen == 0 && !hooked
                          ? plain_[module]
                          : inputs_.try_emplace(GateKey(module, igate), kNone).first->second;
    if (known != kNone) return known;
    known = NewNode(module);
    Draft& draft = drafts_[known];
    const auto holder = part_.holders.find(module);
    if (holder != part_.holders.end()) {
      draft.self = &holder->second;
      draft.process = &ProcessAndKnock;
    }
    draft.igate = seen;
    to_wire_.push_back(known);
    Reach(module);
    return known;
  }

  // The same behind the hooks of that input gate.
  uint32_t Entry(uint32_t module, uint32_t igate) {
    if (!topology_.sites[module].in_hooks) return Input(module, igate, false);
    const auto& hooked = topology_.sites[module].entry->in_hooks;
    const auto hooks = hooked.find(igate);
    if (hooks == hooked.end() || hooks->second.empty()) return Input(module, igate, false);
    const auto known = entries_.find({module, igate});
    if (known != entries_.end()) return known->second;
    const uint32_t entry = Hooked(module, hooks->second, Input(module, igate, true));
    entries_[{module, igate}] = entry;
    return entry;
  }

  void Connect(uint32_t node, uint32_t module) {
    const auto connections = topology_.down[module];
    if (connections.empty()) return;
    SetLinks(node, connections.back().ogate + 1);
    const uint32_t first = drafts_[node].first_link;
    for (Connection& connection : connections) {
      const uint32_t entry = Entry(connection.to, connection.igate);
      const uint32_t to = HookedOutput(module, connection, entry);
      links_[first + connection.ogate] = {to, connection.edge};
      if (part_.edge_workers != 0 && connection.edge->workers() != 0) {
        linked_.insert(connection.edge);
      }
    }
  }

  void PutClearBehind(uint32_t root, uint32_t module) {
    const uint32_t first = drafts_[root].first_link;
    for (uint32_t at = first; at < first + drafts_[root].links; ++at) {
      if (links_[at].to == kNone) continue;
      const uint32_t to =
          NewForwarder(module, &ClearMetadata, &part_.metadata.clear[module], links_[at].to);
      links_[at].to = to;
    }
  }

  void WireAll() {
    while (!to_wire_.empty()) {
      const uint32_t node = to_wire_.back();
      to_wire_.pop_back();
      const uint32_t module = drafts_[node].module;
      // What a holding module takes in comes out by its task, on the task's worker.
      if (!topology_.sites[module].holds_packets) Connect(node, module);
    }
  }

  // An edge whose buffer an earlier plan may have filled is emptied by every later one. Where no
  // task of this worker leads to it any more, what waits there ends: the modules behind it belong
  // to other workers now.
  void DrainLoops() {
    if ((part_.edge_workers & Bit(worker_)) == 0) return;
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      for (const Connection& connection : topology_.down[m]) {
        const Edge* edge = connection.edge;
        if ((edge->workers() & Bit(worker_)) == 0) continue;
        const uint32_t target =
            linked_.contains(edge) ? Entry(connection.to, connection.igate) : NewGrave(m);
        AddLoopSlot(edge->loop(worker_), m, target);
      }
    }
  }

  uint32_t NewGrave(uint32_t module) {
    const uint32_t number = NewNode(module);
    drafts_[number].process = &DropStranded;
    return number;
  }

  // Depth first from the roots: reverse order of completion is a topological order once the links
  // that close a cycle are cut. What cutting adds comes last: nothing is sent to the roots of
  // buffers, and buffers send nothing on.
  void Rank() {
    const size_t known = roots_.size();
    for (size_t i = 0; i < known; ++i) Visit(roots_[i]);
    std::reverse(order_.begin(), order_.end());
    order_.insert(order_.end(), cuts_.begin(), cuts_.end());
    order_.insert(order_.end(), roots_.begin() + static_cast<ptrdiff_t>(known), roots_.end());
  }

  struct Frame {
    uint32_t node;
    uint32_t next;  // output to look at
    Edge* edge;     // of the module's gate the walk last left by
  };

  void Visit(uint32_t root) {
    std::vector<Frame> stack;
    Open(root, nullptr, &stack);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const Draft& draft = drafts_[frame.node];
      if (frame.next == draft.links) {
        drafts_[frame.node].state = State::kDone;
        order_.push_back(frame.node);
        stack.pop_back();
        continue;
      }
      const uint32_t at = draft.first_link + frame.next++;
      const Link link = links_[at];
      if (link.to == kNone) continue;
      Edge* through = link.edge == nullptr ? frame.edge : link.edge;
      const State state = drafts_[link.to].state;
      if (state == State::kNew) {
        Open(link.to, through, &stack);
      } else if (state == State::kOpen) {
        const uint32_t cut = Cut(frame.node, through, link.to);
        links_[at].to = cut;
      }
    }
  }

  void Open(uint32_t node, Edge* edge, std::vector<Frame>* stack) {
    if (drafts_[node].state != State::kNew) return;
    drafts_[node].state = State::kOpen;
    stack->push_back({node, 0, edge});
  }

  // Replaces the link from -> to by a buffer that is emptied into `to` next round.
  uint32_t Cut(uint32_t from, Edge* edge, uint32_t to) {
    const uint32_t module = drafts_[from].module;
    LoopBuffer& buffer = edge->MakeLoop(worker_);
    const uint32_t number = NewNode(module);
    Draft& draft = drafts_[number];
    draft.process = &LoopBuffer::Process;
    draft.self = &buffer;
    draft.state = State::kDone;
    cuts_.push_back(number);
    const bool known = std::any_of(made_.loops.begin(), made_.loops.end(),
                                   [&](const LoopSlot& slot) { return slot.buffer == &buffer; });
    if (!known) AddLoopSlot(&buffer, module, to);
    return number;
  }

  void AddLoopSlot(LoopBuffer* buffer, uint32_t module, uint32_t target) {
    const uint32_t root = NewForwarder(module, nullptr, nullptr, target);
    made_.loops.push_back({buffer, nullptr});
    loop_roots_.push_back(root);
    roots_.push_back(root);
  }

  // What only counts needs no node of its own in front of one that nothing else leads to.
  void AbsorbCounters() {
    std::vector<uint32_t> feeders(drafts_.size());
    for (const Link& link : links_) {
      if (link.to != kNone) ++feeders[link.to];
    }
    for (Draft& draft : drafts_) {
      if (draft.process != nullptr || draft.counts == nullptr) continue;
      const uint32_t to = links_[draft.first_link].to;
      if (feeders[to] != 1 || drafts_[to].counts != nullptr) continue;
      drafts_[to].counts = draft.counts;
      draft.absorbed_by = to;
    }
    std::erase_if(order_, [&](uint32_t node) { return drafts_[node].absorbed_by != kNone; });
  }

  void PutInOrder() {
    std::vector<uint32_t> rank_of(drafts_.size());
    for (uint32_t rank = 0; rank < order_.size(); ++rank) rank_of[order_[rank]] = rank;
    for (uint32_t node = 0; node < drafts_.size(); ++node) {
      if (drafts_[node].absorbed_by != kNone) rank_of[node] = rank_of[drafts_[node].absorbed_by];
    }
    made_.nodes.resize(order_.size());
    made_.outputs.resize(links_.size());
    for (size_t i = 0; i < links_.size(); ++i) {
      if (links_[i].to != kNone) made_.outputs[i] = &made_.nodes[rank_of[links_[i].to]];
    }
    for (uint32_t rank = 0; rank < order_.size(); ++rank) {
      const Draft& draft = drafts_[order_[rank]];
      Node* const* out = made_.outputs.data() + draft.first_link;
      made_.nodes[rank] = {.process = draft.process,
                           .counts = draft.counts,
                           .self = draft.self,
                           .ledger = draft.ledger,
                           .out = out,
                           .offsets = part_.metadata.offsets[draft.module].data(),
                           .num_out = draft.links,
                           .igate = draft.igate,
                           .usual = draft.links > 0 ? *out : nullptr,
                           .rank = rank,
                           .cell = draft.cell};
    }
    for (size_t i = 0; i < task_roots_.size(); ++i) {
      made_.tasks[i].slot.root = &made_.nodes[rank_of[task_roots_[i]]];
    }
    for (size_t i = 0; i < loop_roots_.size(); ++i) {
      made_.loops[i].root = &made_.nodes[rank_of[loop_roots_[i]]];
    }
  }

  Part& part_;
  Topology& topology_;
  const uint32_t worker_;
  WorkerPart made_;
  std::vector<Draft> drafts_;
  std::vector<Link> links_;
  std::vector<uint32_t> task_roots_, loop_roots_;  // of made_.tasks and made_.loops
  std::vector<uint32_t> roots_;                    // both, as they were made
  std::vector<uint32_t> to_wire_;
  std::vector<uint32_t> cuts_;
  std::vector<uint32_t> order_;
  std::vector<uint32_t> plain_;  // inputs without hooks, by module: of gate 0 or all gates
  absl::flat_hash_map<GateKey, uint32_t> inputs_;
  absl::flat_hash_map<GateKey, uint32_t> entries_;
  absl::flat_hash_set<const Edge*>
      linked_;  // that some node of this worker sends to, with a buffer
};

// The tasks of a worker in the part, in the order of its leaves, which is the order of the roots.
struct Leaf {
  uint32_t leaf = 0;
  uint32_t module = 0;
  uint32_t task = 0;
};

std::vector<Leaf> LeavesIn(const Topology& topology, const Schedules& schedules, uint32_t worker) {
  std::vector<Leaf> leaves;
  for (uint32_t m = 0; m < topology.size(); ++m) {
    const Site& site = topology.sites[m];
    if (!site.has_tasks) continue;
    for (const Schedules::Task& task : schedules.of(site.number)) {
      if (task.worker == worker) leaves.push_back({task.leaf, m, task.task});
    }
  }
  std::sort(leaves.begin(), leaves.end(),
            [](const Leaf& a, const Leaf& b) { return a.leaf < b.leaf; });
  return leaves;
}

// What it reaches is noted in the part's placement.
WorkerPart LayOutWorker(Part& part, const Schedules& schedules, uint32_t worker) {
  WorkerPartBuilder builder(part, worker);
  for (const Leaf& leaf : LeavesIn(part.topology, schedules, worker)) {
    const auto& leaves = schedules.by_worker.at(worker)->leaves();
    builder.AddTask(leaf.module, leaf.task, leaves[leaf.leaf]->state.get());
  }
  return builder.Build();
}

}  // namespace

Schedules::Schedules(const Graph& graph) : tasks(graph.numbers) {
  uint64_t used = 0;
  for (const auto& [name, tc] : graph.classes.classes()) {
    if (!tc->is_leaf()) continue;
    if (const auto worker = graph.classes.WorkerOf(name)) used |= Bit(*worker);
  }
  const auto hz = static_cast<uint64_t>(CyclesPerSecond());
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
    if ((used & Bit(worker)) == 0) continue;
    auto scheduler = std::make_shared<TcScheduler>(graph.classes, worker, hz);
    const auto& leaves = scheduler->leaves();
    for (uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
      const uint32_t number = graph.Find(leaves[leaf]->module)->number;
      tasks[number].push_back({leaves[leaf]->task, worker, leaf});
    }
    by_worker.emplace(worker, std::move(scheduler));
  }
}

std::vector<uint32_t> WorkerList(uint64_t workers) {
  std::vector<uint32_t> list;
  for (; workers != 0; workers &= workers - 1) {
    list.push_back(static_cast<uint32_t>(std::countr_zero(workers)));
  }
  return list;
}

// --- Part ---------------------------------------------------------------------------------------

Part::Part(Topology its)
    : topology(std::move(its)),
      ranges(FindLiveRanges(topology)),
      cyclic(topology.HasCycle()),
      placement(topology.size()) {}

void Part::LayOut(const AttributePlaces& attributes, const Schedules& schedules) {
  metadata = bess::LayOut(topology, ranges, attributes);
  for (const LiveRange& range : ranges) {
    places.push_back(PlaceOf(attributes, range.name));
  }
  FindHolders(schedules);
  LookAround();
  const uint64_t used = WorkersIn(schedules);
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
    if ((used & Bit(worker)) == 0) continue;
    const auto& made = workers[worker] = LayOutWorker(*this, schedules, worker);
    most_nodes = std::max(most_nodes, made.nodes.size());
  }
  for (uint32_t m = 0; m < topology.size(); ++m) {
    const Site& site = topology.sites[m];
    if (site.choosy && placement[m] != 0) choosy.push_back(site.entry);
  }
}

// Those with tasks, and those where packets may be waiting in a cycle.
uint64_t Part::WorkersIn(const Schedules& schedules) const {
  uint64_t used = edge_workers;
  for (const Site& site : topology.sites) {
    if (!site.has_tasks) continue;
    for (const auto& task : schedules.of(site.number)) used |= Bit(task.worker);
  }
  return used;
}

// What keeps packets and has tasks to send them on, and what brakes without keeping any itself.
void Part::FindHolders(const Schedules& schedules) {
  const auto add_doors = [&](uint32_t m, std::vector<LeafDoor*>* doors) {
    for (const auto& task : schedules.of(topology.sites[m].number)) {
      doors->push_back(&schedules.by_worker.at(task.worker)->door(task.leaf));
    }
  };
  for (uint32_t m = 0; m < topology.size(); ++m) {
    const Site& site = topology.sites[m];
    const bool keeps = site.holds_packets && site.has_tasks;
    if (!keeps && site.brake == nullptr) continue;
    Holder& holder = holders[m];
    holder.module = site.module;
    holder.brake = site.brake;
    add_doors(m, &holder.doors);
    if (holder.brake == nullptr) continue;
    brakes.resize(topology.size());
    for (const uint32_t feeder : FeedersOf(topology, m)) {
      if (topology.module(feeder).source_brake() == holder.brake) continue;
      brakes[feeder].push_back(holder.brake);
      add_doors(feeder, &holder.feeders);
    }
  }
}

void Part::LookAround() {
  const auto look = [&](const Module& module, const Hooks& hooks) {
    for (const auto& hook : hooks) {
      if (hook->hclass().attentive) attentive.emplace_back(module.name(), hook.get());
    }
  };
  for (const Site& site : topology.sites) {
    if (!site.attentive) continue;
    for (const auto& [igate, hooks] : site.entry->in_hooks) look(*site.module, hooks);
    for (const auto& [ogate, gate] : site.entry->out) look(*site.module, gate.hooks);
  }
  for (const Connection& connection : topology.down.all()) {
    edge_workers |= connection.edge->workers();
  }
}

bool Part::Holds(const AttributePlaces& attributes) const {
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (places[i] != PlaceOf(attributes, ranges[i].name)) return false;
  }
  return true;
}

// Doors are those of one scheduler; all else is true of any that gives the tasks to the same
// workers.
bool Part::Holds(const Schedules& before, const Schedules& now) const {
  if (cyclic) return false;
  if (&before == &now) return true;
  if (!holders.empty()) return false;
  const auto same = [](const Schedules::Task& a, const Schedules::Task& b) {
    return a.task == b.task && a.worker == b.worker;
  };
  return std::all_of(topology.sites.begin(), topology.sites.end(), [&](const Site& site) {
    const auto old = before.of(site.number), wanted = now.of(site.number);
    return std::equal(old.begin(), old.end(), wanted.begin(), wanted.end(), same);
  });
}

void Part::TellModules() const {
  for (size_t m = 0; m < topology.size(); ++m) {
    const Site& site = topology.sites[m];
    if (site.minds_workers && placement[m] != 0) site.module->Placed(WorkerList(placement[m]));
  }
}

bool Part::plain() const {
  return ranges.empty() && attentive.empty() && choosy.empty() &&
         std::all_of(workers.begin(), workers.end(),
                     [](const auto& worker) { return worker.second.loops.empty(); });
}

}  // namespace bess
