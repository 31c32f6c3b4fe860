// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/base/clock.h"
#include "core/graph/plan.h"

namespace bess {
namespace {

// A batch may be filling at every node; this many more may be on their way at once. Beyond, a
// graph that multiplies packets drops them as overload.
constexpr size_t kSpareBatches = 1024;

// Every module is new to the empty plan: a full compilation is no case of its own.
class Compiler {
 public:
  Compiler(std::shared_ptr<const Graph> graph, const Plan& before)
      : graph_(*graph), before_(before), places_(graph_.numbers) {
    plan_->graph = std::move(graph);
  }

  absl::StatusOr<std::unique_ptr<Plan>> Run() {
    MakeSchedules();
    KeepParts();
    MakeParts();
    const absl::Status attributes = PlaceAttributes();
    for (Part* part : made_) part->LayOut(plan_->places, *plan_->schedules);
    FindModules();
    const absl::Status placement = CheckPlacement();
    if (!attributes.ok() && !placement.ok()) {
      return Error(StatusErrno(attributes), attributes.message(), "; ", placement.message());
    }
    BESS_RETURN_IF_ERROR(attributes);
    BESS_RETURN_IF_ERROR(placement);
    Gather();
    MakeWorkers();
    return std::move(plan_);
  }

 private:
  // A module to be laid out: what is known of it, or the entry of one that is new or was edited.
  struct Loose {
    const Topology* from = nullptr;
    const ModuleEntry* fresh = nullptr;
  };

  void MakeSchedules() {
    const bool same = before_.schedules && graph_.classes.Shares(before_.graph->classes);
    plan_->schedules = same ? before_.schedules : std::make_shared<const Schedules>(graph_);
  }

  // Takes over the parts that nothing has happened to; the modules of the others, and those that
  // are new, are to be laid out.
  void KeepParts() {
    plan_->parts = before_.parts;
    plan_->modules = before_.modules;
    plan_->modules.resize(graph_.numbers);
    loose_.resize(std::max(before_.modules.size(), plan_->modules.size()));
    std::vector<bool> touched(before_.parts.size());
    const Changes changes = FindChanges(&touched);
    for (uint32_t i = 0; i < before_.parts.size(); ++i) {
      const Part* part = before_.parts[i].get();
      if (part == nullptr) continue;
      if (!touched[i] && part->Holds(*before_.schedules, *plan_->schedules)) continue;
      for (const Site& site : part->topology.sites) loose_[site.number].from = &part->topology;
      plan_->parts[i] = nullptr;
    }
    for (const ModuleEntry* entry : changes.left) loose_[entry->number] = {};
    for (const ModuleEntry* entry : changes.fresh) loose_[entry->number] = {.fresh = entry};
  }

  // Modules of which the entry is another object than before.
  struct Changes {
    std::vector<const ModuleEntry*> left;   // what there was
    std::vector<const ModuleEntry*> fresh;  // what there is
  };

  // Marks the parts they touch: those where the old ones were, and those the new ones lead to.
  Changes FindChanges(std::vector<bool>* touched) {
    Changes changes;
    std::vector<bool> is_fresh(graph_.numbers);
    const auto look = [&](const std::string&, const ModuleEntry* old, const ModuleEntry* now) {
      if (old != nullptr) {
        (*touched)[before_.modules[old->number].part] = true;
        changes.left.push_back(old);
      }
      if (now == nullptr) return;
      is_fresh[now->number] = true;
      changes.fresh.push_back(now);
    };
    const SharedMap<ModuleEntry> none;
    const auto& old = before_.graph ? before_.graph->modules : none;
    SharedMap<ModuleEntry>::ForEachDifference(old, graph_.modules, look);
    for (const ModuleEntry* entry : changes.fresh) {
      for (const auto& [ogate, gate] : entry->out) {
        if (is_fresh[gate.to_number]) continue;
        (*touched)[before_.modules[gate.to_number].part] = true;
      }
    }
    return changes;
  }

