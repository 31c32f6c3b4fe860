// SPDX-License-Identifier: Apache-2.0
#include "core/sched/cores.h"

#include <dirent.h>
#include <sched.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/numbers.h"

namespace bess {
namespace {

// None when /proc cannot be read: then everybody stays where they are.
std::vector<pid_t> Threads() {
  std::vector<pid_t> threads;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/task"), &closedir);
  if (directory == nullptr) return threads;
  while (const dirent* entry = readdir(directory.get())) {
    pid_t thread = 0;
    if (absl::SimpleAtoi(entry->d_name, &thread)) threads.push_back(thread);
  }
  return threads;
}

cpu_set_t AllBut(const std::set<int>& taken) {
  cpu_set_t all, rest;
  CPU_ZERO(&all);
  CPU_ZERO(&rest);
  for (const int core : AllowedCores()) {
    CPU_SET(static_cast<size_t>(core), &all);
    if (!taken.contains(core)) CPU_SET(static_cast<size_t>(core), &rest);
  }
  return CPU_COUNT(&rest) == 0 ? all : rest;
}

}  // namespace

const std::vector<int>& AllowedCores() {
  static const std::vector<int> allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(getpid(), sizeof(set), &set);
    std::vector<int> cores;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<size_t>(core), &set)) cores.push_back(core);
    }
    return cores;
  }();
  return allowed;
}

void KeepOff(const std::set<int>& taken, const std::set<pid_t>& workers) {
  const cpu_set_t rest = AllBut(taken);
  for (const pid_t thread : Threads()) {
    if (!workers.contains(thread)) sched_setaffinity(thread, sizeof(rest), &rest);
  }
}

}  // namespace bess
