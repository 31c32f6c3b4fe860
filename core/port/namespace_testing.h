// SPDX-License-Identifier: Apache-2.0
//
// For tests of what the kernel's network devices do, in a network namespace that one thread makes
// for itself: whatever happens, all of it goes with the thread. Only for those who may make one.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "spdlog/spdlog.h"

namespace bess::testing_ports {

// If not, says which tests are left out.
inline bool MayMakeNamespaces(const char* tests) {
  const pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  if (status != 0) spdlog::warn("no tests of {}: this user may not make network namespaces", tests);
  return status == 0;
}

// Parameters for a suite of tests that need namespaces: one, of no meaning, if there may be any.
inline std::vector<int> OnceWithNamespaces(const char* tests) {
  return MayMakeNamespaces(tests) ? std::vector<int>{1} : std::vector<int>{};
}

inline void Shell(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

// Calls `body` on a thread in a namespace where the kernel says nothing by itself.
template <typename Body>
void InNewNamespace(Body body) {
  std::thread([&] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << "1";
    body();
  }).join();
}

// For the calling thread, which then has mounts of its own, /sys is that of its namespace.
inline void ShowInSys() {
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(mount("sysfs", "/sys", "sysfs", 0, nullptr), 0);
}

}  // namespace bess::testing_ports
