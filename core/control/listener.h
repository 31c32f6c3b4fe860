// SPDX-License-Identifier: Apache-2.0
//
// Where clients reach the daemon. A Unix socket by default: the kernel says who connects, and only
// root and the daemon's own user are let in. We bind and accept ourselves, since gRPC neither
// tells who its peer is nor limits how many come.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bess {

// $XDG_RUNTIME_DIR/bessd/bessd.sock, /tmp/bessd-<uid>/bessd.sock without one, and
// /run/bessd/bessd.sock for root. Clients follow the same rule.
std::string DefaultSocketPath();

// The right to be the one daemon on a socket: a locked file <socket>.pid holding our pid. The
// kernel lets go of it when the process ends, however it ends.
class SocketLock {
 public:
  // Makes the socket's directory (mode 0700) if it is missing. EBUSY naming the other's pid.
  static absl::StatusOr<std::unique_ptr<SocketLock>> Take(const std::string& socket_path);
  ~SocketLock();
  SocketLock(const SocketLock&) = delete;
  SocketLock& operator=(const SocketLock&) = delete;

 private:
  SocketLock(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  const int fd_;
};

// Accepts connections on a Unix socket and hands them to a running server.
class ControlSocket {
 public:
  // The caller holds the SocketLock of `path`, so that a socket found there is a dead daemon's.
  static absl::StatusOr<std::unique_ptr<ControlSocket>> Start(const std::string& path,
                                                              grpc::Server& server);
  // Stops accepting and removes the socket.
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  ControlSocket(std::string path, int socket, int stop, grpc::Server& server);

  void Run();
  void AcceptOne();

  const std::string path_;
  const int socket_;
  const int stop_;  // eventfd
  grpc::Server& server_;
  std::thread thread_;
};

// "127.0.0.1:10514" for `port` 10514. EINVAL unless `host` is a loopback address and `port`
// 1..65535: anything else would let the network command this process without asking who it is.
absl::StatusOr<std::string> LoopbackAddress(const std::string& host, int port);

}  // namespace bess
