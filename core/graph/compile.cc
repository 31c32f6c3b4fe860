// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_join.h"
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

// Builds one worker's part: the nodes its tasks can reach.
class WorkerPlanBuilder {
 public:
  WorkerPlanBuilder(const Topology& topology, const MetadataLayout& metadata, uint32_t worker)
      : topology_(topology), metadata_(metadata), worker_(worker) {}

  void AddTask(uint32_t module, size_t task) {
    Node* root = NewNode(module);
    Connect(root, module);
    if (!metadata_.clear[module].empty()) PutClearBehind(root, module);
    const Module& source = topology_.module(module);
    plan_->tasks.push_back({topology_.modules[module]->module.get(), source.mclass().run_task,
                            source.tasks()[task].argument, root});
    roots_.push_back(root);
  }

  // An edge whose buffer an earlier plan filled is emptied by every later one.
  void DrainLoops(uint32_t module) {
    for (const auto& connection : topology_.down[module]) {
      if (LoopBuffer* buffer = connection.gate->edge->loop(worker_)) {
        AddLoopSlot(buffer, module, Entry(connection.to, connection.gate->igate));
      }
    }
  }

  std::unique_ptr<WorkerPlan> Build() {
    WireAll();
    Rank();
    plan_->arena = std::make_unique<BatchArena>(plan_->nodes.size() + kSpareBatches);
    return std::move(plan_);
  }

  // The modules whose nodes this worker has.
  std::vector<uint32_t> Modules() const {
    std::vector<uint32_t> modules;
    for (const auto& [key, node] : inputs_) modules.push_back(key.first);
    for (const TaskSlot& task : plan_->tasks) {
      modules.push_back(module_of_.at(task.root));
    }
    std::sort(modules.begin(), modules.end());
    modules.erase(std::unique(modules.begin(), modules.end()), modules.end());
    return modules;
  }

 private:
  using GateKey = std::pair<uint32_t, uint32_t>;  // module, input gate

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
    }
    return to;
  }

  // The node that runs the module for batches that come in by `igate`.
  Node* Input(uint32_t module, uint32_t igate) {
    if (topology_.module(module).info().igates_alike) igate = 0;
    Node*& node = inputs_[{module, igate}];
    if (node == nullptr) {
      node = NewNode(module);
      node->igate = igate;
      to_wire_.push_back(node);
    }
    return node;
  }

  // The same behind the hooks of that input gate.
  Node* Entry(uint32_t module, uint32_t igate) {
    const auto& hooked = topology_.modules[module]->in_hooks;
    const auto hooks = hooked.find(igate);
    if (hooks == hooked.end() || hooks->second.empty()) return Input(module, igate);
    Node*& node = entries_[{module, igate}];
    if (node == nullptr) node = Hooked(module, hooks->second, Input(module, igate));
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
      edge_of_[{node, first}] = connection.gate->edge.get();
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
      Node*& out = (*outputs_of_.at(frame.node))[frame.next++];
      if (out == nullptr) continue;
      const auto edge = edge_of_.find({frame.node, out});
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
  const uint32_t worker_;
  std::unique_ptr<WorkerPlan> plan_ = std::make_unique<WorkerPlan>();
  std::vector<Node*> roots_;
  std::vector<Node*> to_wire_;
  std::vector<Node*> cuts_;
  std::map<GateKey, Node*> inputs_;
  std::map<GateKey, Node*> entries_;
  absl::flat_hash_map<const Node*, uint32_t> module_of_;
  absl::flat_hash_map<const Node*, std::vector<Node*>*> outputs_of_;
  absl::flat_hash_map<std::pair<const Node*, const Node*>, Edge*> edge_of_;
  absl::flat_hash_map<const Node*, State> state_;
};

std::vector<bool> UsedWorkers(const Topology& topology) {
  std::vector<bool> used(kMaxWorkers);
  for (const ModuleEntry* entry : topology.modules) {
    for (const auto& worker : entry->task_workers) {
      if (worker) used[*worker] = true;
    }
  }
  return used;
}

std::unique_ptr<WorkerPlan> CompileWorker(const Topology& topology, uint32_t worker, Plan& plan) {
  WorkerPlanBuilder builder(topology, plan.metadata, worker);
  for (uint32_t m = 0; m < topology.size(); ++m) {
    const auto& workers = topology.modules[m]->task_workers;
    for (size_t task = 0; task < workers.size(); ++task) {
      if (workers[task] == worker) builder.AddTask(m, task);
    }
  }
  for (uint32_t m = 0; m < topology.size(); ++m) builder.DrainLoops(m);
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
  const auto it = graph->modules.find(module);
  return metadata.offsets[static_cast<size_t>(std::distance(graph->modules.begin(), it))];
}

absl::StatusOr<std::unique_ptr<Plan>> Compile(std::shared_ptr<const Graph> graph) {
  const Topology topology(*graph);
  auto plan = std::make_unique<Plan>();
  plan->graph = graph;
  BESS_ASSIGN_OR_RETURN(plan->metadata, PlaceAttributes(topology, graph->attributes));
  const std::vector<bool> used = UsedWorkers(topology);
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
    if (used[worker]) plan->workers[worker] = CompileWorker(topology, worker, *plan);
  }
  BESS_RETURN_IF_ERROR(CheckPlacement(topology, *plan));
  return plan;
}

}  // namespace bess
