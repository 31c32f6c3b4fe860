// SPDX-License-Identifier: Apache-2.0
//
// The scheduler as one would explain it: every question is answered by looking at the whole tree
// again. Slow and obvious; the real one must decide the same, step by step.
#pragma once

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/tc/class_tree.h"

namespace bess {

// What classes keep, wherever they run; shared by the workers' schedulers.
struct ReferenceNotes {
  struct Notes {
    uint64_t pass = 0, charge = 0, clock = 0;                      // as a child
    uint64_t now = 0, own_clock = 0, precision = 0, resource = 0;  // as a parent
    std::optional<uint64_t> waits_until;                           // a leaf or a limit
    uint64_t rest = 0;
    Uint128 paid = 0;
    Uint128 price = 0;
  };
  std::map<std::shared_ptr<ClassState>, Notes> of;
  uint64_t last_clock = 0;
};

class ReferenceScheduler {
 public:
  ReferenceScheduler(ReferenceNotes& notes, uint64_t hz) : notes_(notes), hz_(hz) {}

  // From now on this tree is what is wanted; what it has in common with the last one goes on.
  void Adopt(const ClassTree& tree, uint32_t worker, uint64_t now) {
    tree_ = &tree;
    worker_ = worker;
    here_.clear();
    for (const auto& [name, tc] : tree.classes()) {
      if (tree.WorkerOf(name) == worker) here_.insert(name);
    }
    for (const std::string& name : here_) {
      Notes& notes = NotesOf(name);
      notes.waits_until.reset();
      notes.rest = 0;
      if (Policy(name) == TcPolicy::kRateLimit) AdoptLimit(name, now);
    }
    for (const std::string& name : here_) AdoptClock(name);
    if (Roots().size() > 1) AdoptClock("");
    runnable_.clear();
    Settle();
  }

  // The leaf to run; empty if there is none.
  std::string Next(uint64_t now) {
    for (const std::string& name : here_) {
      auto& until = NotesOf(name).waits_until;
      if (until && *until <= now) until.reset();
    }
    Settle();
    std::string at = Roots().size() == 1 ? Roots().front() : Best("");
    if (!at.empty() && !CanRun(at)) return "";
    while (!at.empty() && Policy(at) != TcPolicy::kLeaf) at = Best(at);
    return at;
  }

  void Knock(const std::string& leaf) {
    NotesOf(leaf).waits_until.reset();
    Settle();
  }

  void Ran(const std::string& leaf, const TcUsage& usage, bool blocked, uint64_t now) {
    TcUsage charged = usage;
    Notes& notes = NotesOf(leaf);
    if (blocked) {
      charged[0] = 0;
      notes.rest = notes.rest == 0 ? hz_ / 1000000 : std::min(2 * notes.rest, LongestRest());
      notes.waits_until = now + notes.rest;
    } else {
      notes.rest = 0;
      notes.waits_until.reset();
      Settle();
    }
    for (std::string at = leaf; !at.empty(); at = ParentOf(at)) {
      if (!IsRoot(at) || Roots().size() > 1) Charge(ParentOf(at), at, charged);
      if (Policy(at) == TcPolicy::kRateLimit) ChargeLimit(at, charged, now);
    }
    Settle();
  }

  // Has no work as far as is known, but nothing forbids to ask it.
  bool MayBeAsked(const std::string& leaf) {
    if (!NotesOf(leaf).waits_until) return false;
    for (std::string at = ParentOf(leaf); !at.empty(); at = ParentOf(at)) {
      if (NotesOf(at).waits_until) return false;
    }
    return true;
  }

 private:
  using Notes = ReferenceNotes::Notes;

  // The worker's own round robin is called "".
  Notes& NotesOf(const std::string& name) {
    const auto [it, made] = notes_.of.try_emplace(name.empty() ? tree_->DefaultRoot(worker_)
                                                               : tree_->Find(name)->state);
    if (made) it->second.own_clock = ++notes_.last_clock;
    return it->second;
  }
  TcPolicy Policy(const std::string& name) const {
    return name.empty() ? TcPolicy::kRoundRobin : tree_->Find(name)->params.policy;
  }
  std::vector<std::string> Roots() const { return tree_->Roots(worker_); }
  bool IsRoot(const std::string& name) const { return tree_->Find(name)->place.worker.has_value(); }
  std::string ParentOf(const std::string& name) const { return tree_->Find(name)->place.parent; }
  std::vector<std::string> ChildrenOf(const std::string& name) const {
    return name.empty() ? Roots() : tree_->Children(name);
  }

  bool CanRun(const std::string& name) {
    if (NotesOf(name).waits_until) return false;
    if (Policy(name) == TcPolicy::kLeaf) return true;
    const auto children = ChildrenOf(name);
    return std::any_of(children.begin(), children.end(), [&](const auto& c) { return CanRun(c); });
  }

  uint64_t Key(const std::string& parent, const std::string& child) {
    if (Policy(parent) == TcPolicy::kRateLimit) return 0;
    if (Policy(parent) != TcPolicy::kPriority) return NotesOf(child).pass;
    return static_cast<uint64_t>(*tree_->Find(child)->place.priority);
  }

  std::string Best(const std::string& parent) {
    std::string best;
    for (const std::string& child : ChildrenOf(parent)) {
      if (!CanRun(child)) continue;
      if (best.empty() || Key(parent, child) < Key(parent, best)) best = child;
    }
    return best;
  }

