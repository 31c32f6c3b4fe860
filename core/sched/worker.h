// SPDX-License-Identifier: Apache-2.0
//
// A worker: a thread on a core of its own that runs its part of the current plan, round after
// round. A round is one decision: the scheduler names a leaf, its task runs, and the clock is read
// once for both. The worker takes up a new plan between two rounds through one atomic pointer;
// nobody ever stops it for an edit. Without work it idles (idle.h), in the end asleep until woken.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/base/bell.h"
#include "core/base/counter.h"
#include "core/graph/plan.h"
#include "core/sched/idle.h"
#include "core/sched/lookout.h"
#include "core/sched/rcu.h"

namespace bess {

// The plan all workers run. The control plane stores, workers load.
using PlanPointer = std::atomic<const Plan*>;

struct WorkerOptions {
  uint32_t id = 0;    // 0..kMaxWorkers-1
  int core = 0;       // to be pinned to
  bool spin = false;  // never sleep when idle
  // Run by the thread before its first round and after its last.
  std::function<void()> enter = [] {};
  std::function<void()> leave = [] {};
};

struct WorkerStats {
  uint64_t rounds = 0;
  uint64_t busy_rounds = 0;  // in which some task had work
  uint64_t busy_cycles = 0;  // of those rounds
  uint64_t cycles = 0;       // since the worker was started
  uint64_t packets = 0;      // that tasks brought in
  uint64_t bits = 0;
};

// Where a worker is. While `steps` stays the same it has not come back from what it runs.
struct WorkerPosition {
  uint64_t steps = 0;
  const ClassState* leaf = nullptr;  // of the task it runs, or ran last under its present plan
  const Ledger* module = nullptr;    // the books of the module, likewise
};

class Worker {
 public:
  // Starts the thread, and returns when it is there. `plan` and `rcu` must outlive the worker.
  Worker(WorkerOptions options, const PlanPointer& plan, Rcu& rcu);
  // Stops and joins it.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  uint32_t id() const { return options_.id; }
  int core() const { return options_.core; }
  pid_t thread() const { return thread_id_; }  // as the kernel names it
  // The NUMA node of that core; -1 if the kernel does not tell.
  int node() const { return node_; }
  bool paused() const { return paused_.load(std::memory_order_acquire); }

  // Asks the worker to park between rounds, and waits at most `timeout` for it. DEADLINE_EXCEEDED
  // naming the worker if it is stuck in a module; it still parks when it can.
  absl::Status Pause(absl::Duration timeout);
  void Resume();

  // Wakes it, should it sleep: after a new plan, or anything that may make work. Thread: any.
  void Ring() { bell_->Ring(); }
  // Whether it sleeps until woken, which is more than a nap. Thread: any.
  bool asleep() const { return asleep_.load(std::memory_order_relaxed); }
  // What other workers ring by. To be kept until none of them can see this one's leaves any more.
  std::shared_ptr<Bell> bell() const { return bell_; }

  // Thread: any.
  WorkerStats stats() const;
  // What it is doing. Thread: any.
  WorkerPosition position() const;
  // CPU time its thread has used; zero when it has ended.
  absl::Duration cpu_time() const;

 private:
  void Run();
  void Park();
  void LeavePlan();
  void TakePlan();
  bool RunRound();
  bool RunLeaf(uint32_t leaf);
  void LetWait(uint32_t leaf);
  void Look();
  TaskResult RunTask(const TaskSlot& task);
  // Whether time alone may bring work.
  bool limited() const { return part_ != nullptr && part_->scheduler->limited(); }
  bool Disturbed() const;
  bool MaySleep() const;
  void Rest(absl::Duration nap);
  void Sleep(absl::Span<pollfd> wakers);
  bool AskResting();
  bool RunLoops();

  const WorkerOptions options_;
  const uint64_t started_;  // in cycles
  const PlanPointer& plan_;
  Rcu& rcu_;
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  Context context_;
  IdlePolicy idle_;

  // The plan in use, by sequence number: a freed plan's address may come back with another plan.
  uint64_t adopted_ = 0;
  WorkerPlan* part_ = nullptr;  // of that plan; nullptr when there is nothing to do
  uint64_t now_ = 0;            // in cycles, when the last task ended

  static constexpr uint64_t kNever = UINT64_MAX;
  Lookout lookout_;            // for leaves that wait for their descriptors
  uint64_t looked_ = 0;        // when it did last, in cycles
  uint64_t look_at_ = kNever;  // when to do so again; never while no leaf waits
  bool must_look_ = false;     // a brake is on, and nobody says when it may be let go

  std::atomic<bool> stop_{false};
  std::atomic<bool> pause_{false};
  std::atomic<bool> paused_{false};
  std::atomic<bool> asleep_{false};
  absl::Mutex mutex_;
  absl::CondVar changed_;

  std::atomic<const ClassState*> leaf_{nullptr};  // as WorkerPosition has it
  Counter rounds_;
  Counter asked_;  // resting leaves
  Counter busy_rounds_;
  Counter busy_cycles_;
  Counter packets_;
  Counter bits_;
  clockid_t cpu_clock_ = 0;
  // Of the thread; they stay as they are once it is there.
  std::latch there_{1};
  pid_t thread_id_ = 0;
  int node_ = -1;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bess
