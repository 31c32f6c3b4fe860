// SPDX-License-Identifier: Apache-2.0
#include "core/sched/worker.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/status.h"

namespace bess {
namespace {

// A worker that sleeps until woken looks for work itself after that long, lest anything it runs
// cannot wake it after all.
constexpr absl::Duration kLongestSleep = absl::Milliseconds(100);

// How often it looks at the descriptors that leaves wait for, in ns: seldom while others have work,
// since each look is a system call.
constexpr double kBusyLooks = 50e3;
constexpr double kIdleLooks = 5e3;

void PinTo(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(core), &cores);
  pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
}

}  // namespace

Worker::Worker(WorkerOptions options, const PlanPointer& plan, Rcu& rcu)
    : options_(std::move(options)),
      started_(Cycles()),
      plan_(plan),
      rcu_(rcu),
      context_(options_.id),
      idle_(options_.spin),
      thread_([this] { Run(); }) {
  pthread_getcpuclockid(thread_.native_handle(), &cpu_clock_);
  there_.wait();
}

Worker::~Worker() {
  {
    absl::MutexLock lock(&mutex_);
    stop_.store(true, std::memory_order_release);
    changed_.SignalAll();
  }
  Ring();
  thread_.join();
}

void Worker::Run() {
  thread_id_ = gettid();
  PinTo(options_.core);
  unsigned node = 0;
  if (getcpu(nullptr, &node) == 0) node_ = static_cast<int>(node);
  there_.count_down();
  pthread_setname_np(pthread_self(), absl::StrCat("worker-", options_.id).c_str());
  IdlePolicy::PrepareThread();
  options_.enter();
  rcu_.Online(options_.id);
  now_ = Cycles();
  while (!stop_.load(std::memory_order_relaxed)) {
    if (pause_.load(std::memory_order_relaxed)) [[unlikely]] {
      Park();
      continue;  // it may have been stopped there
    }
    // Between rounds nothing of a plan or a table is held.
    rcu_.Quiescent(options_.id);
    TakePlan();
    const bool worked = RunRound();
    const int64_t nap = idle_.Round(worked, limited() || must_look_);
    if (nap > 0) Rest(absl::Nanoseconds(nap));
    // What was slept is nobody's.
    if (!worked) now_ = Cycles();
  }
  LeavePlan();
  rcu_.Offline(options_.id);
  options_.leave();
}

// So that nobody rings for a worker that is gone: who runs the same plan still knocks on its doors.
void Worker::LeavePlan() {
  if (part_ != nullptr) part_->scheduler->board().SetBell(nullptr);
  adopted_ = 0;
  part_ = nullptr;
}

void Worker::Park() {
  LeavePlan();
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
  Ring();
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
  leaf_.store(nullptr, std::memory_order_relaxed);
  idle_.Stir();
  part_ = plan == nullptr ? nullptr : plan->workers[options_.id].get();
  lookout_.Adopt(sequence);
  look_at_ = 0;
  if (part_ == nullptr) return;
  part_->scheduler->board().SetBell(bell_.get());
  context_.Adopt(part_->most_nodes, part_->arena.get());
  part_->scheduler->Adopt(now_);
}

bool Worker::RunRound() {
  rounds_.Add(1);
  if (part_ == nullptr) return false;
  const uint64_t start = now_;
  if (now_ >= look_at_) [[unlikely]]
    Look();
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
  leaf_.store(task.state, std::memory_order_relaxed);
  context_.BeginRound(now_);
  const TaskResult result = RunTask(task);
  const bool looped = RunLoops();
  const uint64_t end = Cycles();
  const TcUsage usage = {1, end - now_, result.packets, result.bits};
  part_->scheduler->Ran(leaf, usage, result.blocked, end);
  now_ = end;
  packets_.Add(result.packets);
  bits_.Add(result.bits);
  if (result.blocked) LetWait(leaf);
  return looped || !result.blocked;
}

