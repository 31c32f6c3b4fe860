// SPDX-License-Identifier: Apache-2.0
#include "core/tc/scheduler.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace bess {
namespace {

// A leaf that had no work is asked again after the first rest, then after twice that, and so on.
// The bound grows with the number of leaves, so that asking takes no more than some per cent of
// the worker's time however many rest.
constexpr double kFirstRest = 1e-6;
constexpr double kLongestRest = 16e-6;
constexpr double kLongestRestPerLeaf = 1e-6;

// A leaf without work for so long may wait to be told; it is asked still, should nobody tell.
constexpr double kTiredAfter = 1e-3;
constexpr double kRestOfAwaiting = 100e-3;

// A share of the largest weight counts in strides of at least 2^14: shares are exact to 0.01 %.
constexpr int kLeastStrideBits = 14;
// A pass stays below 2^63: the clock is set back before it reaches 2^62, and no run adds more
// than 2^60.
constexpr uint64_t kMaxClock = uint64_t{1} << 62;
constexpr uint64_t kClockSetBackTo = uint64_t{1} << 61;
constexpr uint64_t kMaxCharge = uint64_t{1} << 60;

uint64_t SecondsToCycles(double seconds, uint64_t hz) {
  return static_cast<uint64_t>(seconds * static_cast<double>(hz));
}

uint64_t Shifted(uint64_t value, int left) {
  if (left < 0) return value >> std::min(-left, 63);
  return value > (kMaxCharge >> std::min(left, 60)) ? kMaxCharge : value << left;
}

void Account(ClassState& state, const TcUsage& usage) {
  state.count.Add(usage[0]);
  state.cycles.Add(usage[1]);
  state.packets.Add(usage[2]);
  state.bits.Add(usage[3]);
}

}  // namespace

// --- Building -----------------------------------------------------------------------------------

TcScheduler::TcScheduler(const ClassTree& tree, uint32_t worker, uint64_t cycles_per_second)
    : hz_(cycles_per_second),
      first_rest_(SecondsToCycles(kFirstRest, hz_)),
      tired_after_(SecondsToCycles(kTiredAfter, hz_)),
      rest_of_awaiting_(SecondsToCycles(kRestOfAwaiting, hz_)) {
  ChildrenOf children_of;
  for (const auto& [name, tc] : tree.classes()) {
    if (!tc->place.parent.empty()) children_of[tc->place.parent].push_back(&name);
    if (tc->place.worker == worker) children_of[""].push_back(&name);
  }
  BuildRoot(tree, children_of, worker);
  BuildDoorsAndTimers();
}

TcScheduler::Class& TcScheduler::NewClass(const TcParams& params, ClassState* state) {
  Class& made = classes_.emplace_back();
  made.state = state;
  made.policy = params.policy;
  made.resource = params.resource;
  if (params.policy == TcPolicy::kRateLimit) {
    made.rate =
        Rate(static_cast<uint64_t>(params.limit), static_cast<uint64_t>(params.max_burst), hz_);
  }
  return made;
}

TcScheduler::Class& TcScheduler::Build(const ClassTree& tree, const ChildrenOf& children_of,
                                       const std::string& name) {
  const TrafficClass& wanted = *tree.Find(name);
  if (wanted.is_leaf()) {
    Class& leaf = NewClass(wanted.params, wanted.state.get());
    leaf.leaf = static_cast<uint32_t>(leaves_.size());
    leaves_.push_back(&leaf);
    leaf_classes_.push_back(&wanted);
    return leaf;
  }
  std::vector<Class*> members;
  uint64_t max_share = 1;
  const auto children = children_of.find(name);
  if (children != children_of.end()) {
    for (const std::string* child_name : children->second) {
      Class& child = Build(tree, children_of, *child_name);
      const TcPlace& place = tree.Find(*child_name)->place;
      child.priority = static_cast<uint32_t>(place.priority.value_or(0));
      child.stride = static_cast<uint64_t>(place.share.value_or(1));
      max_share = std::max(max_share, child.stride);
      members.push_back(&child);
    }
  }
  Class& parent = NewClass(wanted.params, wanted.state.get());
  parent.precision = static_cast<uint32_t>(kLeastStrideBits + std::bit_width(max_share));
  for (Class* child : members) {
    const uint64_t share = child->stride;
    child->stride = ((uint64_t{1} << parent.precision) + share / 2) / share;
  }
  Join(parent, std::move(members));
  return parent;
}

