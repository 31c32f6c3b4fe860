// SPDX-License-Identifier: Apache-2.0
#include "core/sched/worker.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/status.h"

namespace bess {
namespace {

void PinTo(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(core), &cores);
  pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
}

}  // namespace

std::vector<int> AllowedCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(getpid(), sizeof(set), &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<size_t>(core), &set)) cores.push_back(core);
  }
  return cores;
}

Worker::Worker(WorkerOptions options, const PlanPointer& plan, Rcu& rcu)
    : options_(std::move(options)),
      started_(Cycles()),
      plan_(plan),
      rcu_(rcu),
      context_(options_.id),
      thread_([this] { Run(); }) {}

Worker::~Worker() {
  {
    absl::MutexLock lock(&mutex_);
    stop_.store(true, std::memory_order_release);
    changed_.SignalAll();
  }
  thread_.join();
}

void Worker::Run() {
  PinTo(options_.core);
  pthread_setname_np(pthread_self(), absl::StrCat("worker-", options_.id).c_str());
  IdlePolicy::PrepareThread();
  options_.enter();
  rcu_.Online(options_.id);
  IdlePolicy idle(options_.spin);
  now_ = Cycles();
  while (!stop_.load(std::memory_order_relaxed)) {
    if (pause_.load(std::memory_order_relaxed)) [[unlikely]]
      Park();
    // Between rounds nothing of a plan or a table is held.
    rcu_.Quiescent(options_.id);
    TakePlan();
    const bool worked = RunRound();
    idle.Round(worked);
    // What was slept is nobody's.
    if (!worked) now_ = Cycles();
  }
  rcu_.Offline(options_.id);
  options_.leave();
}

void Worker::Park() {
  adopted_ = 0;
  part_ = nullptr;
  rcu_.Offline(options_.id);
  {
    absl::MutexLock lock(&mutex_);
    paused_.store(true, std::memory_order_release);
    changed_.SignalAll();
    while (pause_.load() && !stop_.load()) changed_.Wait(&mutex_);
    paused_.store(false, std::memory_order_release);
    changed_.SignalAll();
  }
  rcu_.Online(options_.id);
  now_ = Cycles();
}

absl::Status Worker::Pause(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  pause_.store(true);
  const absl::Time deadline = absl::Now() + timeout;
  while (!paused_.load()) {
    if (changed_.WaitWithDeadline(&mutex_, deadline) && !paused_.load()) {
      return absl::DeadlineExceededError(absl::StrCat(
          "worker ", options_.id, " did not pause within ", absl::FormatDuration(timeout)));
    }
  }
  return absl::OkStatus();
}

void Worker::Resume() {
  absl::MutexLock lock(&mutex_);
  pause_.store(false);
  changed_.SignalAll();
  // So that a Pause right after this one waits for a new stop.
  while (paused_.load() && !pause_.load()) changed_.Wait(&mutex_);
}

void Worker::TakePlan() {
  const Plan* plan = plan_.load(std::memory_order_acquire);
  const uint64_t sequence = plan == nullptr ? 0 : plan->sequence;
  if (sequence == adopted_) [[likely]]
    return;
  adopted_ = sequence;
  part_ = plan == nullptr ? nullptr : plan->workers[options_.id].get();
  if (part_ == nullptr) return;
  context_.Adopt(part_->by_rank, part_->arena.get());
  part_->scheduler->Adopt(now_);
}

bool Worker::RunRound() {
  rounds_.Add(1);
  if (part_ == nullptr) return false;
  const uint64_t start = now_;
  const uint32_t leaf = part_->scheduler->Next(now_);
  const bool worked = leaf != TcScheduler::kNone ? RunLeaf(leaf) : AskResting();
  if (worked) {
    busy_rounds_.Add(1);
    busy_cycles_.Add(now_ - start);
  }
  return worked;
}

// The leaf pays for what runs on in cycles because of it, too.
bool Worker::RunLeaf(uint32_t leaf) {
  const TaskSlot& task = part_->tasks[leaf];
  context_.BeginRound(now_);
  const TaskResult result = context_.RunRoot(*task.root, [&](Context& context, Batch& batch) {
    return task.run(*task.module, context, batch, task.argument);
  });
  const bool looped = RunLoops();
  const uint64_t end = Cycles();
  const TcUsage usage = {1, end - now_, result.packets, result.bits};
  part_->scheduler->Ran(leaf, usage, result.blocked, end);
  now_ = end;
  packets_.Add(result.packets);
  bits_.Add(result.bits);
  return looped || !result.blocked;
}

// Nobody is known to have work: each resting leaf is asked once, until one has.
bool Worker::AskResting() {
  for (size_t asked = 0; asked < part_->tasks.size(); ++asked) {
    const uint32_t leaf = part_->scheduler->NextResting();
    if (leaf == TcScheduler::kNone) break;
    if (RunLeaf(leaf)) return true;
  }
  return RunLoops();
}

// What waits now; what runs back meanwhile is for the next round.
bool Worker::RunLoops() {
  bool worked = false;
  for (const LoopSlot& slot : part_->loops) worked |= RunLoop(context_, slot);
  return worked;
}

WorkerStats Worker::stats() const {
  return {rounds_.Get(),       busy_rounds_.Get(), busy_cycles_.Get(),
          Cycles() - started_, packets_.Get(),     bits_.Get()};
}

}  // namespace bess
