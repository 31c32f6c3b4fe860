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
    : options_(std::move(options)), plan_(plan), rcu_(rcu), context_(options_.id), thread_([this] {
        Run();
      }) {}

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
  while (!stop_.load(std::memory_order_relaxed)) {
    if (pause_.load(std::memory_order_relaxed)) [[unlikely]]
      Park();
    // Between rounds nothing of a plan or a table is held.
    rcu_.Quiescent(options_.id);
    TakePlan();
    idle.Round(RunRound());
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
  if (part_ != nullptr) context_.Adopt(part_->by_rank, part_->arena.get());
}

bool Worker::RunRound() {
  rounds_.Add(1);
  if (part_ == nullptr) return false;
  context_.BeginRound(Cycles());
  const bool looped = RunLoops(*part_);
  const bool worked = RunTasks(*part_) || looped;
  if (worked) busy_rounds_.Add(1);
  return worked;
}

// All that waited when the round began: what runs back meanwhile is for the next round. Leaving
// some behind would let packets that need the buffer no more overtake it.
bool Worker::RunLoops(WorkerPlan& part) {
  bool worked = false;
  for (const LoopSlot& slot : part.loops) {
    uint32_t left = slot.buffer->held();
    worked |= left > 0;
    while (left > 0) {
      left -= context_.RunRoot(*slot.root, [&](Context& context, Batch& batch) {
        slot.buffer->Take(batch);
        const uint32_t taken = std::min(left, batch.size());
        context.Emit(0, batch);
        return taken;
      });
    }
  }
  return worked;
}

// The root of a worker's tree: each task in turn.
bool Worker::RunTasks(WorkerPlan& part) {
  bool worked = false;
  for (const TaskSlot& task : part.tasks) {
    const TaskResult result = context_.RunRoot(*task.root, [&](Context& context, Batch& batch) {
      return task.run(*task.module, context, batch, task.argument);
    });
    packets_.Add(result.packets);
    bits_.Add(result.bits);
    worked |= !result.blocked;
  }
  return worked;
}

WorkerStats Worker::stats() const {
  return {rounds_.Get(), busy_rounds_.Get(), packets_.Get(), bits_.Get()};
}

}  // namespace bess