void TcScheduler::Join(Class& parent, std::vector<Class*> members) {
  for (size_t i = 0; i < members.size(); ++i) {
    members[i]->parent = &parent;
    members[i]->slot = static_cast<uint32_t>(i);
  }
  parent.children.emplace(members);
  parent.members = std::move(members);
}

// A worker with one root needs none of its own.
void TcScheduler::BuildRoot(const ClassTree& tree, const ChildrenOf& children_of, uint32_t worker) {
  const auto roots = children_of.find("");
  if (roots == children_of.end()) return;
  std::vector<Class*> members;
  for (const std::string* name : roots->second) {
    members.push_back(&Build(tree, children_of, *name));
  }
  if (members.size() == 1) {
    root_ = members.front();
    return;
  }
  root_ = &NewClass({.policy = TcPolicy::kRoundRobin}, tree.DefaultRoot(worker).get());
  Join(*root_, std::move(members));
}

void TcScheduler::BuildDoorsAndTimers() {
  const auto leaves = static_cast<double>(leaves_.size());
  longest_rest_ = SecondsToCycles(std::max(kLongestRest, leaves * kLongestRestPerLeaf), hz_);
  board_.emplace(leaves_.size());
  for (uint32_t leaf = 0; leaf < leaves_.size(); ++leaf) doors_.emplace_back(*board_, leaf);
  std::vector<Class*> timed;
  for (Class& each : classes_) {
    if (each.policy != TcPolicy::kLeaf && each.policy != TcPolicy::kRateLimit) continue;
    each.timer = static_cast<uint32_t>(timed.size());
    timed.push_back(&each);
  }
  timers_.emplace(timed);
}

// --- Taking over --------------------------------------------------------------------------------

// As if nothing had been run by it yet.
void TcScheduler::Forget() {
  for (Class& each : classes_) {
    each.waiting = each.awaits = false;
    each.rest = 0;
    if (each.children) each.children->Clear();
  }
  timers_->Clear();
  for (LeafDoor& door : doors_) door.SetResting(false);
  next_resting_ = used_up_ = awaiting_ = 0;
}

void TcScheduler::Adopt(uint64_t now) {
  Forget();
  for (Class& each : classes_) {
    if (each.policy == TcPolicy::kRateLimit) AdoptLimit(each, now);
    if (each.children) AdoptClock(each);
  }
  for (Class& each : classes_) {  // children first
    if (!CanRun(each) || each.parent == nullptr) continue;
    each.parent->children->Set(each.slot, EntryKey(*each.parent, each));
  }
}

// Passes go on if they still count by the same clock; a new child starts at its parent's present.
void TcScheduler::AdoptClock(Class& parent) {
  ClassState& state = *parent.state;
  const auto resource = static_cast<uint32_t>(parent.resource);
  if (state.resource != resource) {
    state.resource = resource;
    state.own_clock = ClassState::NewClock();
  }
  for (Class* child : parent.members) {
    if (child->state->clock == state.own_clock) continue;
    child->state->clock = state.own_clock;
    child->state->pass = state.now;
    child->state->charge = 0;
  }
  if (state.precision != parent.precision && parent.policy == TcPolicy::kWeightedFair) {
    Rebase(parent, state.now,
           static_cast<int>(parent.precision) - static_cast<int>(state.precision));
    state.precision = parent.precision;
  }
}