  void MakeParts() {
    Survey survey;
    for (uint32_t number = 0; number < loose_.size();) {
      const Loose& loose = loose_[number];
      if (loose.fresh != nullptr) survey.Add(*loose.fresh);
      number = loose.from != nullptr ? AddKnown(number, survey) : number + 1;
    }
    for (Topology& part : ConnectedParts(std::move(survey), places_)) Make(std::move(part));
  }

  // This module and those next to it, as far as they stood next to each other before; returns the
  // number behind them.
  uint32_t AddKnown(uint32_t number, Survey& survey) {
    const Topology* from = loose_[number].from;
    const uint32_t begin = before_.modules[number].index;
    uint32_t end = begin;
    do {
      ++end, ++number;
    } while (number < loose_.size() && loose_[number].from == from &&
             before_.modules[number].index == end);
    survey.Add(*from, begin, end);
    return number;
  }

  void Make(Topology topology) {
    while (next_free_ < plan_->parts.size() && plan_->parts[next_free_] != nullptr) ++next_free_;
    if (next_free_ == plan_->parts.size()) plan_->parts.emplace_back();
    Replace(next_free_, std::move(topology));
  }

  void Replace(uint32_t index, Topology topology) {
    auto part = std::make_shared<Part>(std::move(topology));
    made_.push_back(part.get());
    plan_->made.push_back(index);
    plan_->parts[index] = std::move(part);
  }

  // For all parts together; those that were kept are made anew if that moved something they use.
  absl::Status PlaceAttributes() {
    std::vector<PartRanges> all;
    for (const auto& part : plan_->parts) {
      if (part == nullptr || part->ranges.empty()) continue;
      all.push_back({&part->topology, &part->ranges});
    }
    BESS_ASSIGN_OR_RETURN(plan_->places, PlaceRanges(all, graph_.attributes));
    if (before_.places == plan_->places) return absl::OkStatus();
    for (uint32_t i = 0; i < before_.parts.size(); ++i) {
      const auto kept = plan_->parts[i];
      if (kept == nullptr || kept != before_.parts[i] || kept->Holds(plan_->places)) continue;
      Replace(i, kept->topology);
    }
    return absl::OkStatus();
  }

  void FindModules() {
    for (const uint32_t part : plan_->made) {
      const auto& sites = plan_->parts[part]->topology.sites;
      for (uint32_t i = 0; i < sites.size(); ++i) plan_->modules[sites[i].number] = {part, i};
    }
  }

  // Parts of the plan before were found good.
  absl::Status CheckPlacement() const {
    std::vector<std::pair<std::string_view, std::string>> errors;  // by module
    for (const Part* part : made_) {
      for (size_t m = 0; m < part->topology.size(); ++m) {
        const Site& site = part->topology.sites[m];
        const auto on = static_cast<uint32_t>(std::popcount(part->placement[m]));
        if (on <= site.max_workers) continue;
        const std::string& name = site.module->name();
        errors.emplace_back(
            name,
            absl::StrCat("module '", name, "' (", AbslView(site.module->info().name),
                         ") may run on at most ", site.max_workers, " worker(s), but workers ",
                         absl::StrJoin(WorkerList(part->placement[m]), ", "), " reach it"));
      }
    }
    if (errors.empty()) return absl::OkStatus();
    std::sort(errors.begin(), errors.end());
    return Error(EINVAL, absl::StrJoin(errors, "; ", [](std::string* out, const auto& error) {
                   out->append(error.second);
                 }));
  }

  // What is known of the whole graph.
  void Gather() {
    for (const auto& part : plan_->parts) {
      if (part == nullptr) continue;
      most_nodes_ = std::max(most_nodes_, part->most_nodes);
      if (part->plain()) continue;
      const auto append = [](const auto& from, auto* to) {
        to->insert(to->end(), from.begin(), from.end());
      };
      append(part->metadata.warnings, &plan_->warnings);
      append(part->attentive, &plan_->attentive);
      append(part->choosy, &plan_->choosy);
      for (const auto& [worker, its] : part->workers) append(its.loops, &loops_[worker]);
    }
  }

