// SPDX-License-Identifier: Apache-2.0
#include "core/control/rpcs.h"

namespace bess::rpc {
namespace {

// Clients know but one number for what goes wrong with a plugin; the text tells what it was.
absl::Status AsMinusOne(const absl::Status& status) {
  return status.ok() ? status : ErrnoStatus(-1, std::string(status.message()));
}

}  // namespace

absl::Status ImportPlugin(Engine& engine, const pb::ImportPluginRequest& request,
                          pb::EmptyResponse*) {
  return AsMinusOne(engine.ImportPlugin(request.path()));
}

absl::Status UnloadPlugin(Engine& engine, const pb::UnloadPluginRequest& request,
                          pb::EmptyResponse*) {
  return AsMinusOne(engine.UnloadPlugin(request.path()));
}

absl::Status ListPlugins(Engine& engine, const pb::EmptyRequest&,
                         pb::ListPluginsResponse* response) {
  for (const std::string& path : engine.ListPlugins()) response->add_paths(path);
  return absl::OkStatus();
}

}  // namespace bess::rpc