  // Whoever can run and could not before has saved up no more than one run.
  void Settle() {
    std::set<std::string> runnable;
    for (const std::string& name : here_) {
      if (CanRun(name)) runnable.insert(name);
    }
    for (const std::string& name : runnable) {
      const std::string parent = ParentOf(name);
      if (runnable_.contains(name) || Policy(parent) != TcPolicy::kWeightedFair) continue;
      Notes& notes = NotesOf(name);
      const uint64_t now = NotesOf(parent).now;
      notes.pass = std::max(notes.pass, now - std::min(now, notes.charge));
    }
    runnable_ = std::move(runnable);
  }

  uint64_t Precision(const std::string& parent) const {
    uint64_t most = 1;
    for (const std::string& child : ChildrenOf(parent)) {
      most = std::max(most, static_cast<uint64_t>(tree_->Find(child)->place.share.value_or(1)));
    }
    return 14 + static_cast<uint64_t>(std::bit_width(most));
  }

  void Charge(const std::string& parent, const std::string& child, const TcUsage& usage) {
    Notes& above = NotesOf(parent);
    Notes& notes = NotesOf(child);
    if (Policy(parent) == TcPolicy::kRoundRobin) notes.pass = ++above.now;
    if (Policy(parent) != TcPolicy::kWeightedFair) return;
    const auto share = static_cast<uint64_t>(*tree_->Find(child)->place.share);
    const uint64_t stride = ((uint64_t{1} << Precision(parent)) + share / 2) / share;
    above.now = std::max(above.now, notes.pass);
    notes.charge = usage[static_cast<size_t>(tree_->Find(parent)->params.resource)] * stride;
    notes.pass += notes.charge;
  }

  Uint128 Price(const TcParams& params) const {
    if (params.limit == 0) return 0;
    const auto limit = static_cast<uint64_t>(params.limit);
    return ((Uint128{hz_} << 32) + limit / 2) / limit;
  }

  void ChargeLimit(const std::string& name, const TcUsage& usage, uint64_t now) {
    const TcParams& params = tree_->Find(name)->params;
    Notes& notes = NotesOf(name);
    const Uint128 price = Price(params);
    if (price == 0) return;
    notes.paid += price * usage[static_cast<size_t>(params.resource)];
    const Uint128 burst =
        std::max(price * static_cast<uint64_t>(params.max_burst), Uint128{hz_ / 20000} << 32);
    const Uint128 present = Uint128{now} << 32;
    if (present > burst) notes.paid = std::max(notes.paid, present - burst);
    if (notes.paid > present) notes.waits_until = static_cast<uint64_t>(notes.paid >> 32) + 1;
  }

  void AdoptLimit(const std::string& name, uint64_t now) {
    Notes& notes = NotesOf(name);
    const Uint128 price = Price(tree_->Find(name)->params);
    const Uint128 present = Uint128{now} << 32;
    if (notes.paid == 0) notes.paid = present;
    const bool cheaper = price == 0 || price < notes.price;
    if (cheaper && notes.paid > present) notes.paid = present;
    notes.price = price;
    if (notes.paid > present) notes.waits_until = static_cast<uint64_t>(notes.paid >> 32) + 1;
  }

  void AdoptClock(const std::string& parent) {
    if (Policy(parent) == TcPolicy::kLeaf) return;
    Notes& above = NotesOf(parent);
    const uint64_t resource =
        parent.empty() ? 0 : static_cast<uint64_t>(tree_->Find(parent)->params.resource);
    if (above.resource != resource) above.own_clock = ++notes_.last_clock;
    above.resource = resource;
    for (const std::string& child : ChildrenOf(parent)) {
      Notes& notes = NotesOf(child);
      if (notes.clock == above.own_clock) continue;
      notes.pass = above.now;
      notes.charge = 0;
      notes.clock = above.own_clock;
    }
    const uint64_t precision = Precision(parent);
    if (Policy(parent) == TcPolicy::kWeightedFair && precision != above.precision) {
      Rescale(parent, precision);
    }
  }

  void Rescale(const std::string& parent, uint64_t precision) {
    Notes& above = NotesOf(parent);
    const auto scaled = [&](uint64_t value) {
      return precision > above.precision ? value << (precision - above.precision)
                                         : value >> (above.precision - precision);
    };
    above.own_clock = ++notes_.last_clock;
    for (const std::string& child : ChildrenOf(parent)) {
      Notes& notes = NotesOf(child);
      notes.pass = notes.pass >= above.now
                       ? above.now + scaled(notes.pass - above.now)
                       : above.now - std::min(above.now, scaled(above.now - notes.pass));
      notes.charge = scaled(notes.charge);
      notes.clock = above.own_clock;
    }
    above.precision = precision;
  }

  uint64_t LongestRest() const {
    uint64_t leaves = 0;
    for (const std::string& name : here_) leaves += Policy(name) == TcPolicy::kLeaf ? 1 : 0;
    return std::max<uint64_t>(16, leaves) * hz_ / 1000000;
  }

  ReferenceNotes& notes_;
  const uint64_t hz_;
  const ClassTree* tree_ = nullptr;
  uint32_t worker_ = 0;
  std::set<std::string> here_;
  std::set<std::string> runnable_;
};

}  // namespace bess
