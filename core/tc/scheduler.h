// SPDX-License-Identifier: Apache-2.0
//
// Which leaf runs next: one worker's part of the class tree, laid out for deciding fast. It knows
// nothing of modules or threads; leaves are numbers.
//
//   TcScheduler scheduler(tree, worker, cycles_per_second);  // control plane
//   scheduler.Adopt(now);                                    // worker, from here on
//   const uint32_t leaf = scheduler.Next(now);
//   ... run it ...
//   scheduler.Ran(leaf, usage, /*blocked=*/false, after);
//
// Each inner class keeps a tournament of its children that have something to run. A decision walks
// from the root to a leaf by the winners; accounting walks back up and gives each class on the way
// its next key:
//
//   priority       its priority, always the same
//   round_robin    the number of the turn it just had: who waited longest is next
//   weighted_fair  its pass, which grows by what it used divided by its share (stride scheduling)
//   rate_limit     one child; used up, the class leaves its parent's tournament until it is paid
//
// A leaf that had no work rests: it leaves the tournaments and costs nothing while others run. It
// is asked again after a while that doubles up to a bound, at once when someone knocks on its door
// (wake_board.h), and whenever nobody else has work. One that had none for long may wait instead,
// if somebody will tell: then it is asked only rarely, in case that fails.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tc/class_tree.h"
#include "core/tc/rate.h"
#include "core/tc/tournament.h"
#include "core/tc/wake_board.h"

namespace bess {

class TcScheduler {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // The worker's part of the tree, which must outlive this. Thread: control.
  TcScheduler(const ClassTree& tree, uint32_t worker, uint64_t cycles_per_second);
  TcScheduler(const TcScheduler&) = delete;
  TcScheduler& operator=(const TcScheduler&) = delete;

  // By number.
  const std::vector<const TrafficClass*>& leaves() const { return leaf_classes_; }
  LeafDoor& door(uint32_t leaf) { return doors_[leaf]; }
  WakeBoard& board() { return *board_; }

  // All below: the worker that runs the classes. `now` is in cycles and never goes back.

  // Takes over from the plan before, which may have had this very scheduler; before anything else.
  // Every leaf will be asked anew.
  void Adopt(uint64_t now);
  // The leaf to run, or kNone if none is known to have work and allowed to run.
  uint32_t Next(uint64_t now);
  // Accounts for a run that ended at `now`. `blocked`: there was no work.
  void Ran(uint32_t leaf, const TcUsage& usage, bool blocked, uint64_t now);
  // After Next said kNone: a resting leaf to ask, each in turn; kNone if limits hold them all, or
  // they wait to be told.
  uint32_t NextResting();
  // Whether a leaf that was just asked in vain should wait to be told, if that can be arranged.
  bool Tired(uint32_t leaf, uint64_t now) const;
  // From here on the caller will Tell when such a leaf has work.
  void Await(uint32_t leaf, uint64_t now);
  // The leaf waits no more: it is asked at once, and for a while as often as any.
  void Tell(uint32_t leaf, uint64_t now);
  // Leaves that wait to be told.
  uint32_t awaiting() const { return awaiting_; }
  // Whether some limit is used up, so that time alone may make work.
  bool limited() const { return used_up_ > 0; }

 private:
  struct Class;
  using Children = Tournament<Class*>;

  // While it can run it takes part among its parent's children; while it waits, among the timers.
  struct Class {
    ClassState* state = nullptr;
    Class* parent = nullptr;
    std::optional<Children> children;  // those with something to run
    uint64_t stride = 0;               // under weighted_fair: 2^precision / share
    uint64_t rest = 0;                 // of a leaf: how long it rested last since it had work
    uint64_t idle_since = 0;           // of a leaf that rests: when it last had work or was told
    uint32_t slot = 0;                 // among the parent's children
    uint32_t timer = 0;                // of a leaf or a limit: its slot among the timers
    uint32_t leaf = kNone;
    uint32_t priority = 0;  // under priority
    TcPolicy policy = TcPolicy::kLeaf;
    TcResource resource = TcResource::kCount;
    bool waiting = false;    // a resting leaf or a used-up limit
    bool awaits = false;     // of a leaf: somebody will tell when it has work
    uint32_t precision = 0;  // of weighted_fair: of its children's strides
    Rate rate;
    std::vector<Class*> members;  // by slot
  };
  using ChildrenOf = std::map<std::string_view, std::vector<const std::string*>>;

  Class& NewClass(const TcParams& params, ClassState* state);
  Class& Build(const ClassTree& tree, const ChildrenOf& children_of, const std::string& name);
  void BuildRoot(const ClassTree& tree, const ChildrenOf& children_of, uint32_t worker);
  static void Join(Class& parent, std::vector<Class*> members);
  void BuildDoorsAndTimers();

  void Forget();
  void AdoptClock(Class& parent);
  void AdoptLimit(Class& limit, uint64_t now);
  void HoldBack(Class& limit, uint64_t ready);
  void WakeDue(uint64_t now);
  void Rest(Class& leaf, uint64_t now);
  void Wake(Class& leaf);
  void StopAwaiting(Class& leaf);
  void Enter(Class* child);
  static uint64_t EntryKey(const Class& parent, Class& child);
  void ChargeLimit(Class& limit, const TcUsage& usage, uint64_t now);
  static bool CanRun(const Class& any);
  static uint64_t Charge(Class& parent, Class& child, const TcUsage& usage);
  static void Rebase(Class& parent, uint64_t to, int shift);
  static bool Held(const Class& leaf);

  const uint64_t hz_;
  const uint64_t first_rest_;
  const uint64_t tired_after_;
  const uint64_t rest_of_awaiting_;
  uint64_t longest_rest_ = 0;
  Class* root_ = nullptr;
  std::optional<Children> timers_;
  std::optional<WakeBoard> board_;
  std::deque<Class> classes_;  // children first
  std::vector<Class*> leaves_;
  std::vector<const TrafficClass*> leaf_classes_;
  std::deque<LeafDoor> doors_;
  uint32_t next_resting_ = 0;
  uint32_t used_up_ = 0;   // limits
  uint32_t awaiting_ = 0;  // leaves
};

}  // namespace bess
