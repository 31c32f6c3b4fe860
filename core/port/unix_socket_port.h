// SPDX-License-Identifier: Apache-2.0
//
// UnixSocketPort: packets to and from a local process, one in each message of a SOCK_SEQPACKET
// socket. One client at a time; the next ones wait in the socket's backlog.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "core/port/doorway.h"
#include "core/port/message_sender.h"
#include "core/port/port.h"
#include "core/port/unix_listener.h"
#include "ports/unix_socket_port.pb.h"

namespace bess {

class UnixSocketPort final : public Port {
 public:
  static constexpr DriverInfo kInfo = {
      .name = "UnixSocketPort",
      .help = "exchanges packets with a local process over a Unix socket",
      .template_name = "unix_port"};

  UnixSocketPort();
  ~UnixSocketPort() override;

  // EINVAL for more than one queue or a path that cannot be; else as UnixListener::Open.
  absl::Status Init(const pb::UnixSocketPortArg& arg);

  // Up while there is a client.
  LinkStatus link() const override;
  int wake_fd(uint32_t) const override { return wake_; }

 private:
  uint32_t DoReceive(uint32_t queue, Packet** packets, uint32_t max) override;
  uint32_t DoSend(uint32_t queue, Packet** packets, uint32_t n) override;
  bool SendsChains() const override { return true; }
  uint64_t LostByDevice() const override { return oversize_.Get(); }

  uint32_t ReceiveMessages(Packet** packets, uint32_t max);
  uint32_t KeepPackets(Packet** packets, uint32_t allocated, uint32_t messages);

  void ServeClients();
  void ServeClient(int client);
  // Whether `fd` has one of `events`, or hung up, before the port is to end or time runs out.
  bool WaitFor(int fd, short events, int milliseconds) const;

  std::optional<UnixListener> listener_;
  bool confirm_connect_ = false;
  int stop_event_ = -1;
  int wake_ = -1;  // epoll: can be read while the client's socket can
  std::thread server_;

  Doorway door_{2};  // lane 0 receives, lane 1 sends; open while there is a client
  int client_ = -1;  // may be used by who passed the doorway
  // What one system call receives: message i into buffer i.
  std::array<iovec, kBatchSize> buffers_{};
  std::array<mmsghdr, kBatchSize> headers_{};
  MessageSender sender_;
  Counter oversize_;     // messages that fit no packet
  uint64_t pause_ = 0;   // cycles after an attempt that found nothing
  uint64_t resume_ = 0;  // Cycles() before which there is no further attempt
};

}  // namespace bess
