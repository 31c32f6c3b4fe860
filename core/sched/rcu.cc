// SPDX-License-Identifier: Apache-2.0
#include "core/sched/rcu.h"

#include <cstdlib>
#include <new>
#include <vector>

#include "absl/time/clock.h"
#include "core/base/counter.h"

namespace bess {

void Rcu::AlignedFree::operator()(rte_rcu_qsbr* state) const { std::free(state); }

Rcu::Rcu() {
  const size_t size = rte_rcu_qsbr_get_memsize(kMaxWorkers);
  void* memory = std::aligned_alloc(RTE_CACHE_LINE_SIZE, size);
  if (memory == nullptr) throw std::bad_alloc();
  state_.reset(static_cast<rte_rcu_qsbr*>(memory));
  rte_rcu_qsbr_init(state_.get(), kMaxWorkers);
}

Rcu::~Rcu() { Reap(); }

// Under mutex_, as every check is: the library's stores here carry no order of their own, and a
// check that overlapped with one reader's end and the next one's start would miss the first.
void Rcu::Online(uint32_t reader) {
  absl::MutexLock lock(&mutex_);
  rte_rcu_qsbr_thread_register(state_.get(), reader);
  rte_rcu_qsbr_thread_online(state_.get(), reader);
}

void Rcu::Offline(uint32_t reader) {
  absl::MutexLock lock(&mutex_);
  rte_rcu_qsbr_thread_offline(state_.get(), reader);
  rte_rcu_qsbr_thread_unregister(state_.get(), reader);
}

bool Rcu::Wait(absl::Duration timeout) {
  const uint64_t token = rte_rcu_qsbr_start(state_.get());
  const absl::Time deadline = absl::Now() + timeout;
  const auto passed = [&] {
    absl::MutexLock lock(&mutex_);
    return rte_rcu_qsbr_check(state_.get(), token, /*wait=*/false) == 1;
  };
  while (!passed()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Microseconds(20));
  }
  return true;
}

void Rcu::Retire(std::function<void()> free) {
  absl::MutexLock lock(&mutex_);
  retired_.push_back({rte_rcu_qsbr_start(state_.get()), std::move(free)});
}

size_t Rcu::Reap() {
  absl::MutexLock reaping(&reaping_);
  std::vector<std::function<void()>> ready;
  size_t waiting;
  {
    absl::MutexLock lock(&mutex_);
    while (!retired_.empty() &&
           rte_rcu_qsbr_check(state_.get(), retired_.front().token, /*wait=*/false) == 1) {
      ready.push_back(std::move(retired_.front().free));
      retired_.pop_front();
    }
    waiting = retired_.size();
  }
  // Not under mutex_: what is freed may retire more.
  for (auto& free : ready) {
    free();
    free = nullptr;  // before the next runs, which may take away the code of this one
  }
  return waiting;
}

}  // namespace bess
