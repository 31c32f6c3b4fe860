// SPDX-License-Identifier: Apache-2.0
//
// How many packets a task handles each time at most, as the command `set_burst` sets it.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/status.h"
#include "core/packet/batch.h"

namespace bess {

class Burst {
 public:
  // 0..kBatchSize, at first kBatchSize; 0 stops the task. Thread: any.
  absl::Status Set(uint64_t burst) {
    BESS_RETURN_IF_ERROR(Check(burst));
    burst_.store(static_cast<uint32_t>(burst), std::memory_order_relaxed);
    return absl::OkStatus();
  }
  // What Set would say.
  static absl::Status Check(uint64_t burst) {
    if (burst <= kBatchSize) return absl::OkStatus();
    return Error(EINVAL, "'burst' must be 0..", kBatchSize, " packets, not ", burst);
  }
  uint32_t Get() const { return burst_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> burst_{kBatchSize};
};

}  // namespace bess
