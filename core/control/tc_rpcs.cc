// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "core/base/clock.h"
#include "core/control/rpcs.h"

namespace bess::rpc {
namespace {

constexpr int64_t kNoWorker = -1;

bool HasResource(TcPolicy policy) {
  return policy == TcPolicy::kWeightedFair || policy == TcPolicy::kRateLimit;
}

// What the client sent for the resource; 0 if nothing.
int64_t AmountOf(const google::protobuf::Map<std::string, int64_t>& amounts, TcResource resource) {
  const auto it = amounts.find(std::string(Name(resource)));
  return it == amounts.end() ? 0 : it->second;
}

absl::StatusOr<TcParams> ParamsOf(TcPolicy policy, const pb::TrafficClass& wanted) {
  TcParams params = {.policy = policy};
  if (!HasResource(policy)) return params;
  BESS_ASSIGN_OR_RETURN(params.resource, ParseTcResource(wanted.resource()));
  if (policy != TcPolicy::kRateLimit) return params;
  params.limit = AmountOf(wanted.limit(), params.resource);
  params.max_burst = AmountOf(wanted.max_burst(), params.resource);
  return params;
}

absl::StatusOr<TcPlace> PlaceOf(const pb::TrafficClass& wanted) {
  TcPlace place;
  place.parent = wanted.parent();
  if (wanted.wid() != kNoWorker) {
    if (wanted.wid() < 0 || wanted.wid() >= int64_t{kMaxWorkers}) {
      return Error(EINVAL, "'wid' must be 0..", kMaxWorkers - 1, " or -1 for none, not ",
                   wanted.wid());
    }
    place.worker = static_cast<uint32_t>(wanted.wid());
  }
  // The class ListTcs shows above several roots of a worker stands for that worker.
  absl::string_view number = place.parent;
  uint32_t worker = 0;
  if (absl::ConsumePrefix(&number, "!default_rr_") && absl::SimpleAtoi(number, &worker) &&
      worker < kMaxWorkers && !place.worker) {
    place.parent.clear();
    place.worker = worker;
  }
  if (wanted.arg_case() == pb::TrafficClass::kPriority) place.priority = wanted.priority();
  if (wanted.arg_case() == pb::TrafficClass::kShare) place.share = wanted.share();
  return place;
}

// The class by name, or the leaf by its module and task.
absl::StatusOr<std::string> NameOf(const Graph& graph, const pb::TrafficClass& wanted) {
  if (wanted.leaf_module_name().empty()) {
    if (!wanted.name().empty()) return wanted.name();
    return Error(EINVAL, "'name' or 'leaf_module_name' is missing: which class?");
  }
  const ModuleEntry* entry = graph.Find(wanted.leaf_module_name());
  if (entry == nullptr) {
    return Error(ENOENT, "there is no module '", wanted.leaf_module_name(), "'");
  }
  const uint64_t task = wanted.leaf_module_taskid();
  if (task >= kMaxTasksPerModule) {
    return Error(EINVAL, "'leaf_module_taskid' must be 0..", kMaxTasksPerModule - 1, ", not ",
                 task);
  }
  if (task >= entry->module->tasks().size()) {
    return Error(ENOENT, "module '", wanted.leaf_module_name(), "' has ",
                 entry->module->tasks().size(), " task(s), there is no task ", task);
  }
  return LeafName(wanted.leaf_module_name(), static_cast<uint32_t>(task));
}

// Lists a part of the tree, parents first.
class Lister {
 public:
  Lister(const Plan& plan, pb::ListTcsResponse* response)
      : classes_(plan.graph->classes), response_(response) {
    for (const auto& part : plan.workers) {
      if (part == nullptr) continue;
      const auto& leaves = part->scheduler->leaves();
      for (uint32_t i = 0; i < leaves.size(); ++i) {
        if (part->scheduler->door(i).resting()) resting_.insert(leaves[i]);
      }
    }
  }

  void ListWorker(uint32_t worker) {
    const std::vector<std::string> roots = classes_.Roots(worker);
    if (roots.size() <= 1) {
      for (const std::string& root : roots) List(root, "", worker);
      return;
    }
    pb::TrafficClass& above = *Add("")->mutable_class_();
    above.set_name(DefaultRootName(worker));
    above.set_policy(std::string(Name(TcPolicy::kRoundRobin)));
    above.set_wid(worker);
    above.set_blocked(ListAll(roots, above.name(), worker));
  }
  void ListOrphans() {
    for (const std::string& orphan : classes_.Orphans()) List(orphan, "", kNoWorker);
  }

 private:
  pb::ListTcsResponse::TrafficClassStatus* Add(const std::string& parent) {
    auto* status = response_->add_classes_status();
    status->set_parent(parent);
    status->mutable_class_()->set_parent(parent);
    return status;
  }

  // Each returns whether nothing in it has anything to run, or may run it.
  bool ListAll(const std::vector<std::string>& names, const std::string& parent, int64_t worker) {
    bool blocked = true;
    for (const std::string& name : names) blocked &= List(name, parent, worker);
    return blocked;
  }
  bool List(const std::string& name, const std::string& parent, int64_t worker) {
    const TrafficClass& tc = *classes_.Find(name);
    pb::TrafficClass& out = *Add(parent)->mutable_class_();
    out.set_name(name);
    out.set_wid(worker);
    Describe(tc, out);
    const bool blocked =
        tc.is_leaf() ? resting_.contains(&tc)
                     : ListAll(classes_.Children(name), name, worker) || IsUsedUp(*tc.state);
    out.set_blocked(blocked);
    return blocked;
  }

