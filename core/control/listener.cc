// SPDX-License-Identifier: Apache-2.0
#include "core/control/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "core/base/status.h"
#include "spdlog/spdlog.h"

namespace bess {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 64;

std::string Reason() { return std::strerror(errno); }

absl::Status MakeDirectory(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  if (directory.empty() || mkdir(directory.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno != EEXIST) {
    return Error(errno, "cannot make the socket's directory ", directory, ": ", Reason());
  }
  // Its owner could put another socket in the place of this one. Root knows where it goes.
  struct stat found = {};
  if (geteuid() == 0 || stat(directory.c_str(), &found) != 0) return absl::OkStatus();
  if (found.st_uid == geteuid() || found.st_uid == 0) return absl::OkStatus();
  return Error(EPERM, "the socket's directory ", directory, " belongs to another user");
}

std::string ReadPid(int fd) {
  char text[32] = {};
  const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
  std::string pid(text, n > 0 ? static_cast<size_t>(n) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address = {.sun_family = AF_UNIX};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Error(EINVAL, "a socket path has 1..", sizeof(address.sun_path) - 1,
                 " bytes; this one has ", path.size(), ": ", path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Removes a dead daemon's socket, and nothing but a socket.
absl::Status RemoveStale(const std::string& path) {
  struct stat found;
  if (lstat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) return Error(EEXIST, path, " exists and is not a socket");
  if (unlink(path.c_str()) == 0) return absl::OkStatus();
  return Error(errno, "cannot remove the old socket ", path, ": ", Reason());
}

bool MayCommand(int connection) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0 || peer.uid == geteuid()) return true;
  spdlog::warn("refused a control connection from uid {} (pid {})", peer.uid, peer.pid);
  return false;
}

}  // namespace

std::string DefaultSocketPath() {
  if (geteuid() == 0) return "/run/bessd/bessd.sock";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return absl::StrCat(runtime, "/bessd/bessd.sock");
  return absl::StrCat("/tmp/bessd-", geteuid(), "/bessd.sock");
}

absl::StatusOr<std::unique_ptr<SocketLock>> SocketLock::Take(const std::string& socket_path) {
  BESS_RETURN_IF_ERROR(MakeDirectory(socket_path));
  const std::string path = socket_path + ".pid";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Error(errno, "cannot open ", path, ": ", Reason());
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::string pid = ReadPid(fd);
    close(fd);
    return Error(EBUSY, "another bessd (pid ", pid, ") serves ", socket_path);
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    close(fd);
    return Error(EIO, "cannot write ", path, ": ", Reason());
  }
  return std::unique_ptr<SocketLock>(new SocketLock(path, fd));
}

SocketLock::~SocketLock() {
  // While still locked: nobody else can have taken the name.
  unlink(path_.c_str());
  close(fd_);
}

absl::StatusOr<std::unique_ptr<ControlSocket>> ControlSocket::Start(const std::string& path,
                                                                    grpc::Server& server) {
  BESS_ASSIGN_OR_RETURN(const sockaddr_un address, UnixAddress(path));
  BESS_RETURN_IF_ERROR(RemoveStale(path));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Error(errno, "cannot make a socket: ", Reason());
  // The mode counts from the first moment on, whatever the umask.
  const mode_t before = umask(0177);
  const int bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  umask(before);
  if (bound != 0 || chmod(path.c_str(), kSocketMode) != 0 || listen(fd, kBacklog) != 0) {
    const absl::Status error = Error(errno, "cannot listen on ", path, ": ", Reason());
    close(fd);
    return error;
  }
  const int stop = eventfd(0, EFD_CLOEXEC);
  return std::unique_ptr<ControlSocket>(new ControlSocket(path, fd, stop, server));
}

ControlSocket::ControlSocket(std::string path, int socket, int stop, grpc::Server& server)
    : path_(std::move(path)), socket_(socket), stop_(stop), server_(server), thread_([this] {
        Run();
      }) {}

ControlSocket::~ControlSocket() {
  eventfd_write(stop_, 1);
  thread_.join();
  close(socket_);
  close(stop_);
  unlink(path_.c_str());
}

void ControlSocket::Run() {
  pollfd waits[] = {{socket_, POLLIN, 0}, {stop_, POLLIN, 0}};
  for (;;) {
    if (poll(waits, 2, -1) < 0 && errno != EINTR) return;
    if ((waits[1].revents & POLLIN) != 0) return;
    if ((waits[0].revents & POLLIN) != 0) AcceptOne();
  }
}

void ControlSocket::AcceptOne() {
  const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0) {
    // Out of file descriptors: the client waits; spinning would not help it.
    if (errno == EMFILE || errno == ENFILE) usleep(100000);
    return;
  }
  if (!MayCommand(connection)) {
    close(connection);
    return;
  }
  grpc::AddInsecureChannelFromFd(&server_, connection);
}

absl::StatusOr<std::string> LoopbackAddress(const std::string& host, int port) {
  if (port < 1 || port > 65535) return Error(EINVAL, "a TCP port is 1..65535, not ", port);
  in_addr address;
  const bool loopback = host == "localhost" || (inet_pton(AF_INET, host.c_str(), &address) == 1 &&
                                                (ntohl(address.s_addr) >> 24) == 127);
  if (!loopback) {
    return Error(EINVAL, "'", host,
                 "' is not a loopback address: without TLS the control port "
                 "is for this machine only (use 127.0.0.1)");
  }
  return absl::StrCat(host, ":", port);
}

}  // namespace bess
