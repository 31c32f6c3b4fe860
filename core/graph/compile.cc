// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_join.h"
#include "core/base/clock.h"
#include "core/graph/feeders.h"
#include "core/graph/plan.h"

namespace bess {
namespace {

// A batch may be filling at every node; this many more may be on their way at once. Beyond, a
// graph that multiplies packets drops them as overload.
constexpr size_t kSpareBatches = 1024;

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

// Builds one worker's part: the nodes its tasks can reach.
class WorkerPlanBuilder {
 public:
  WorkerPlanBuilder(const Topology& topology, Plan& plan, uint32_t worker)
      : topology_(topology), metadata_(plan.metadata), holders_(plan.holders), worker_(worker) {}

  // The tasks are the leaves of the worker's part of the class tree.
  void AddTasks(const ClassTree& classes) {
    const auto hz = static_cast<uint64_t>(CyclesPerSecond());
    plan_->scheduler = std::make_unique<TcScheduler>(classes, worker_, hz);
    const auto& leaves = plan_->scheduler->leaves();
    for (uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
      const uint32_t module = topology_.index.at(leaves[leaf]->module);
      AddTask(module, *leaves[leaf]);
      TieToWaker(plan_->tasks.back(), module, plan_->scheduler->door(leaf));
      TieToBrakes(plan_->tasks.back(), module, plan_->scheduler->door(leaf));
    }
  }

  std::unique_ptr<WorkerPlan> Build() {
    WireAll();
    DrainLoops();
    Rank();
    plan_->arena = std::make_unique<BatchArena>(plan_->nodes.size() + kSpareBatches);
    return std::move(plan_);
  }

  // The modules this worker's tasks reach.
  std::vector<uint32_t> Modules() const {
    std::vector<uint32_t> modules;
    for (const auto& [key, node] : inputs_) modules.push_back(key.first);
    modules.insert(modules.end(), sources_.begin(), sources_.end());
    std::sort(modules.begin(), modules.end());
    modules.erase(std::unique(modules.begin(), modules.end()), modules.end());
    return modules;
  }

 private:
  using GateKey = std::pair<uint32_t, uint32_t>;  // module, input gate
  static constexpr uint32_t kAllAlike = kMaxGates;

  // How the worker learns that there is work for the task: by a knock, or by a descriptor.
  void TieToWaker(TaskSlot& task, uint32_t module, LeafDoor& door) {
    const auto own = holders_.find(module);
    if (own != holders_.end()) {
      own->second.doors.push_back(&door);
      if (own->second.brake != nullptr) task.holder = &own->second;
    } else if (task.wake_fd = task.module->wake_fd(task.argument); task.wake_fd >= 0) {
      ++plan_->wakers;
    } else {
      plan_->wakeable = false;
    }
  }

  void TieToBrakes(TaskSlot& task, uint32_t module, LeafDoor& door) {
    for (auto& [place, holder] : holders_) {
      const auto& fed_by = holder.fed_by;
      if (std::find(fed_by.begin(), fed_by.end(), module) == fed_by.end()) continue;
      if (task.module->source_brake() == holder.brake) continue;
      task.brakes.push_back(holder.brake);
      holder.feeders.push_back(&door);
    }
  }

  void AddTask(uint32_t module, const TrafficClass& leaf) {
    Node* root = NewNode(module);
    Connect(root, module);
    if (!metadata_.clear[module].empty()) PutClearBehind(root, module);
    const Module& source = topology_.module(module);
    plan_->tasks.push_back({topology_.modules[module]->module.get(), source.mclass().run_task,
                            source.tasks()[leaf.task].argument, root, leaf.state.get()});
    roots_.push_back(root);
    sources_.push_back(module);
  }

  Node* NewNode(uint32_t module) {
    Node& node = plan_->nodes.emplace_back();
    Module* owner = topology_.modules[module]->module.get();
    node.self = owner;
    node.process = owner->mclass().process;
    node.ledger = &owner->ledger(worker_);
    node.offsets = metadata_.offsets[module].data();
    module_of_[&node] = module;
    return &node;
  }