  // Of a rate limit: whether it waits until what was used is paid for.
  static bool IsUsedUp(const ClassState& state) {
    return state.ready.load(std::memory_order_relaxed) > Cycles();
  }

  static void Describe(const TrafficClass& tc, pb::TrafficClass& out) {
    const std::string resource(Name(tc.params.resource));
    out.set_policy(std::string(Name(tc.params.policy)));
    if (HasResource(tc.params.policy)) out.set_resource(resource);
    if (tc.params.policy == TcPolicy::kRateLimit) {
      (*out.mutable_limit())[resource] = tc.params.limit;
      (*out.mutable_max_burst())[resource] = tc.params.max_burst;
    }
    if (tc.place.priority) out.set_priority(*tc.place.priority);
    if (tc.place.share) out.set_share(*tc.place.share);
    out.set_leaf_module_name(tc.module);
    out.set_leaf_module_taskid(tc.task);
  }

  const ClassTree& classes_;
  pb::ListTcsResponse* response_;
  std::set<const TrafficClass*> resting_;
};

// A worker's own round robin is there while ListTcs shows it.
absl::StatusOr<std::shared_ptr<const ClassState>> StateOf(const ClassTree& classes,
                                                          const std::string& name) {
  if (const TrafficClass* tc = classes.Find(name)) return tc->state;
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
    if (name == DefaultRootName(worker) && classes.Roots(worker).size() > 1) {
      return classes.DefaultRoot(worker);
    }
  }
  return Error(ENOENT, "there is no traffic class '", name, "'");
}

}  // namespace

absl::Status AddTc(Engine& engine, const pb::AddTcRequest& request, pb::EmptyResponse*) {
  const pb::TrafficClass& wanted = request.class_();
  if (wanted.name().empty()) return Error(EINVAL, "'name' is missing: how is the class called?");
  BESS_ASSIGN_OR_RETURN(const TcPolicy policy, ParseTcPolicy(wanted.policy()));
  BESS_ASSIGN_OR_RETURN(const TcParams params, ParamsOf(policy, wanted));
  BESS_ASSIGN_OR_RETURN(const TcPlace place, PlaceOf(wanted));
  return engine.AddClass(wanted.name(), params, place);
}

absl::Status UpdateTcParams(Engine& engine, const pb::UpdateTcParamsRequest& request,
                            pb::EmptyResponse*) {
  const pb::TrafficClass& wanted = request.class_();
  if (wanted.name().empty()) return Error(EINVAL, "'name' is missing: which class?");
  const auto graph = engine.graph();
  const TrafficClass* tc = graph->classes.Find(wanted.name());
  if (tc == nullptr) return Error(ENOENT, "there is no traffic class '", wanted.name(), "'");
  BESS_ASSIGN_OR_RETURN(const TcParams params, ParamsOf(tc->params.policy, wanted));
  return engine.UpdateClass(wanted.name(), params);
}

// As BESS has it: leaves at any time, others until they are attached. The native service moves
// anything.
absl::Status UpdateTcParent(Engine& engine, const pb::UpdateTcParentRequest& request,
                            pb::EmptyResponse*) {
  const pb::TrafficClass& wanted = request.class_();
  const auto graph = engine.graph();
  BESS_ASSIGN_OR_RETURN(const std::string name, NameOf(*graph, wanted));
  const TrafficClass* tc = graph->classes.Find(name);
  if (tc == nullptr) return Error(ENOENT, "there is no traffic class '", name, "'");
  const bool runs = !tc->place.parent.empty() || (tc->place.worker && !engine.paused());
  if (!tc->is_leaf() && runs) {
    return Error(EINVAL, "class '", name, "' is attached already; only leaves move by this call");
  }
  BESS_ASSIGN_OR_RETURN(const TcPlace place, PlaceOf(wanted));
  return engine.MoveClass(name, place);
}

absl::Status ResetTcs(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.ResetClasses();
}

absl::Status ListTcs(Engine& engine, const pb::ListTcsRequest& request,
                     pb::ListTcsResponse* response) {
  if (request.wid() >= int64_t{kMaxWorkers}) {
    return Error(EINVAL, "'wid' must be 0..", kMaxWorkers - 1, ", or negative for all, not ",
                 request.wid());
  }
  const auto plan = engine.plan();
  Lister lister(*plan, response);
  if (request.wid() >= 0) {
    lister.ListWorker(static_cast<uint32_t>(request.wid()));
    return absl::OkStatus();
  }
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) lister.ListWorker(worker);
  lister.ListOrphans();
  return absl::OkStatus();
}

absl::Status GetTcStats(Engine& engine, const pb::GetTcStatsRequest& request,
                        pb::GetTcStatsResponse* response) {
  if (request.name().empty()) return Error(EINVAL, "'name' is missing: which class?");
  BESS_ASSIGN_OR_RETURN(const auto state, StateOf(engine.plan()->graph->classes, request.name()));
  response->set_timestamp(WallSeconds());
  response->set_count(state->count.Get());
  response->set_cycles(state->cycles.Get());
  response->set_packets(state->packets.Get());
  response->set_bits(state->bits.Get());
  return absl::OkStatus();
}

}  // namespace bess::rpc
