// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_server.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "core/base/clock.h"
#include "core/base/status.h"
#include "core/port/nf_handshake.h"

namespace bess {
namespace {

// How long somebody who connected may keep others waiting before it says what it wants.
constexpr std::chrono::milliseconds kPatience{500};

int Milliseconds(std::chrono::steady_clock::duration time) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

}  // namespace

absl::StatusOr<std::unique_ptr<NfServer>> NfServer::Start(NfServerOptions options,
                                                          NfDomain& domain) {
  BESS_ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Open(options.path, options.mode));
  FileDescriptor alarm(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!alarm) return Error(errno, "cannot make an eventfd: ", std::strerror(errno));
  std::vector<FileDescriptor> wakers;
  for (uint32_t q = 0; q < options.session.from_nf_queues; ++q) {
    wakers.emplace_back(epoll_create1(EPOLL_CLOEXEC));
    if (!wakers.back()) return Error(errno, "cannot make an epoll: ", std::strerror(errno));
  }
  std::unique_ptr<NfServer> server;
  server.reset(new NfServer(std::move(options), domain, std::move(listener), std::move(alarm),
                            std::move(wakers)));
  return server;
}

NfServer::NfServer(NfServerOptions options, NfDomain& domain, UnixListener listener,
                   FileDescriptor alarm, std::vector<FileDescriptor> wakers)
    : options_(std::move(options)),
      domain_(domain),
      listener_(std::move(listener)),
      alarm_(std::move(alarm)),
      wakers_(std::move(wakers)),
      door_(options_.session.from_nf_queues + options_.session.to_nf_queues),
      thread_([this] { Serve(); }) {}

NfServer::~NfServer() {
  stop_.store(true, std::memory_order_relaxed);
  eventfd_write(alarm_.get(), 1);
  thread_.join();
  if (client_) Detach(events_.detached, "the port is gone");
}

// --- packets ------------------------------------------------------------------------------------

uint32_t NfServer::Send(uint32_t queue, Packet** packets, uint32_t n) {
  return door_.Pass(SendLane(queue), 0u, [&] {
    const uint32_t sent = session_->Send(queue, packets, n);
    if (sent < n) overloaded_.fetch_add(n - sent, std::memory_order_relaxed);
    return sent;
  });
}

uint32_t NfServer::Waiting(uint32_t queue) {
  return door_.Pass(SendLane(queue), 0u, [&] { return session_->Waiting(queue); });
}

uint32_t NfServer::Receive(uint32_t queue, Packet** packets, uint32_t max) {
  return door_.Pass(queue, 0u, [&] { return session_->Receive(queue, packets, max); });
}

bool NfServer::Await(uint32_t queue) {
  return door_.Pass(queue, true, [&] { return session_->Await(queue); });
}

std::optional<NfProcess> NfServer::process() const {
  absl::MutexLock lock(&process_mutex_);
  std::optional<NfProcess> found = process_;
  if (found) found->buffers = session_->loans();
  return found;
}

// --- clients ------------------------------------------------------------------------------------

void NfServer::Serve() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "nf_port");
  while (!stop_.load(std::memory_order_relaxed)) ServeOnce();
}

int NfServer::Timeout() const {
  int timeout = -1;
  if (newcomer_) timeout = Milliseconds(kPatience);
  if (client_ && options_.stall.count() > 0) {
    const int stall = Milliseconds(LookInterval());
    timeout = timeout < 0 ? stall : std::min(timeout, stall);
  }
  return timeout;
}

void NfServer::ServeOnce() {
  pollfd fds[] = {
      {.fd = alarm_.get(), .events = POLLIN},
      {.fd = client_ ? client_->socket.get() : -1, .events = POLLIN},
      {.fd = client_ ? client_->process.get() : -1, .events = POLLIN},
      {.fd = newcomer_ ? newcomer_->socket.get() : -1, .events = POLLIN},
      {.fd = newcomer_ ? -1 : listener_.fd(), .events = POLLIN},
  };
  const auto& [alarm, client, process, newcomer, listener] = fds;
  if (poll(fds, std::size(fds), Timeout()) < 0) return;
  if (alarm.revents != 0) {
    eventfd_t count;
    eventfd_read(alarm_.get(), &count);
  }
  // Who goes makes room for who comes.
  if (client_ && session_->violation() != NfViolation::kNone) {
    Expel(session_->violation());
  } else if (client.revents != 0) {
    HearClient();
  } else if (process.revents != 0) {
    Detach(events_.died, "it died");
  } else if (client_ && options_.stall.count() > 0) {
    CheckProgress();
  }
  if (newcomer.revents != 0) {
    Welcome();
  } else if (newcomer_ && Clock::now() - newcomer_->since >= kPatience) {
    events_.refused.fetch_add(1, std::memory_order_relaxed);
    newcomer_.reset();
  }
  if (listener.revents != 0) Accept();
}

