// SPDX-License-Identifier: Apache-2.0
#include "core/port/unix_listener.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <thread>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

struct Address {
  sockaddr_un sun{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&sun); }
};

bool IsAbstract(std::string_view path) { return path.substr(0, 1) == "@"; }

absl::StatusOr<Address> AddressOf(std::string_view path) {
  Address address;
  constexpr size_t kMaxPath = sizeof(address.sun.sun_path) - 1;
  if (path.empty() || path == "@") return Error(EINVAL, "'path' names no socket: '", path, "'");
  if (path.size() > kMaxPath) {
    return Error(EINVAL, "'path' must have at most ", kMaxPath, " bytes, not ", path.size(), ": '",
                 path, "'");
  }
  if (path.find('\0') != path.npos) {
    return Error(EINVAL, "'path' has a NUL byte behind '", path.substr(0, path.find('\0')), "'");
  }
  address.sun.sun_family = AF_UNIX;
  std::memcpy(address.sun.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (IsAbstract(path)) {
    address.sun.sun_path[0] = '\0';
  } else {
    ++address.length;
  }
  return address;
}

int NewSocket() { return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

// Whether nobody listens any more on the socket at an address.
bool IsAbandoned(const Address& address) {
  const int probe = NewSocket();
  const bool refused = connect(probe, address.get(), address.length) != 0 && errno == ECONNREFUSED;
  close(probe);
  return refused;
}

// Makes room at `path`, but only by removing a socket left behind by a process that is gone.
absl::Status RemoveAbandoned(std::string_view path, const Address& address) {
  struct stat found {};
  const std::string name(path);
  if (lstat(name.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return Error(EEXIST, "there is something at '", path, "' that is not a socket");
  }
  if (!IsAbandoned(address)) return Error(EBUSY, "somebody listens on '", path, "' already");
  if (unlink(name.c_str()) != 0) {
    return Error(errno, "cannot remove the old socket '", path, "': ", std::strerror(errno));
  }
  return absl::OkStatus();
}

// Accepted sockets inherit it. Kernels that do not know the option say so, and nothing helps there.
void RefuseDescriptors(int fd) {
#ifdef SO_PASSRIGHTS
  constexpr int kPassRights = SO_PASSRIGHTS;
#else
  constexpr int kPassRights = 83;  // since Linux 6.16
#endif
  constexpr int kNone = 0;
  setsockopt(fd, SOL_SOCKET, kPassRights, &kNone, sizeof(kNone));
}

// Returns an errno, or 0.
int Bind(int fd, const Address& address) {
  return bind(fd, address.get(), address.length) == 0 ? 0 : errno;
}

// The name takes the mode of the socket less the umask. To change it afterwards would mean to
// follow a path that its folder's owner may have bent meanwhile. The umask is the process's, so the
// name is made by a thread that has one of its own.
int BindWithMode(int fd, const Address& address, mode_t mode) {
  if (fchmod(fd, mode) != 0) return errno;
  int error = 0;
  std::thread([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    if (unshare(CLONE_FS) != 0) {
      error = errno;
      return;
    }
    umask(0);
    error = Bind(fd, address);
  }).join();
  return error;
}

}  // namespace

absl::StatusOr<UnixListener> UnixListener::Open(std::string_view path, std::optional<mode_t> mode) {
  BESS_ASSIGN_OR_RETURN(const Address address, AddressOf(path));
  if (!IsAbstract(path)) BESS_RETURN_IF_ERROR(RemoveAbandoned(path, address));
  UnixListener listener(path, NewSocket());
  RefuseDescriptors(listener.fd_);
  const int error = mode ? BindWithMode(listener.fd_, address, *mode) : Bind(listener.fd_, address);
  if (error != 0) {
    return Error(error == EADDRINUSE ? EBUSY : error, "cannot make the socket '", path,
                 "': ", std::strerror(error));
  }
  struct stat made {};
  if (!IsAbstract(path) && lstat(listener.path_.c_str(), &made) == 0) {
    listener.device_ = made.st_dev;
    listener.inode_ = made.st_ino;
  }
  constexpr int kBacklog = 8;
  if (listen(listener.fd_, kBacklog) != 0) {
    return Error(errno, "cannot listen on '", path, "': ", std::strerror(errno));
  }
  return listener;
}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)) {}

UnixListener::~UnixListener() {
  struct stat found {};
  if (inode_ != 0 && lstat(path_.c_str(), &found) == 0 && found.st_ino == inode_ &&
      found.st_dev == device_) {
    unlink(path_.c_str());
  }
  if (fd_ >= 0) close(fd_);
}

}  // namespace bess
