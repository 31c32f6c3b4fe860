// SPDX-License-Identifier: Apache-2.0
//
// A value that workers read while the control plane replaces it, without a pause and without a
// gap: readers see the old one or the new one, whole.
//
//   Versioned<Rules> rules_;                                       // in the module
//   const Rules& rules = *rules_.Get();                            // in Process
//   rules_.Swap(host(), std::make_unique<const Rules>(...));       // in a command
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "core/graph/host.h"

namespace bess {

template <typename T>
class Versioned {
 public:
  explicit Versioned(std::unique_ptr<const T> value = std::make_unique<const T>())
      : value_(value.release()) {}
  ~Versioned() { delete value_.load(std::memory_order_relaxed); }
  Versioned(const Versioned&) = delete;
  Versioned& operator=(const Versioned&) = delete;

  // Thread: any. Valid until the worker's current task ends.
  const T* Get() const { return value_.load(std::memory_order_acquire); }

  // Thread: control, one at a time.
  void Swap(Host& host, std::unique_ptr<const T> value) {
    const T* old = value_.exchange(value.release(), std::memory_order_acq_rel);
    host.Retire([old] { delete old; });
  }

 private:
  std::atomic<const T*> value_;
};

}  // namespace bess
