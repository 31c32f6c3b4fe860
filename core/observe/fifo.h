// SPDX-License-Identifier: Apache-2.0
//
// The writing end of a named pipe that somebody else made. Nothing here blocks, and nothing but a
// FIFO is ever opened.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bess {

class Fifo {
 public:
  Fifo() = default;
  ~Fifo();
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  // Remembers which file is meant, from now on whatever its name. ENOENT, EACCES...; EINVAL when
  // it is no FIFO. Must be called first, once.
  absl::Status Find(const std::string& path);
  // ENXIO when nobody has it open for reading, EBUSY when another capture writes to it.
  absl::Status Open();
  void Close();

  // -1 while it is not open.
  int fd() const { return fd_; }

 private:
  std::string path_;
  int file_ = -1;
  int fd_ = -1;
};

}  // namespace bess
