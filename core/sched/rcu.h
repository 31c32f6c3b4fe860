// SPDX-License-Identifier: Apache-2.0
//
// When may memory that workers could see be freed? Once each of them has passed a point where it
// holds no reference (quiescent-state-based reclamation, DPDK's rte_rcu_qsbr). Nobody waits: what
// is retired is freed later by Reap; a stuck worker delays memory, never the control plane.
#pragma once

#include <rte_rcu_qsbr.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/synchronization/mutex.h"

namespace bess {

class Rcu {
 public:
  Rcu();
  // No reader may be online. Frees all that is left.
  ~Rcu();
  Rcu(const Rcu&) = delete;
  Rcu& operator=(const Rcu&) = delete;

  // A reader is online while it may hold references. Thread: the reader.
  void Online(uint32_t reader);
  void Offline(uint32_t reader);
  // The reader holds no reference right now. A few instructions.
  void Quiescent(uint32_t reader) { rte_rcu_qsbr_quiescent(state_.get(), reader); }

  // Waits until no reader can see what was visible before this call; false if some reader takes
  // longer than that. Thread: any but a reader.
  bool Wait(absl::Duration timeout);
  // Runs `free` in a later Reap. Thread: any but a reader.
  void Retire(std::function<void()> free);
  // Frees what no reader can see any more; returns how many objects still wait. When it returns,
  // nothing is being freed by another thread either. Thread: any but a reader.
  size_t Reap();

 private:
  struct Retired {
    uint64_t token;
    std::function<void()> free;
  };
  struct AlignedFree {
    void operator()(rte_rcu_qsbr* state) const;
  };

  std::unique_ptr<rte_rcu_qsbr, AlignedFree> state_;
  absl::Mutex reaping_;
  absl::Mutex mutex_;
  std::deque<Retired> retired_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bess