// A limit that was raised since forgives what was to be paid at the old price.
void TcScheduler::AdoptLimit(Class& limit, uint64_t now) {
  ClassState& state = *limit.state;
  const Uint128 present = Uint128{now} << 32;
  const uint64_t price = limit.rate.price();
  if (state.paid == 0 || price == 0 || price < state.price) {
    state.paid = state.paid == 0 ? present : std::min(state.paid, present);
  }
  state.price = price;
  state.ready.store(0, std::memory_order_relaxed);
  if (state.paid > present) HoldBack(limit, Rate::ReadyAt(state.paid));
}

void TcScheduler::HoldBack(Class& limit, uint64_t ready) {
  used_up_ += limit.waiting ? 0 : 1;
  limit.waiting = true;
  timers_->Set(limit.timer, ready);
  limit.state->ready.store(ready, std::memory_order_relaxed);
}

// Sets the parent's clock to `to`, in units of 2^-shift of the old ones; who is ahead or behind
// stays so. Whoever is elsewhere meanwhile will start anew.
void TcScheduler::Rebase(Class& parent, uint64_t to, int shift) {
  ClassState& state = *parent.state;
  state.own_clock = ClassState::NewClock();
  for (Class* child : parent.members) {
    ClassState& member = *child->state;
    if (member.pass >= state.now) {
      member.pass = to + Shifted(member.pass - state.now, shift);
    } else {
      member.pass = to - std::min(to, Shifted(state.now - member.pass, shift));
    }
    member.charge = Shifted(member.charge, shift);
    member.clock = state.own_clock;
    if (parent.children->key(child->slot) != Children::kOut) {
      parent.children->Set(child->slot, member.pass);
    }
  }
  state.now = to;
}

// --- Deciding -----------------------------------------------------------------------------------

uint32_t TcScheduler::Next(uint64_t now) {
  if (timers_->top_key() <= now) WakeDue(now);
  board_->Take([this](uint32_t leaf) {
    if (leaves_[leaf]->waiting) Wake(*leaves_[leaf]);
  });
  if (root_ == nullptr || !CanRun(*root_)) return kNone;
  const Class* at = root_;
  while (at->children) at = at->children->top();
  return at->leaf;
}

bool TcScheduler::CanRun(const Class& any) {
  return !any.waiting && (!any.children || any.children->any());
}

void TcScheduler::WakeDue(uint64_t now) {
  while (timers_->top_key() <= now) {
    Class* due = timers_->top();
    timers_->Set(due->timer, Children::kOut);
    due->waiting = false;
    if (due->leaf != kNone) {
      doors_[due->leaf].SetResting(false);
    } else {
      --used_up_;
    }
    if (CanRun(*due)) Enter(due);
  }
}

void TcScheduler::Wake(Class& leaf) {
  leaf.waiting = false;
  doors_[leaf.leaf].SetResting(false);
  timers_->Set(leaf.timer, Children::kOut);
  Enter(&leaf);
}

// Up to where something else could run already, or nothing may.
void TcScheduler::Enter(Class* child) {
  for (Class* parent = child->parent; parent != nullptr; child = parent, parent = parent->parent) {
    const bool could_run = parent->children->any();
    parent->children->Set(child->slot, EntryKey(*parent, *child));
    if (could_run || parent->waiting) return;
  }
}

// Of a child that could not run so far. Its turn is not lost if it was away for a moment, but it
// saves up no more than the run it had last.
uint64_t TcScheduler::EntryKey(const Class& parent, Class& child) {
  ClassState& state = *child.state;
  switch (parent.policy) {
    case TcPolicy::kPriority:
      return child.priority;
    case TcPolicy::kWeightedFair: {
      const uint64_t present = parent.state->now;
      state.pass = std::max(state.pass, present - std::min(present, state.charge));
      return state.pass;
    }
    case TcPolicy::kRoundRobin:
      return state.pass;
    default:
      return 0;
  }
}

// --- Accounting ---------------------------------------------------------------------------------

