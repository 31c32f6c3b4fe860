// SPDX-License-Identifier: Apache-2.0
//
// Memory made here and shared with a peer, whose size nobody can change any more: a peer that
// truncated it would end the switch with SIGBUS.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "core/port/file_descriptor.h"

namespace bess {

class NfMemory {
 public:
  enum class Peer { kReads, kWrites };

  NfMemory() = default;
  // Zeroed. A peer that only reads cannot map it otherwise, whatever it does with the descriptor.
  static absl::StatusOr<NfMemory> Make(const char* name, size_t size, Peer peer);
  ~NfMemory();
  NfMemory(NfMemory&& other) noexcept { *this = std::move(other); }
  NfMemory& operator=(NfMemory&& other) noexcept;

  int fd() const { return fd_.get(); }
  void* start() const { return start_; }

 private:
  FileDescriptor fd_;
  void* start_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bess