  std::vector<Node*>& SetOutputs(Node* node, size_t count) {
    auto& outputs = plan_->outputs.emplace_back(count, nullptr);
    node->out = outputs.data();
    node->num_out = static_cast<uint32_t>(count);
    outputs_of_[node] = &outputs;
    return outputs;
  }

  Node* NewForwarder(uint32_t module, ProcessFunction process, void* self, Node* to) {
    Node* node = NewNode(module);
    node->process = process;
    node->self = self;
    SetOutputs(node, 1)[0] = to;
    return node;
  }

  // Hooks in front of `to`, first hook first.
  Node* Hooked(uint32_t module, const Hooks& hooks, Node* to) {
    for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) {
      to = NewForwarder(module, (*hook)->hclass().process, hook->get(), to);
      to->cell = (*hook)->Cell(worker_);
      to->counts = (*hook)->CountsOnly(worker_);
    }
    return to;
  }

  // The node that runs the module for batches that come in by `igate`. Inputs that are alike share
  // one, but behind hooks each has its own: only then do all links into a module's hooks and inputs
  // come from the connections themselves, which is where a cycle is cut and filled again.
  Node* Input(uint32_t module, uint32_t igate, bool hooked) {
    const bool alike = topology_.module(module).info().igates_alike;
    Node*& node = inputs_[{module, alike && !hooked ? kAllAlike : igate}];
    if (node == nullptr) {
      node = NewNode(module);
      const auto holder = holders_.find(module);
      if (holder != holders_.end()) {
        node->self = &holder->second;
        node->process = &ProcessAndKnock;
      }
      node->igate = alike ? 0 : igate;
      to_wire_.push_back(node);
    }
    return node;
  }

  // The same behind the hooks of that input gate.
  Node* Entry(uint32_t module, uint32_t igate) {
    const auto& hooked = topology_.modules[module]->in_hooks;
    const auto hooks = hooked.find(igate);
    if (hooks == hooked.end() || hooks->second.empty()) return Input(module, igate, false);
    Node*& node = entries_[{module, igate}];
    if (node == nullptr) node = Hooked(module, hooks->second, Input(module, igate, true));
    return node;
  }

  void Connect(Node* node, uint32_t module) {
    const auto& connections = topology_.down[module];
    if (connections.empty()) return;
    auto& outputs = SetOutputs(node, connections.back().ogate + 1);
    for (const auto& connection : connections) {
      Node* entry = Entry(connection.to, connection.gate->igate);
      Node* first = Hooked(module, connection.gate->hooks, entry);
      outputs[connection.ogate] = first;
      edge_of_[{node, connection.ogate}] = connection.gate->edge.get();
      linked_.insert(connection.gate->edge.get());
    }
  }

  void PutClearBehind(Node* root, uint32_t module) {
    auto& ranges = plan_->clears.emplace_back(metadata_.clear[module]);
    for (Node*& out : *outputs_of_.at(root)) {
      if (out == nullptr) continue;
      Node* first = out;
      out = NewForwarder(module, &ClearMetadata, &ranges, first);
    }
  }

  void WireAll() {
    while (!to_wire_.empty()) {
      Node* node = to_wire_.back();
      to_wire_.pop_back();
      const uint32_t module = module_of_.at(node);
      // What a holding module takes in comes out by its task, on the task's worker.
      if (!topology_.module(module).info().holds_packets) Connect(node, module);
    }
  }

  // An edge whose buffer an earlier plan may have filled is emptied by every later one. Where no
  // task of this worker leads to it any more, what waits there ends: the modules behind it belong
  // to other workers now.
  void DrainLoops() {
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      for (const auto& [to, gate, ogate] : topology_.down[m]) {
        LoopBuffer* buffer = gate->edge->loop(worker_);
        if (buffer == nullptr) continue;
        const bool linked = linked_.contains(gate->edge.get());
        AddLoopSlot(buffer, m, linked ? Entry(to, gate->igate) : NewGrave(m));
      }
    }
  }