  void MakeWorkers() {
    for (const auto& [worker, scheduler] : plan_->schedules->by_worker) {
      MakeWorker(worker, scheduler);
    }
    const auto hz = static_cast<uint64_t>(CyclesPerSecond());
    for (const auto& [worker, loops] : loops_) {
      if (loops.empty()) continue;
      auto& its = plan_->workers[worker];
      if (its == nullptr) {
        MakeWorker(worker, std::make_shared<TcScheduler>(graph_.classes, worker, hz));
      }
      its->loops = loops;
    }
  }

  void MakeWorker(uint32_t worker, std::shared_ptr<TcScheduler> scheduler) {
    auto made = std::make_unique<WorkerPlan>();
    made->scheduler = std::move(scheduler);
    PutTasks(worker, *made);
    for (const TaskSlot& task : made->tasks) {
      made->wakeable &= task.wake_fd >= 0 || task.module->info().holds_packets;
      made->wakers += task.wake_fd >= 0 ? 1 : 0;
    }
    made->most_nodes = most_nodes_;
    const WorkerPlan* old = before_.workers[worker].get();
    // So that it seldom changes from plan to plan.
    const size_t batches = std::bit_ceil(most_nodes_) + kSpareBatches;
    const bool same_arena = old != nullptr && old->arena->size() == batches;
    made->arena = same_arena ? old->arena : std::make_shared<BatchArena>(batches);
    plan_->workers[worker] = std::move(made);
  }

  // Under the same scheduler, all but those of the parts that were made are where they were.
  void PutTasks(uint32_t worker, WorkerPlan& made) {
    const WorkerPlan* old = before_.workers[worker].get();
    if (old != nullptr && old->scheduler == made.scheduler) {
      made.tasks = old->tasks;
      for (const Part* part : made_) PutTasksOf(*part, worker, made);
      return;
    }
    made.tasks.resize(made.scheduler->leaves().size());
    for (const auto& part : plan_->parts) {
      if (part != nullptr) PutTasksOf(*part, worker, made);
    }
  }

  void PutTasksOf(const Part& part, uint32_t worker, WorkerPlan& made) {
    const auto its = part.workers.find(worker);
    if (its == part.workers.end()) return;
    for (const PartTask& task : its->second.tasks) {
      for (const auto& each : plan_->schedules->of(part.topology.sites[task.module].number)) {
        if (each.task == task.task) made.tasks[each.leaf] = task.slot;
      }
    }
  }

  const Graph& graph_;
  const Plan& before_;
  std::unique_ptr<Plan> plan_ = std::make_unique<Plan>();
  std::vector<uint32_t> places_;                     // by number: for the passes
  std::vector<Loose> loose_;                         // by number
  std::vector<Part*> made_;                          // as in plan_->made
  std::map<uint32_t, std::vector<LoopSlot>> loops_;  // by worker
  size_t most_nodes_ = 0;                            // of a part
  uint32_t next_free_ = 0;                           // no part before it is free
};

const Plan& Nothing() {
  static const Plan nothing;
  return nothing;
}

}  // namespace

const std::vector<int16_t>& Plan::offsets(std::string_view module) const {
  static const std::vector<int16_t> none;
  const ModuleEntry* entry = graph->Find(module);
  if (entry == nullptr) return none;
  const Place& place = modules[entry->number];
  return parts[place.part]->metadata.offsets[place.index];
}

uint64_t Plan::WorkersOf(const ModuleEntry& module) const {
  const Place& place = modules[module.number];
  return parts[place.part]->placement[place.index];
}

std::vector<PlacedAttribute> LiveAttributes(const Plan& plan) {
  std::map<std::string_view, PlacedAttribute> live;
  for (const auto& part : plan.parts) {
    if (part == nullptr) continue;
    for (const LiveRange& range : part->ranges) {
      const int16_t place = PlaceOf(plan.places, range.name);
      if (place < 0) continue;
      live[range.name] = {range.name, static_cast<uint32_t>(place), range.size};
    }
  }
  std::vector<PlacedAttribute> list;
  for (auto& [name, attribute] : live) list.push_back(std::move(attribute));
  return list;
}

absl::StatusOr<std::unique_ptr<Plan>> Compile(std::shared_ptr<const Graph> graph,
                                              const Plan* before) {
  return Compiler(std::move(graph), before != nullptr ? *before : Nothing()).Run();
}

}  // namespace bess
