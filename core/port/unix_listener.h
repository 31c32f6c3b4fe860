// SPDX-License-Identifier: Apache-2.0
//
// A listening SOCK_SEQPACKET socket and its name in the file system.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bess {

class UnixListener {
 public:
  // A leading "@" means the abstract namespace. A socket at `path` on which nobody listens is
  // replaced. EINVAL: too long, empty, or with a NUL byte. EBUSY: somebody listens there. EEXIST:
  // there is something else, which stays untouched. All errors name the path.
  //
  // The name has `mode` from its first moment; without one, what the umask leaves of 0777. Who
  // connects cannot pass descriptors, neither before it is accepted nor afterwards (on kernels
  // before 6.16 it can): to discard one is to close it, which may take as long as its owner likes.
  static absl::StatusOr<UnixListener> Open(std::string_view path,
                                           std::optional<mode_t> mode = std::nullopt);

  // Closes the socket, and removes its name if that is still this socket.
  ~UnixListener();
  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&&) = delete;

  const std::string& path() const { return path_; }
  // Non-blocking.
  int fd() const { return fd_; }

 private:
  UnixListener(std::string_view path, int fd) : path_(path), fd_(fd) {}

  std::string path_;
  int fd_;
  dev_t device_ = 0;  // of the name in the file system; no inode: abstract
  ino_t inode_ = 0;
};

}  // namespace bess
