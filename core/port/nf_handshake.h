// SPDX-License-Identifier: Apache-2.0
//
// The messages by which a network function attaches, as nf/wire.h lays them down. What comes from
// the socket is as hostile as what is in the rings: one size, no descriptors, nothing out of turn.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "nf/wire.h"

namespace bess {

// The process at the other end, if its user is one of `uids`; EPERM naming the user otherwise.
absl::StatusOr<ucred> AdmittedPeer(int socket, const std::set<uid_t>& uids);

// The message that waits at a socket. ENOTCONN: the peer has closed it. EINVAL: it is none of ours.
absl::StatusOr<BessNfRequest> ReceiveRequest(int socket);

// Both return whether the message is on its way; neither waits.
bool SendWelcome(int socket, const BessNfGeometry& geometry, const std::vector<int>& descriptors);
bool SendRefusal(int socket, const absl::Status& reason);

}  // namespace bess