// A task that feeds a module which is nearly full rests until that has room again.
TaskResult Worker::RunTask(const TaskSlot& task) {
  for (Brake* brake : task.brakes) {
    if (!brake->Holds()) [[likely]]
      continue;
    must_look_ |= brake->has_gauge();
    return {.blocked = true};
  }
  const bool braking = task.holder != nullptr && task.holder->brake->on();
  const TaskResult result = context_.RunRoot(*task.root, [&](Context& context, Batch& batch) {
    return task.run(*task.module, context, batch, task.argument);
  });
  if (braking && !task.holder->brake->on()) {
    for (LeafDoor* feeder : task.holder->feeders) feeder->Knock();
  }
  return result;
}

// A leaf that had no work for long waits for its descriptor, if it has one that can be relied on.
void Worker::LetWait(uint32_t leaf) {
  const TaskSlot& task = part_->tasks[leaf];
  if (task.wake_fd < 0 || !part_->scheduler->Tired(leaf, now_)) return;
  if (!task.module->Await(task.argument) || !lookout_.Watch(task.wake_fd, leaf)) return;
  part_->scheduler->Await(leaf, now_);
  look_at_ = std::min(look_at_, now_ + NanosecondsToCycles(kBusyLooks));
}

void Worker::Look() {
  lookout_.Look([this](uint32_t leaf) { part_->scheduler->Tell(leaf, now_); });
  looked_ = now_;
  const bool again = part_->scheduler->awaiting() > 0;
  look_at_ = again ? now_ + NanosecondsToCycles(kBusyLooks) : kNever;
}

// Nobody is known to have work: each resting leaf is asked once, until one has.
bool Worker::AskResting() {
  must_look_ = false;
  if (look_at_ != kNever) look_at_ = looked_ + NanosecondsToCycles(kIdleLooks);
  for (size_t asked = 0; asked < part_->tasks.size(); ++asked) {
    const uint32_t leaf = part_->scheduler->NextResting();
    if (leaf == TcScheduler::kNone) break;
    asked_.Add(1);
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

// --- Idle ---------------------------------------------------------------------------------------

// Whether somebody wants something of it who may have come before it lay down.
bool Worker::Disturbed() const {
  const Plan* plan = plan_.load(std::memory_order_seq_cst);
  return stop_.load() || pause_.load() || (plan == nullptr ? 0 : plan->sequence) != adopted_ ||
         (part_ != nullptr && part_->scheduler->board().posted());
}

// Whether nothing but a ring, or a descriptor it waits for, brings work.
bool Worker::MaySleep() const {
  if (part_ == nullptr) return true;
  return part_->wakeable && part_->scheduler->awaiting() == part_->wakers && !limited() &&
         !must_look_;
}

// A ring, or a descriptor that some leaf waits for, ends naps as well as sleep.
void Worker::Rest(absl::Duration nap) {
  pollfd wakers[] = {{}, {.fd = part_ != nullptr ? lookout_.fd() : -1, .events = POLLIN}};
  bell_->LieDown();
  if (const bool disturbed = Disturbed(); !disturbed && idle_.drowsy() && MaySleep()) {
    Sleep(absl::MakeSpan(wakers));
  } else if (!disturbed) {
    bell_->Sleep(absl::MakeSpan(wakers), nap);
  }
  if (wakers[1].revents != 0) look_at_ = 0;
  if (bell_->GetUp()) idle_.Stir();
}

// Asleep it holds nothing, so that nobody waits for it to let go: the plan may be freed meanwhile.
void Worker::Sleep(absl::Span<pollfd> wakers) {
  asleep_.store(true, std::memory_order_relaxed);
  rcu_.Offline(options_.id);
  bell_->Sleep(wakers, kLongestSleep);
  rcu_.Online(options_.id);
  asleep_.store(false, std::memory_order_relaxed);
  look_at_ = 0;
}

// --- Seen from outside --------------------------------------------------------------------------

WorkerPosition Worker::position() const {
  return {rounds_.Get() + asked_.Get(), leaf_.load(std::memory_order_relaxed), context_.running()};
}

absl::Duration Worker::cpu_time() const {
  timespec used = {};
  clock_gettime(cpu_clock_, &used);
  return absl::DurationFromTimespec(used);
}

WorkerStats Worker::stats() const {
  return {rounds_.Get(),       busy_rounds_.Get(), busy_cycles_.Get(),
          Cycles() - started_, packets_.Get(),     bits_.Get()};
}

}  // namespace bess
