// SPDX-License-Identifier: Apache-2.0
//
// A TAP device of our own: an interface for the kernel whose wire ends in our descriptors. It lives
// as long as they are open, so it goes with the daemon, however that ends and wherever it was
// moved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/port/file_descriptor.h"
#include "core/port/network_namespace.h"

namespace bess {

class TapDevice {
 public:
  // In the network namespace of the calling thread, with a name that the kernel chooses, down. The
  // kernel keeps a flow in one of the queues. EPERM without CAP_NET_ADMIN.
  static absl::StatusOr<TapDevice> Make(uint32_t queues);

  // One frame in each read and write; neither waits.
  int fd(uint32_t queue) const { return queues_[queue].get(); }
  uint32_t queues() const { return static_cast<uint32_t>(queues_.size()); }

  // Where it is now and what it is called there; ENODEV when its namespace is gone, and it with it.
  absl::StatusOr<std::string> Name() const;
  absl::StatusOr<NetworkNamespace> Namespace() const;

  // The core on which the kernel handles what is written to a queue. To be set before the device is
  // moved.
  absl::Status SetCore(uint32_t queue, uint32_t core) const;

 private:
  bool IsIn(const std::string& folder) const;

  std::vector<FileDescriptor> queues_;
};

}  // namespace bess
