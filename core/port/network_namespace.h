// SPDX-License-Identifier: Apache-2.0
//
// A network namespace, kept alive by a descriptor, and the means to do something inside it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/port/file_descriptor.h"

namespace bess {

class NetworkNamespace {
 public:
  // That of the calling thread.
  static absl::StatusOr<NetworkNamespace> Current();
  // That of a process. ENOENT when there is none of this id.
  static absl::StatusOr<NetworkNamespace> OfProcess(int64_t pid);
  // That at a path; what has no slash is a name that `ip netns` knows. ENOENT when there is
  // nothing, EINVAL when it is no network namespace.
  static absl::StatusOr<NetworkNamespace> At(std::string_view path);
  // `fd` is one already; `text` says in errors which.
  NetworkNamespace(FileDescriptor fd, std::string text)
      : fd_(std::move(fd)), text_(std::move(text)) {}

  int fd() const { return fd_.get(); }
  const std::string& text() const { return text_; }

  // Calls `body` inside and returns what it does. The calling thread stays where it is: if that is
  // elsewhere, a thread is made for it, which needs CAP_SYS_ADMIN.
  absl::Status Run(const std::function<absl::Status()>& body) const;

 private:
  static absl::StatusOr<NetworkNamespace> Open(const std::string& path, std::string text);

  FileDescriptor fd_;
  std::string text_;
};

}  // namespace bess