void NfServer::Accept() {
  Client client{.socket = FileDescriptor(
                    accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK))};
  if (!client.socket) {
    constexpr timespec kRest{.tv_nsec = 10'000'000};
    if (errno == EMFILE || errno == ENFILE) nanosleep(&kRest, nullptr);
    return;
  }
  const absl::StatusOr<ucred> peer = AdmittedPeer(client.socket.get(), options_.uids);
  if (!peer.ok()) {
    events_.refused.fetch_add(1, std::memory_order_relaxed);
    SendRefusal(client.socket.get(), peer.status());
    return Log(std::string(peer.status().message()));
  }
  client.peer = *peer;
  client.process = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, peer->pid, 0)));
  client.since = Clock::now();
  newcomer_ = std::move(client);
}

void NfServer::Welcome() {
  const absl::StatusOr<BessNfRequest> request = ReceiveRequest(newcomer_->socket.get());
  const absl::Status status = request.ok() ? Admit(*request) : request.status();
  if (!status.ok()) {
    events_.refused.fetch_add(1, std::memory_order_relaxed);
    SendRefusal(newcomer_->socket.get(), status);
    Log(absl::StrCat("process ", newcomer_->peer.pid, " is refused: ", status.message()));
  }
  newcomer_.reset();
}

absl::Status NfServer::Admit(const BessNfRequest& request) {
  if (request.kind != BESS_NF_ATTACH) return Error(EINVAL, "the first request is to attach");
  if (client_) return Error(EBUSY, "process ", client_->peer.pid, " is attached to this port");
  NfSessionOptions options = options_.session;
  options.fresh_slots = request.fresh;
  options.alarm = alarm_.get();
  BESS_ASSIGN_OR_RETURN(auto session, NfSession::Make(domain_, traffic_, options));
  if (!SendWelcome(newcomer_->socket.get(), session->geometry(), session->Descriptors())) {
    return Error(errno, "cannot send the welcome: ", std::strerror(errno));
  }
  session->ForgetPeerEnds();
  session_ = std::move(session);
  client_ = std::move(newcomer_);
  looked_ = Clock::now();
  seen_progress_ = 0;
  seen_stuck_ = false;
  const std::string name = absl::CHexEscape(request.name);
  {
    absl::MutexLock lock(&process_mutex_);
    process_ = NfProcess{
        .name = name, .pid = client_->peer.pid, .uid = client_->peer.uid, .since = WallSeconds()};
  }
  door_.Open();
  // Only now, so that who is woken finds the doorway open.
  for (uint32_t q = 0; q < wakers_.size(); ++q) {
    epoll_event rung{.events = EPOLLIN, .data = {}};
    epoll_ctl(wakers_[q].get(), EPOLL_CTL_ADD, session_->bell(q), &rung);
  }
  events_.attached.fetch_add(1, std::memory_order_relaxed);
  Log(absl::StrCat("'", name, "' (process ", client_->peer.pid, ") is attached"));
  return absl::OkStatus();
}

// Only goodbyes come by this connection.
void NfServer::HearClient() {
  const absl::StatusOr<BessNfRequest> request = ReceiveRequest(client_->socket.get());
  if (StatusErrno(request.status()) == EAGAIN) return;
  if (request.ok() && request->kind == BESS_NF_DETACH) {
    Detach(events_.detached, "it wants to");
  } else if (StatusErrno(request.status()) == ENOTCONN) {
    Detach(events_.died, "it died");
  } else {
    Expel(NfViolation::kMessage);
  }
}

// Twice within the time it has, since its rings may have filled up just before a look.
void NfServer::CheckProgress() {
  if (Clock::now() - looked_ < LookInterval()) return;
  const uint32_t progress = session_->Progress();
  const uint64_t refused = overloaded();
  const bool full =
      refused > seen_overloaded_ || (options_.brake != nullptr && options_.brake->on());
  const bool stuck = full && progress == seen_progress_;
  if (stuck && seen_stuck_) return Detach(events_.stalled, "it leaves its full rings alone");
  seen_stuck_ = stuck;
  seen_progress_ = progress;
  seen_overloaded_ = refused;
  looked_ = Clock::now();
}

void NfServer::Expel(NfViolation violation) {
  events_.violations[static_cast<size_t>(violation)].fetch_add(1, std::memory_order_relaxed);
  Detach(events_.violated, ViolationText(violation));
}

void NfServer::Detach(std::atomic<uint64_t>& how, const std::string& why) {
  door_.Close();
  {
    absl::MutexLock lock(&process_mutex_);
    process_.reset();
  }
  // An NF that is thrown out may live on, and ring.
  for (uint32_t q = 0; q < wakers_.size(); ++q) {
    epoll_ctl(wakers_[q].get(), EPOLL_CTL_DEL, session_->bell(q), nullptr);
  }
  session_.reset();
  how.fetch_add(1, std::memory_order_relaxed);
  Log(absl::StrCat("process ", client_->peer.pid, " is detached: ", why));
  client_.reset();
}

// A line a second: a peer that comes and goes does not fill the log.
void NfServer::Log(const std::string& text) {
  const Clock::time_point now = Clock::now();
  if (now - logged_ < std::chrono::seconds(1)) return;
  logged_ = now;
  spdlog::info("port {}: {}", options_.port, text);
}

}  // namespace bess