  Node* NewGrave(uint32_t module) {
    Node* node = NewNode(module);
    node->process = &DropStranded;
    return node;
  }

  // Depth first from the roots: reverse order of completion is a topological order once the links
  // that close a cycle are cut.
  void Rank() {
    std::vector<Node*> finished;
    const std::vector<Node*> roots = roots_;
    for (Node* root : roots) Visit(root, &finished);
    std::reverse(finished.begin(), finished.end());
    for (Node* node : finished) {
      node->rank = static_cast<uint32_t>(plan_->by_rank.size());
      plan_->by_rank.push_back(node);
    }
    for (Node* node : cuts_) {
      node->rank = static_cast<uint32_t>(plan_->by_rank.size());
      plan_->by_rank.push_back(node);
    }
  }

  enum class State { kNew, kOpen, kDone };
  struct Frame {
    Node* node;
    uint32_t next;  // output to look at
    Edge* edge;     // of the module's gate the walk last left by
  };

  void Visit(Node* root, std::vector<Node*>* finished) {
    std::vector<Frame> stack;
    Open(root, nullptr, &stack);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (frame.next == frame.node->num_out) {
        state_[frame.node] = State::kDone;
        finished->push_back(frame.node);
        stack.pop_back();
        continue;
      }
      const uint32_t ogate = frame.next++;
      Node*& out = (*outputs_of_.at(frame.node))[ogate];
      if (out == nullptr) continue;
      const auto edge = edge_of_.find({frame.node, ogate});
      Edge* through = edge == edge_of_.end() ? frame.edge : edge->second;
      const State state = state_[out];
      if (state == State::kNew) {
        Open(out, through, &stack);
      } else if (state == State::kOpen) {
        out = Cut(frame.node, through, out);
      }
    }
  }

  void Open(Node* node, Edge* edge, std::vector<Frame>* stack) {
    State& state = state_[node];
    if (state != State::kNew) return;
    state = State::kOpen;
    stack->push_back({node, 0, edge});
  }

  // Replaces the link from -> to by a buffer that is emptied into `to` next round.
  Node* Cut(Node* from, Edge* edge, Node* to) {
    const uint32_t module = module_of_.at(from);
    LoopBuffer& buffer = edge->MakeLoop(worker_);
    Node* node = NewNode(module);
    node->process = &LoopBuffer::Process;
    node->self = &buffer;
    cuts_.push_back(node);
    state_[node] = State::kDone;
    const bool known = std::any_of(plan_->loops.begin(), plan_->loops.end(),
                                   [&](const LoopSlot& slot) { return slot.buffer == &buffer; });
    if (!known) AddLoopSlot(&buffer, module, to);
    return node;
  }

  void AddLoopSlot(LoopBuffer* buffer, uint32_t module, Node* target) {
    Node* root = NewForwarder(module, nullptr, nullptr, target);
    plan_->loops.push_back({buffer, root});
    roots_.push_back(root);
  }

  const Topology& topology_;
  const MetadataLayout& metadata_;
  std::map<uint32_t, Holder>& holders_;
  const uint32_t worker_;
  std::unique_ptr<WorkerPlan> plan_ = std::make_unique<WorkerPlan>();
  std::vector<Node*> roots_;
  std::vector<uint32_t> sources_;  // modules of tasks
  std::vector<Node*> to_wire_;
  std::vector<Node*> cuts_;
  std::map<GateKey, Node*> inputs_;
  std::map<GateKey, Node*> entries_;
  absl::flat_hash_map<const Node*, uint32_t> module_of_;
  absl::flat_hash_map<const Node*, std::vector<Node*>*> outputs_of_;
  absl::flat_hash_map<std::pair<const Node*, uint32_t>, Edge*> edge_of_;  // by output gate
  absl::flat_hash_set<const Edge*> linked_;  // that some node of this worker sends to
  absl::flat_hash_map<const Node*, State> state_;
};

