// SPDX-License-Identifier: Apache-2.0
#include "tests/packets/testbed.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"

namespace bess::packet_tests {
namespace {

constexpr double kStartSeconds = 1000;
constexpr uint32_t kWorker = 0;
// Names a script cannot give.
constexpr char kInjector[] = "(in)";
constexpr char kCollector[] = "(out)";

bool IsEnd(const std::string& name) { return name == kInjector || name == kCollector; }

// The number of a gate in a list it is put into at its first use.
uint32_t IndexOf(std::vector<Gate>& gates, const Gate& gate) {
  const auto it = std::find(gates.begin(), gates.end(), gate);
  if (it != gates.end()) return static_cast<uint32_t>(it - gates.begin());
  gates.push_back(gate);
  return static_cast<uint32_t>(gates.size() - 1);
}

std::string Sums(const LedgerTotals& totals, uint64_t held) {
  std::string text =
      absl::StrCat("created ", totals.created, ", consumed ", totals.consumed, ", held ", held);
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    if (totals.dropped[i] == 0) continue;
    const auto name = DropReasonName(static_cast<DropReason>(i));
    absl::StrAppend(&text, ", dropped ", totals.dropped[i], " as ", AbslView(name));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Testbed>> Testbed::Build(const Case& wanted,
                                                        uint32_t collected_gates,
                                                        const std::set<Gate>& more) {
  std::unique_ptr<Testbed> testbed(new Testbed);
  testbed->now_ = static_cast<uint64_t>(kStartSeconds * CyclesPerSecond());
  testbed->context_.BeginRound(testbed->now_);
  for (const PortCase& port : wanted.ports) testbed->host_.AddPort(port.name, port.queues);
  BESS_RETURN_IF_ERROR(testbed->AddModules(wanted));
  BESS_RETURN_IF_ERROR(testbed->AddEnds(wanted, collected_gates, more));
  BESS_RETURN_IF_ERROR(testbed->CompileGraph());
  return testbed;
}

Testbed::~Testbed() { (void)Finish(); }

absl::Status Testbed::AddModules(const Case& wanted) {
  for (const ModuleCase& module : wanted.modules) {
    BESS_RETURN_IF_ERROR(AddModule(module.name, module.mclass, module.argument));
  }
  for (const ConnectionCase& edge : wanted.connections) {
    BESS_RETURN_IF_ERROR(graph_->Connect(edge.from, edge.ogate, edge.to, edge.igate, {}));
  }
  return absl::OkStatus();
}

absl::Status Testbed::AddModule(const std::string& name, const std::string& mclass,
                                const google::protobuf::Any& argument) {
  const auto found = ModuleRegistry::Get().Find(mclass);
  if (found == nullptr) return Error(ENOENT, "there is no module class '", mclass, "'");
  BESS_ASSIGN_OR_RETURN(std::shared_ptr<Module> module, found->Create(name, host_, argument));
  graph_->Add(std::move(module), argument, kWorker);
  return absl::OkStatus();
}

absl::Status Testbed::AddEnds(const Case& wanted, uint32_t collected_gates,
                              const std::set<Gate>& more) {
  BESS_RETURN_IF_ERROR(AddModule(kInjector, std::string(Injector::kInfo.name), {}));
  BESS_RETURN_IF_ERROR(AddModule(kCollector, std::string(Collector::kInfo.name), {}));
  injector_ = static_cast<Injector*>(graph_->Find(kInjector)->module.get());
  collector_ = static_cast<Collector*>(graph_->Find(kCollector)->module.get());
  for (const ModuleCase& module : wanted.modules) {
    const uint32_t ogates = graph_->Find(module.name)->module->info().ogates;
    for (uint32_t i = 0; i < std::min(ogates, collected_gates); ++i) {
      BESS_RETURN_IF_ERROR(Collect({module.name, i}));
    }
  }
  for (const Gate& gate : more) BESS_RETURN_IF_ERROR(Collect(gate));
  for (const Step& step : wanted.steps) {
    if (step.action == Action::kOut) BESS_RETURN_IF_ERROR(Collect({step.name, step.gate}));
    if (step.action != Action::kIn) continue;
    const Gate gate = {step.name, step.gate};
    const size_t known = entries_.size();
    const uint32_t index = IndexOf(entries_, gate);
    if (index < known) continue;
    BESS_RETURN_IF_ERROR(graph_->Connect(kInjector, index, gate.first, gate.second, {}));
  }
  return absl::OkStatus();
}

absl::Status Testbed::Collect(const Gate& gate) {
  BESS_ASSIGN_OR_RETURN(Module * module, FindModule(gate.first));
  BESS_RETURN_IF_ERROR(CheckGate("out", gate.second, module->info().ogates));
  if (graph_->Find(gate.first)->out.contains(gate.second)) return absl::OkStatus();
  return graph_->Connect(gate.first, gate.second, kCollector, IndexOf(exits_, gate), {});
}

absl::Status Testbed::CompileGraph() {
  BESS_ASSIGN_OR_RETURN(plan_, Compile(graph_));
  for (const auto& [name, entry] : graph_->modules) {
    entry->module->Placed(WorkerList(plan_->WorkersOf(*entry)));
  }
  WorkerPlan& worker = *plan_->workers[kWorker];
  context_.Adopt(worker.most_nodes, worker.arena.get());
  return absl::OkStatus();
}

absl::Status Testbed::Do(const Step& step, Packets* out) {
  switch (step.action) {
    case Action::kIn:
      return In(step);
    case Action::kInPort: {
      BESS_ASSIGN_OR_RETURN(FakePort * port, FindPort(step));
      for (size_t i = 0; i < step.packets.size(); ++i) {
        port->to_receive[step.gate].push_back(Make(step, i));
      }
      return absl::OkStatus();
    }
    case Action::kRun:
      return RunTasks(step);
    case Action::kCommand: {
      BESS_ASSIGN_OR_RETURN(Module * module, FindModule(step.name));
      google::protobuf::Any reply;
      return module->mclass().Run(*module, step.command, step.argument, &reply);
    }
    case Action::kTick:
      now_ += static_cast<uint64_t>(step.seconds * CyclesPerSecond());
      return absl::OkStatus();
    case Action::kOut: {
      const auto it = std::find(exits_.begin(), exits_.end(), Gate(step.name, step.gate));
      if (it == exits_.end()) {
        return Error(EINVAL, "gate ", step.gate, " of '", step.name, "' is connected");
      }
      *out = std::exchange(collector_->collected[static_cast<uint32_t>(it - exits_.begin())], {});
      return absl::OkStatus();
    }
    case Action::kOutPort: {
      BESS_ASSIGN_OR_RETURN(FakePort * port, FindPort(step));
      *out = std::exchange(port->sent_bytes[step.gate], {});
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

Packet* Testbed::Make(const Step& step, size_t index) {
  const std::string_view bytes = step.packets[index];
  const auto cut = step.in_two.find(index);
  if (cut == step.in_two.end()) return host_.pool().Make(bytes);
  return host_.pool().MakeChain({bytes.substr(0, cut->second), bytes.substr(cut->second)});
}

absl::Status Testbed::In(const Step& step) {
  for (size_t i = 0; i < step.packets.size(); ++i) injector_->waiting.push_back(Make(step, i));
  injector_->gate = IndexOf(entries_, {step.name, step.gate});
  const auto& tasks = plan_->workers[kWorker]->tasks;
  const auto task = std::find_if(tasks.begin(), tasks.end(),
                                 [&](const TaskSlot& slot) { return slot.module == injector_; });
  while (!injector_->waiting.empty()) RunTask(*task);
  EmptyLoops();
  return absl::OkStatus();
}

absl::Status Testbed::RunTasks(const Step& step) {
  BESS_ASSIGN_OR_RETURN(Module * module, FindModule(step.name));
  if (module->tasks().empty()) return Error(EINVAL, "'", step.name, "' has no task to run");
  for (uint32_t i = 0; i < step.times; ++i) {
    for (const TaskSlot& task : plan_->workers[kWorker]->tasks) {
      if (task.module == module) RunTask(task);
    }
  }
  EmptyLoops();
  return absl::OkStatus();
}

// One round, as a worker does it: first what waits in cycles, then one task.
void Testbed::RunTask(const TaskSlot& task) {
  RunLoops();
  context_.RunRoot(*task.root, [&](Context& context, Batch& batch) {
    return task.run(*task.module, context, batch, task.argument);
  });
}

void Testbed::RunLoops() {
  context_.BeginRound(now_);
  for (const LoopSlot& loop : plan_->workers[kWorker]->loops) RunLoop(context_, loop);
}

void Testbed::EmptyLoops() {
  for (uint32_t i = 0; i < kMaxRounds && HeldInLoops() != 0; ++i) RunLoops();
}

absl::StatusOr<Module*> Testbed::FindModule(const std::string& name) const {
  const ModuleEntry* entry = graph_->Find(name);
  if (entry == nullptr) return Error(ENOENT, "there is no module '", name, "'");
  return entry->module.get();
}

absl::StatusOr<FakePort*> Testbed::FindPort(const Step& step) {
  const auto it = host_.ports.find(step.name);
  if (it == host_.ports.end()) return Error(ENOENT, "there is no port '", step.name, "'");
  const uint32_t queues = it->second.rx_queues();
  if (step.gate >= queues) {
    return Error(EINVAL, "port '", step.name, "' has queues 0..", queues - 1, ", not ", step.gate);
  }
  return &it->second;
}

uint64_t Testbed::HeldInLoops() const {
  uint64_t held = 0;
  for (const auto& [name, entry] : graph_->modules) {
    for (const auto& [gate, out] : entry->out) held += out.edge->held();
  }
  return held;
}

absl::Status Testbed::CheckBooks() const {
  LedgerTotals sum;
  uint64_t held = HeldInLoops();
  std::string details;
  for (const auto& [name, entry] : graph_->modules) {
    const LedgerTotals totals = entry->module->totals();
    sum += totals;
    held += entry->module->held();
    absl::StrAppend(&details, "\n  ", name, ": ", Sums(totals, entry->module->held()));
  }
  if (sum.created == sum.consumed + sum.all_dropped() + held) return absl::OkStatus();
  return Error(EINVAL, "the books do not balance: ", sum.created, " packets went in or were made, ",
               sum.consumed + sum.all_dropped() + held, " are accounted for", details);
}

std::vector<Untaken> Testbed::TakeAll() {
  std::vector<Untaken> all;
  for (auto& [index, packets] : collector_->collected) {
    if (!packets.empty()) all.push_back({"module", exits_[index], std::exchange(packets, {})});
  }
  for (auto& [name, port] : host_.ports) {
    for (auto& [queue, packets] : port.sent_bytes) {
      if (!packets.empty()) all.push_back({"port", {name, queue}, std::exchange(packets, {})});
    }
  }
  return all;
}

std::vector<std::pair<std::string, DropCounts>> Testbed::Drops() const {
  std::vector<std::pair<std::string, DropCounts>> drops;
  for (const auto& [name, entry] : graph_->modules) {
    const LedgerTotals totals = entry->module->totals();
    if (!IsEnd(name) && totals.all_dropped() != 0) drops.emplace_back(name, totals.dropped);
  }
  return drops;
}

std::set<Gate> Testbed::UsedGates() const {
  std::set<Gate> used;
  for (const auto& [index, packets] : collector_->collected) used.insert(exits_[index]);
  return used;
}

uint64_t Testbed::DiscardAll() {
  uint64_t discarded = 0;
  for (const auto& [name, entry] : graph_->modules) {
    discarded += entry->module->Discard();
    for (const auto& [gate, out] : entry->out) discarded += out.edge->Discard();
  }
  return discarded;
}

absl::Status Testbed::Finish() {
  if (graph_ == nullptr) return absl::OkStatus();
  uint64_t held = HeldInLoops();
  for (const auto& [name, entry] : graph_->modules) held += entry->module->held();
  const uint64_t discarded = DiscardAll();
  plan_.reset();
  graph_.reset();  // with it the modules
  for (auto& [name, port] : host_.ports) {
    for (auto& [queue, packets] : port.to_receive) {
      for (Packet* packet : packets) FreePackets(&packet, 1);
      packets.clear();
    }
  }
  if (discarded != held) {
    return Error(EINVAL, "modules said they held ", held, " packets and discarded ", discarded);
  }
  const uint32_t leaked = host_.pool().in_use();
  if (leaked == 0) return absl::OkStatus();
  return Error(EINVAL, leaked, " packets were leaked");
}

}  // namespace bess::packet_tests
