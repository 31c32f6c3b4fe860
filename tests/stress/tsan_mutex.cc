// SPDX-License-Identifier: Apache-2.0
//
// Tells thread sanitizer about absl::Mutex and absl::CondVar. The distribution's abseil is not
// instrumented, so what they protect would be reported as racing. The linker sends our calls here
// (--wrap, in CMakeLists.txt; thread sanitizer builds only); each does the real thing and says
// which way the order of memory goes.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"

// The names the linker looks for: __real_ and __wrap_ before what the compiler calls the member.
// NOLINTBEGIN(bugprone-reserved-identifier)
#define WRAPPED(result, symbol, ...)              \
  extern "C" result __real_##symbol(__VA_ARGS__); \
  extern "C" result __wrap_##symbol(__VA_ARGS__)

using absl::CondVar;
using absl::Mutex;

WRAPPED(void, _ZN4absl7debian35Mutex4LockEv, Mutex* mutex) {
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_acquire(mutex);
}

WRAPPED(void, _ZN4absl7debian35Mutex6UnlockEv, Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
}

WRAPPED(bool, _ZN4absl7debian35Mutex7TryLockEv, Mutex* mutex) {
  const bool locked = __real__ZN4absl7debian35Mutex7TryLockEv(mutex);
  if (locked) __tsan_acquire(mutex);
  return locked;
}

WRAPPED(void, _ZN4absl7debian35Mutex10ReaderLockEv, Mutex* mutex) {
  __real__ZN4absl7debian35Mutex10ReaderLockEv(mutex);
  __tsan_acquire(mutex);
}

WRAPPED(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex12ReaderUnlockEv(mutex);
}

WRAPPED(bool, _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
        Mutex* mutex, const absl::Condition& condition, absl::Duration timeout) {
  __tsan_release(mutex);
  const bool holds =
      __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
          mutex, condition, timeout);
  __tsan_acquire(mutex);
  return holds;
}

WRAPPED(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, CondVar* changed, Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(changed, mutex);
  __tsan_acquire(mutex);
}

WRAPPED(bool, _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE, CondVar* changed,
        Mutex* mutex, absl::Time deadline) {
  __tsan_release(mutex);
  const bool late = __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(
      changed, mutex, deadline);
  __tsan_acquire(mutex);
  return late;
}
// NOLINTEND(bugprone-reserved-identifier)
