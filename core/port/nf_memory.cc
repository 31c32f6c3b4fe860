// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/status.h"

namespace bess {

absl::StatusOr<NfMemory> NfMemory::Make(const char* name, size_t size, Peer peer) {
  NfMemory memory;
  memory.fd_ = FileDescriptor(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.fd_ || ftruncate(memory.fd(), static_cast<off_t>(size)) != 0) {
    return Error(errno, "cannot make ", size, " bytes of shared memory: ", std::strerror(errno));
  }
  void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd(), 0);
  if (start == MAP_FAILED) {
    return Error(errno, "cannot map ", size, " bytes of shared memory: ", std::strerror(errno));
  }
  memory.start_ = start;
  memory.size_ = size;
  // After our own mapping, which stays writable.
  const int reads = peer == Peer::kReads ? F_SEAL_FUTURE_WRITE : 0;
  if (fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | reads) != 0) {
    return Error(errno, "cannot seal shared memory: ", std::strerror(errno));
  }
  return memory;
}

NfMemory& NfMemory::operator=(NfMemory&& other) noexcept {
  fd_ = std::move(other.fd_);
  std::swap(start_, other.start_);
  std::swap(size_, other.size_);
  return *this;
}

NfMemory::~NfMemory() {
  if (start_ != nullptr) munmap(start_, size_);
}

}  // namespace bess
