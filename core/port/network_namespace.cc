// SPDX-License-Identifier: Apache-2.0
#include "core/port/network_namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

constexpr char kOwn[] = "/proc/thread-self/ns/net";

bool IsOfThisThread(int fd) {
  struct stat own {};
  struct stat other {};
  return stat(kOwn, &own) == 0 && fstat(fd, &other) == 0 && own.st_ino == other.st_ino &&
         own.st_dev == other.st_dev;
}

}  // namespace

absl::StatusOr<NetworkNamespace> NetworkNamespace::Open(const std::string& path, std::string text) {
  // Whatever is there, opening it must not wait.
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int code = errno;
    return Error(code, "cannot open ", text, ": ", std::strerror(code),
                 code == EACCES ? " (another user's needs CAP_SYS_PTRACE)" : "");
  }
  if (ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return Error(EINVAL, text, " is no network namespace");
  }
  return NetworkNamespace(std::move(fd), std::move(text));
}

absl::StatusOr<NetworkNamespace> NetworkNamespace::Current() {
  return Open(kOwn, "the daemon's network namespace");
}

absl::StatusOr<NetworkNamespace> NetworkNamespace::OfProcess(int64_t pid) {
  if (pid <= 0) return Error(EINVAL, "a process has a positive id, not ", pid);
  auto space = Open(absl::StrCat("/proc/", pid, "/ns/net"),
                    absl::StrCat("the network namespace of process ", pid));
  if (StatusErrno(space.status()) == ENOENT) return Error(ENOENT, "there is no process ", pid);
  return space;
}

absl::StatusOr<NetworkNamespace> NetworkNamespace::At(std::string_view path) {
  const bool is_name = path.find('/') == path.npos;
  const std::string full = absl::StrCat(is_name ? "/run/netns/" : "", AbslView(path));
  if (path.empty()) return Error(EINVAL, "a network namespace has a name or a path");
  if (full.find('\0') != full.npos) return Error(EINVAL, "a path has no zero bytes");
  return Open(full, absl::StrCat("network namespace '", AbslView(path), "'"));
}

absl::Status NetworkNamespace::Run(const std::function<absl::Status()>& body) const {
  if (IsOfThisThread(fd())) return body();
  absl::Status result;
  std::thread([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    if (setns(fd(), CLONE_NEWNET) == 0) {
      result = body();
      return;
    }
    const int code = errno;
    result = Error(code, "cannot enter ", text_, ": ", std::strerror(code),
                   code == EPERM ? "; it needs CAP_SYS_ADMIN" : "");
  }).join();
  return result;
}

}  // namespace bess
