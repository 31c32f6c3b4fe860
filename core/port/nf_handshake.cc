// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_handshake.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/status.h"

namespace bess {
namespace {

absl::Status CheckRequest(const BessNfRequest& request, ssize_t length) {
  if (length != ssize_t{sizeof(request)}) {
    return Error(EINVAL, "a request has ", sizeof(request), " bytes, not ", length);
  }
  if (request.magic != BESS_NF_MAGIC) return Error(EINVAL, "this is no request of a BESS NF");
  if (request.version != BESS_NF_VERSION) {
    return Error(EPROTONOSUPPORT, "this switch speaks version ", BESS_NF_VERSION, ", not ",
                 request.version);
  }
  if (request.kind != BESS_NF_ATTACH && request.kind != BESS_NF_DETACH) {
    return Error(EINVAL, "there is no request of kind ", request.kind);
  }
  if (request.fresh > BESS_NF_MAX_SLOTS) {
    return Error(EINVAL, "'fresh' must be at most ", BESS_NF_MAX_SLOTS, ", not ", request.fresh);
  }
  if (request.name[sizeof(request.name) - 1] != '\0') {
    return Error(EINVAL, "'name' must have at most ", sizeof(request.name) - 1, " bytes");
  }
  return absl::OkStatus();
}

bool Send(int socket, BessNfWelcome& welcome, const std::vector<int>& descriptors) {
  alignas(cmsghdr) char control[CMSG_SPACE(BESS_NF_MAX_DESCRIPTORS * sizeof(int))] = {};
  iovec data{.iov_base = &welcome, .iov_len = sizeof(welcome)};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const size_t bytes = descriptors.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
  }
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == ssize_t{sizeof(welcome)};
}

}  // namespace

absl::StatusOr<ucred> AdmittedPeer(int socket, const std::set<uid_t>& uids) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return Error(errno, "cannot tell who connects: ", std::strerror(errno));
  }
  if (!uids.contains(peer.uid)) {
    return Error(EPERM, "user ", peer.uid, " may not attach to this port");
  }
  return peer;
}

absl::StatusOr<BessNfRequest> ReceiveRequest(int socket) {
  BessNfRequest request{};
  iovec data{.iov_base = &request, .iov_len = sizeof(request)};
  // There is no room for control data, so descriptors that come along are never opened here.
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const ssize_t length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_TRUNC);
  if (length < 0 && errno != ECONNRESET) {
    return Error(errno, "cannot receive a request: ", std::strerror(errno));
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return Error(EINVAL, "a request carries no descriptors");
  }
  // An empty message looks like the end of the stream, and is as good as that.
  if (length <= 0) return Error(ENOTCONN, "the NF has closed the connection");
  BESS_RETURN_IF_ERROR(CheckRequest(request, length));
  return request;
}

bool SendWelcome(int socket, const BessNfGeometry& geometry, const std::vector<int>& descriptors) {
  BessNfWelcome welcome{.magic = BESS_NF_MAGIC, .version = BESS_NF_VERSION, .geometry = geometry};
  return Send(socket, welcome, descriptors);
}

bool SendRefusal(int socket, const absl::Status& reason) {
  BessNfWelcome welcome{.magic = BESS_NF_MAGIC, .version = BESS_NF_VERSION};
  welcome.error = static_cast<uint32_t>(StatusErrno(reason));
  const std::string text(reason.message());
  std::copy_n(text.begin(), std::min(text.size(), sizeof(welcome.text) - 1), welcome.text);
  return Send(socket, welcome, {});
}

}  // namespace bess
