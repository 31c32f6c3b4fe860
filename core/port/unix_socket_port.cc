// SPDX-License-Identifier: Apache-2.0
#include "core/port/unix_socket_port.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/clock.h"
#include "core/base/status.h"

namespace bess {
namespace {

constexpr uint32_t kReceiveLane = 0;
constexpr uint32_t kSendLane = 1;
constexpr int64_t kDefaultPauseNs = 50'000;
constexpr int kForever = -1;

absl::StatusOr<std::string> PathOf(const pb::UnixSocketPortArg& arg, const std::string& name) {
  if (!arg.path().empty()) return arg.path();
  if (name.find('/') == name.npos) return "/tmp/bess_unix_" + name;
  return Error(EINVAL, "a port named '", name, "' needs a 'path': its name cannot be in one");
}

}  // namespace

UnixSocketPort::UnixSocketPort() {
  for (uint32_t i = 0; i < kBatchSize; ++i) {
    headers_[i].msg_hdr.msg_iov = &buffers_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
  }
}

absl::Status UnixSocketPort::Init(const pb::UnixSocketPortArg& arg) {
  if (rx_queues() != 1 || tx_queues() != 1) {
    return Error(EINVAL, "a UnixSocketPort has 1 queue each way, not ",
                 std::max(rx_queues(), tx_queues()));
  }
  BESS_ASSIGN_OR_RETURN(const std::string path, PathOf(arg, name()));
  BESS_ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Open(path));
  listener_.emplace(std::move(listener));
  const int64_t ns = arg.min_rx_interval_ns() == 0 ? kDefaultPauseNs : arg.min_rx_interval_ns();
  pause_ = ns < 0 ? 0 : NanosecondsToCycles(static_cast<double>(ns));
  confirm_connect_ = arg.confirm_connect();
  stop_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event_ < 0) return Error(errno, "cannot make an eventfd: ", std::strerror(errno));
  wake_ = epoll_create1(EPOLL_CLOEXEC);
  if (wake_ < 0) return Error(errno, "cannot make an epoll: ", std::strerror(errno));
  server_ = std::thread([this] { ServeClients(); });
  return absl::OkStatus();
}

UnixSocketPort::~UnixSocketPort() {
  if (server_.joinable()) {
    eventfd_write(stop_event_, 1);
    server_.join();
  }
  if (stop_event_ >= 0) close(stop_event_);
  if (wake_ >= 0) close(wake_);
}

LinkStatus UnixSocketPort::link() const { return {.up = door_.is_open()}; }

// --- clients ------------------------------------------------------------------------------------

bool UnixSocketPort::WaitFor(int fd, short events, int milliseconds) const {
  pollfd fds[] = {{.fd = stop_event_, .events = POLLIN}, {.fd = fd, .events = events}};
  while (poll(fds, 2, milliseconds) < 0 && errno == EINTR) {
  }
  return fds[0].revents == 0 && fds[1].revents != 0;
}

void UnixSocketPort::ServeClients() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "unix_port");
  while (WaitFor(listener_->fd(), POLLIN, kForever)) {
    const int client = accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client >= 0) {
      ServeClient(client);
      close(client);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      spdlog::warn("port {} cannot accept a client: {}", name(), std::strerror(errno));
      constexpr int kRetryMs = 100;
      WaitFor(-1, 0, kRetryMs);
    }
  }
}

void UnixSocketPort::ServeClient(int client) {
  if (confirm_connect_) send(client, "yes", sizeof("yes"), MSG_DONTWAIT | MSG_NOSIGNAL);
  client_ = client;
  door_.Open();
  epoll_event readable = {.events = EPOLLIN, .data = {}};
  epoll_ctl(wake_, EPOLL_CTL_ADD, client, &readable);
  spdlog::debug("port {} has a client", name());
  if (WaitFor(client, POLLRDHUP, kForever)) {
    // It may have sent packets right before it went: they get a little time to be received.
    constexpr int kGraceMs = 100;
    int waiting = 0;
    for (int i = 0; i < kGraceMs && ioctl(client, FIONREAD, &waiting) == 0 && waiting > 0; ++i) {
      WaitFor(-1, 0, 1);
    }
  }
  epoll_ctl(wake_, EPOLL_CTL_DEL, client, nullptr);
  door_.Close();
  spdlog::debug("the client of port {} is gone", name());
}

// --- packets ------------------------------------------------------------------------------------

uint32_t UnixSocketPort::DoReceive(uint32_t /*queue*/, Packet** packets, uint32_t max) {
  if (Cycles() < resume_) return 0;
  return door_.Pass(kReceiveLane, 0u, [&] {
    const uint32_t n = ReceiveMessages(packets, std::min(max, kBatchSize));
    if (n == 0) resume_ = Cycles() + pause_;
    return n;
  });
}

uint32_t UnixSocketPort::ReceiveMessages(Packet** packets, uint32_t max) {
  if (!pool().Alloc(packets, max, 0)) return 0;
  const size_t data_room = pool().data_room();
  for (uint32_t i = 0; i < max; ++i) {
    buffers_[i] = {.iov_base = packets[i]->data(), .iov_len = data_room};
  }
  const int messages = recvmmsg(client_, headers_.data(), max, MSG_DONTWAIT | MSG_TRUNC, nullptr);
  return KeepPackets(packets, max, messages < 0 ? 0 : static_cast<uint32_t>(messages));
}

uint32_t UnixSocketPort::KeepPackets(Packet** packets, uint32_t allocated, uint32_t messages) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < messages; ++i) {
    // Length 0 is what the end of the stream looks like: no packet, no loss.
    const uint32_t length = headers_[i].msg_len;
    if (length > pool().data_room()) {
      oversize_.Add(1);
    } else if (length > 0) {
      packets[i]->Append(static_cast<uint16_t>(length));
      std::swap(packets[kept++], packets[i]);
    }
  }
  FreePackets(packets + kept, allocated - kept);
  return kept;
}

uint32_t UnixSocketPort::DoSend(uint32_t /*queue*/, Packet** packets, uint32_t n) {
  const uint32_t sent =
      door_.Pass(kSendLane, 0u, [&] { return sender_.Send(client_, packets, n); });
  FreePackets(packets, sent);
  return sent;
}

REGISTER_DRIVER(UnixSocketPort);

}  // namespace bess