// Those with tasks, and those where packets may be waiting in a cycle.
std::vector<bool> UsedWorkers(const Topology& topology, const ClassTree& classes) {
  std::vector<bool> used(kMaxWorkers);
  for (const auto& [name, tc] : classes.classes()) {
    if (!tc->is_leaf()) continue;
    if (const auto worker = classes.WorkerOf(name)) used[*worker] = true;
  }
  for (const ModuleEntry* entry : topology.modules) {
    for (const auto& [ogate, out] : entry->out) {
      for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
        if (out.edge->loop(worker) != nullptr) used[worker] = true;
      }
    }
  }
  return used;
}

// What keeps packets and has tasks to send them on, and what brakes without keeping any itself.
void FindHolders(const Topology& topology, Plan& plan) {
  for (uint32_t m = 0; m < topology.size(); ++m) {
    Module& module = *topology.modules[m]->module;
    const bool keeps = module.info().holds_packets && !module.tasks().empty();
    Brake* brake = module.brake();
    if (!keeps && brake == nullptr) continue;
    Holder& holder = plan.holders[m];
    holder.module = &module;
    holder.brake = brake;
    if (holder.brake != nullptr) holder.fed_by = FeedersOf(topology, m);
  }
}

std::unique_ptr<WorkerPlan> CompileWorker(const Topology& topology, uint32_t worker, Plan& plan) {
  WorkerPlanBuilder builder(topology, plan, worker);
  builder.AddTasks(plan.graph->classes);
  auto worker_plan = builder.Build();
  for (const uint32_t m : builder.Modules()) {
    plan.placement[topology.modules[m]->module.get()].push_back(worker);
  }
  return worker_plan;
}

absl::Status CheckPlacement(const Topology& topology, const Plan& plan) {
  std::vector<std::string> errors;
  for (const ModuleEntry* entry : topology.modules) {
    const auto placed = plan.placement.find(entry->module.get());
    if (placed == plan.placement.end()) continue;
    const ModuleInfo& info = entry->module->info();
    if (placed->second.size() <= info.max_workers) continue;
    errors.push_back(absl::StrCat("module '", entry->module->name(), "' (", AbslView(info.name),
                                  ") may run on at most ", info.max_workers,
                                  " worker(s), but workers ", absl::StrJoin(placed->second, ", "),
                                  " reach it"));
  }
  if (errors.empty()) return absl::OkStatus();
  return Error(EINVAL, absl::StrJoin(errors, "; "));
}

}  // namespace

const std::vector<int16_t>& Plan::offsets(std::string_view module) const {
  static const std::vector<int16_t> none;
  const auto it = graph->modules.find(module);
  if (it == graph->modules.end()) return none;
  return metadata.offsets[static_cast<size_t>(std::distance(graph->modules.begin(), it))];
}

absl::StatusOr<std::unique_ptr<Plan>> Compile(std::shared_ptr<const Graph> graph) {
  const Topology topology(*graph);
  auto plan = std::make_unique<Plan>();
  auto metadata = PlaceAttributes(topology, graph->attributes);
  plan->graph = std::move(graph);
  const absl::Status attributes = metadata.status();
  if (metadata.ok()) {
    plan->metadata = *std::move(metadata);
  } else {  // the workers are laid out all the same, to find their errors too
    plan->metadata.offsets.resize(topology.size());
    plan->metadata.clear.resize(topology.size());
  }
  FindHolders(topology, *plan);
  const std::vector<bool> used = UsedWorkers(topology, plan->graph->classes);
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
    if (used[worker]) plan->workers[worker] = CompileWorker(topology, worker, *plan);
  }
  const absl::Status placement = CheckPlacement(topology, *plan);
  if (!attributes.ok() && !placement.ok()) {
    return Error(StatusErrno(attributes), attributes.message(), "; ", placement.message());
  }
  BESS_RETURN_IF_ERROR(attributes);
  BESS_RETURN_IF_ERROR(placement);
  return plan;
}

}  // namespace bess
