// SPDX-License-Identifier: Apache-2.0
#include "core/observe/fifo.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "core/base/status.h"

namespace bess {
namespace {

// As large as an ordinary user's pipe may be: what a reader may fall behind.
constexpr int kPipeSize = 1 << 20;

}  // namespace

Fifo::~Fifo() {
  Close();
  if (file_ >= 0) close(file_);
}

absl::Status Fifo::Find(const std::string& path) {
  if (path.empty()) return Error(EINVAL, "'fifo' is missing: which named pipe?");
  path_ = path;
  // O_PATH looks without opening: devices and pipes do not notice.
  file_ = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (file_ < 0) return Error(errno, "'fifo': ", path, ": ", std::strerror(errno));
  struct stat about {};
  if (fstat(file_, &about) != 0 || !S_ISFIFO(about.st_mode)) {
    return Error(EINVAL, "'fifo': ", path, " is not a named pipe");
  }
  return absl::OkStatus();
}

absl::Status Fifo::Open() {
  // The file that was found, even if the name means another by now.
  const std::string same = absl::StrCat("/proc/self/fd/", file_);
  fd_ = open(same.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0 && errno == ENXIO) {
    return Error(ENXIO, "'fifo': nobody has ", path_, " open for reading; with 'defer' the hook ",
                 "waits for a reader");
  }
  if (fd_ < 0) return Error(errno, "'fifo': ", path_, ": ", std::strerror(errno));
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    Close();
    return Error(EBUSY, "'fifo': another capture writes to ", path_);
  }
  fcntl(fd_, F_SETPIPE_SZ, kPipeSize);  // a smaller one does too
  return absl::OkStatus();
}

void Fifo::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace bess
