// SPDX-License-Identifier: Apache-2.0
#include "core/port/unix_listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
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

}  // namespace

absl::StatusOr<UnixListener> UnixListener::Open(std::string_view path) {
  BESS_ASSIGN_OR_RETURN(const Address address, AddressOf(path));
  if (!IsAbstract(path)) BESS_RETURN_IF_ERROR(RemoveAbandoned(path, address));
  UnixListener listener(path, NewSocket());
  if (bind(listener.fd_, address.get(), address.length) != 0) {
    const int code = errno == EADDRINUSE ? EBUSY : errno;
    return Error(code, "cannot make the socket '", path, "': ", std::strerror(errno));
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
