// SPDX-License-Identifier: Apache-2.0
#include "core/control/rpcs.h"
#include "core/control/version.h"

namespace bess::rpc {

absl::Status GetVersion(Engine&, const pb::EmptyRequest&, pb::VersionResponse* response) {
  response->set_version(kVersion);
  return absl::OkStatus();
}

absl::Status ResetAll(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.ResetAll();
}

absl::Status PauseAll(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.PauseAll();
}

absl::Status ResumeAll(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.ResumeAll();
}

// One pool serves all sockets, so it is reported as socket 0's.
absl::Status DumpMempool(Engine& engine, const pb::DumpMempoolRequest& request,
                         pb::DumpMempoolResponse* response) {
  if (request.socket() < -1 || request.socket() > 0) {
    return Error(EINVAL, "'socket' must be -1 (all) or 0, not ", request.socket());
  }
  const PacketPool& pool = engine.pool();
  const uint32_t in_use = pool.in_use();  // once: it changes while we look
  pb::MempoolDump& dump = *response->add_dumps();
  dump.set_initialized(true);
  dump.set_mp_size(pool.capacity());
  dump.set_mp_element_size(kBufferStride);
  dump.set_mp_populated_size(pool.capacity());
  dump.set_mp_in_use_count(in_use);
  dump.set_mp_available_count(pool.capacity() - in_use);
  return absl::OkStatus();
}

}  // namespace bess::rpc
