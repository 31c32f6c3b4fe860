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

namespace {

void Describe(const PacketPool& pool, pb::MempoolDump* dump) {
  const uint32_t in_use = pool.in_use();  // once: it changes while we look
  dump->set_name(pool.name());
  dump->set_initialized(true);
  dump->set_mp_size(pool.capacity());
  dump->set_mp_cache_size(pool.mempool() == nullptr ? 0 : pool.mempool()->cache_size);
  dump->set_mp_element_size(pool.stride());
  dump->set_mp_populated_size(pool.capacity());
  dump->set_mp_in_use_count(in_use);
  dump->set_mp_available_count(pool.capacity() - in_use);
}

}  // namespace

// Pools serve all sockets, so they are reported as socket 0's.
absl::Status DumpMempool(Engine& engine, const pb::DumpMempoolRequest& request,
                         pb::DumpMempoolResponse* response) {
  if (request.socket() < -1 || request.socket() > 0) {
    return Error(EINVAL, "'socket' must be -1 (all) or 0, not ", request.socket());
  }
  engine.ports().VisitPools(
      [response](const PacketPool& pool) { Describe(pool, response->add_dumps()); });
  return absl::OkStatus();
}

}  // namespace bess::rpc
