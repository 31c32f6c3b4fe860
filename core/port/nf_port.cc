// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_port.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

absl::StatusOr<std::string> PathOf(const pb::NFPortArg& arg, const std::string& name) {
  if (!arg.path().empty()) return arg.path();
  if (name.find('/') == name.npos) return "/tmp/bess_nf_" + name;
  return Error(EINVAL, "a port named '", name, "' needs a 'path': its name cannot be in one");
}

std::set<uid_t> UsersOf(const pb::NFPortArg& arg) {
  if (arg.uids().empty()) return {0, geteuid()};
  return {arg.uids().begin(), arg.uids().end()};
}

// Who may attach is asked of the kernel; the file's mode must not keep them from asking.
std::optional<mode_t> ModeOf(const pb::NFPortArg& arg) {
  constexpr mode_t kAnybody = 0666;
  return arg.uids().empty() ? std::nullopt : std::optional(kAnybody);
}

}  // namespace

absl::Status NFPort::Init(const pb::NFPortArg& arg) {
  if (const uint32_t queues = std::max(rx_queues(), tx_queues()); queues > BESS_NF_MAX_QUEUES) {
    return Error(EINVAL, "an NFPort has at most ", BESS_NF_MAX_QUEUES, " queues each way, not ",
                 queues);
  }
  braking_ = arg.backpressure();
  if (braking_) brake_.Arm(std::bit_ceil(shape().tx_size));
  BESS_ASSIGN_OR_RETURN(std::string path, PathOf(arg, name()));
  BESS_ASSIGN_OR_RETURN(domain_, pools().Domain(arg.domain()));
  NfServerOptions options{.port = name(),
                          .path = path,
                          .mode = ModeOf(arg),
                          .uids = UsersOf(arg),
                          .stall = std::chrono::milliseconds(arg.stall_ms()),
                          .brake = brake(),
                          .session = {.to_nf_queues = tx_queues(),
                                      .from_nf_queues = rx_queues(),
                                      .to_nf_slots = shape().tx_size,
                                      .from_nf_slots = shape().rx_size,
                                      .isolated = !arg.trusted()}};
  BESS_ASSIGN_OR_RETURN(server_, NfServer::Start(std::move(options), *domain_.get()));
  return absl::OkStatus();
}

uint64_t NFPort::Read() {
  uint32_t most = 0;
  for (uint32_t queue = 0; queue < tx_queues(); ++queue) {
    const std::lock_guard lock(send_lock(queue));
    most = std::max(most, server_->Waiting(queue));
  }
  return most;
}

REGISTER_DRIVER(NFPort);

}  // namespace bess