// Of a child that has run.
uint64_t TcScheduler::Charge(Class& parent, Class& child, const TcUsage& usage) {
  ClassState& state = *child.state;
  switch (parent.policy) {
    case TcPolicy::kPriority:
      return child.priority;
    case TcPolicy::kWeightedFair: {
      const uint64_t used = usage[static_cast<size_t>(parent.resource)];
      parent.state->now = std::max(parent.state->now, state.pass);
      state.charge =
          static_cast<uint64_t>(std::min<Uint128>(Uint128{used} * child.stride, kMaxCharge));
      state.pass += state.charge;
      if (parent.state->now >= kMaxClock) [[unlikely]]
        Rebase(parent, kClockSetBackTo, 0);
      return state.pass;
    }
    case TcPolicy::kRoundRobin:
      return state.pass = ++parent.state->now;
    default:
      return 0;
  }
}

void TcScheduler::Ran(uint32_t leaf, const TcUsage& usage, bool blocked, uint64_t now) {
  Class* child = leaves_[leaf];
  TcUsage charged = usage;
  if (blocked) {
    charged[static_cast<size_t>(TcResource::kCount)] = 0;
    Rest(*child, now);
  } else if (child->rest != 0) [[unlikely]] {
    child->rest = 0;
    StopAwaiting(*child);
    if (child->waiting) Wake(*child);
  }
  Account(*child->state, usage);
  bool out = child->waiting;
  for (Class* parent = child->parent; parent != nullptr; child = parent, parent = parent->parent) {
    Account(*parent->state, usage);
    const uint64_t next = Charge(*parent, *child, charged);
    const uint64_t key = out ? Children::kOut : next;
    if (key != parent->children->key(child->slot)) parent->children->Set(child->slot, key);
    if (parent->policy == TcPolicy::kRateLimit) ChargeLimit(*parent, charged, now);
    out = parent->waiting || !parent->children->any();
  }
}

void TcScheduler::ChargeLimit(Class& limit, const TcUsage& usage, uint64_t now) {
  const uint64_t used = usage[static_cast<size_t>(limit.resource)];
  const uint64_t ready = limit.rate.Charge(limit.state->paid, used, now);
  if (ready != 0) HoldBack(limit, ready);
}

void TcScheduler::Rest(Class& leaf, uint64_t now) {
  if (leaf.rest == 0) leaf.idle_since = now;
  leaf.rest = leaf.rest == 0 ? first_rest_ : std::min(2 * leaf.rest, longest_rest_);
  leaf.waiting = true;
  doors_[leaf.leaf].SetResting(true);
  timers_->Set(leaf.timer, now + (leaf.awaits ? rest_of_awaiting_ : leaf.rest));
}

// --- Idle ---------------------------------------------------------------------------------------

uint32_t TcScheduler::NextResting() {
  for (size_t i = 0; i < leaves_.size(); ++i) {
    const Class& leaf = *leaves_[next_resting_];
    next_resting_ = next_resting_ + 1 < leaves_.size() ? next_resting_ + 1 : 0;
    if (leaf.waiting && !leaf.awaits && !Held(leaf)) return leaf.leaf;
  }
  return kNone;
}

bool TcScheduler::Tired(uint32_t leaf, uint64_t now) const {
  const Class& asked = *leaves_[leaf];
  return asked.waiting && !asked.awaits && now - asked.idle_since >= tired_after_;
}

void TcScheduler::Await(uint32_t leaf, uint64_t now) {
  Class& tired = *leaves_[leaf];
  tired.awaits = true;
  ++awaiting_;
  timers_->Set(tired.timer, now + rest_of_awaiting_);
}

void TcScheduler::Tell(uint32_t leaf, uint64_t now) {
  Class& told = *leaves_[leaf];
  if (!told.awaits) return;
  StopAwaiting(told);
  told.idle_since = now;
  if (told.waiting) Wake(told);
}

void TcScheduler::StopAwaiting(Class& leaf) {
  awaiting_ -= leaf.awaits ? 1 : 0;
  leaf.awaits = false;
}

bool TcScheduler::Held(const Class& leaf) {
  for (const Class* at = leaf.parent; at != nullptr; at = at->parent) {
    if (at->waiting) return true;
  }
  return false;
}

}  // namespace bess
