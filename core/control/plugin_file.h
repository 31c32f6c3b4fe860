// SPDX-License-Identifier: Apache-2.0
//
// What can be known of a plugin's file without running any of it: whether it lies where plugins
// may lie, belongs to somebody who may bring code into the daemon, is a whole ELF shared object,
// and was compiled for this very daemon.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bess {

struct PluginFile {
  std::string path;  // without symbolic links
  std::string name;
  // The proto files of its messages, each as "file@hash".
  std::vector<std::string> messages;
};

// The interface a plugin must be compiled for, as in BESS_PLUGIN's note.
std::string_view PluginAbi();

// The directory without symbolic links. ENOENT...; EPERM unless it belongs to root or this
// process's user and nobody else may write to it.
absl::StatusOr<std::string> CheckPluginDirectory(const std::string& directory);

// `path` is a file in `directory`, or just the name of one there. ENOENT...; EPERM for one outside
// and for owner and rights as above; EINVAL for what is no plugin, is cut off, or was compiled for
// another daemon.
absl::StatusOr<PluginFile> InspectPlugin(const std::string& directory, const std::string& path);

}  // namespace bess
