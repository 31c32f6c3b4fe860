# SPDX-License-Identifier: Apache-2.0
#
# Thread sanitizer sees absl::Mutex through tests/stress/tsan_mutex.cc, which stands between our
# code and the members named here; the linker warns of none, so what is added to our use of
# absl/synchronization has to be added to both.
set(wrapped_symbols
    _ZN4absl7debian35Mutex4LockEv
    _ZN4absl7debian35Mutex6UnlockEv
    _ZN4absl7debian35Mutex7TryLockEv
    _ZN4absl7debian35Mutex10ReaderLockEv
    _ZN4absl7debian35Mutex12ReaderUnlockEv
    _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE
    _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE
    _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE)
list(TRANSFORM wrapped_symbols PREPEND "LINKER:--wrap=")

add_library(tsan_mutex STATIC tests/stress/tsan_mutex.cc)
target_compile_options(tsan_mutex PRIVATE -fsanitize=thread)
target_link_libraries(abseil INTERFACE tsan_mutex)
target_link_libraries(tsan_mutex PUBLIC absl::synchronization)
target_link_options(tsan_mutex INTERFACE ${wrapped_symbols})
