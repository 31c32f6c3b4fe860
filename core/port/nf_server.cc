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

using std::chrono::milliseconds;

// How many may have connected without saying yet what they want, each for how long. Whoever comes
// when there are as many waits outside.
constexpr size_t kMaxNewcomers = 8;
constexpr milliseconds kPatience{500};
// How often it is looked whether workers have taken what an NF sent before its goodbye.
constexpr milliseconds kGraceLook{1};
// What the library asks for unless told otherwise. It keeps as many freed buffers at hand, so with
// fewer an NF on a port of small rings could end up with all it may have, idle.
constexpr uint32_t kUsualFresh = 64;

int Milliseconds(std::chrono::steady_clock::duration time) {
  return static_cast<int>(std::chrono::ceil<milliseconds>(time).count());
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

Passed NfServer::Send(uint32_t queue, Packet** packets, uint32_t n) {
  return door_.Pass(SendLane(queue), Passed(), [&] {
    if (leaving()) return Passed();
    const Passed sent = session_->Send(queue, packets, n);
    if (sent.packets < n) overloaded_.fetch_add(n - sent.packets, std::memory_order_relaxed);
    return sent;
  });
}

uint32_t NfServer::Waiting(uint32_t queue) {
  return door_.Pass(SendLane(queue), 0u, [&] { return session_->Waiting(queue); });
}

Passed NfServer::Receive(uint32_t queue, Packet** packets, uint32_t max) {
  return door_.Pass(queue, Passed(), [&] { return session_->Receive(queue, packets, max); });
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

// Until something has to be done that nobody will ask for; -1 when there is no such thing.
int NfServer::Timeout() const {
  if (leaving()) return Milliseconds(kGraceLook);
  const Clock::time_point now = Clock::now();
  std::optional<Clock::duration> rest;
  const auto await = [&](Clock::time_point when) {
    rest = std::min(rest.value_or(Clock::duration::max()), when - now);
  };
  for (const Client& newcomer : newcomers_) await(newcomer.since + kPatience);
  if (client_ && options_.stall.count() > 0) await(looked_ + LookInterval());
  return rest ? std::max(0, Milliseconds(*rest)) : -1;
}

void NfServer::ServeOnce() {
  const bool was_leaving = leaving();
  // Those who come now wait until who is leaving has made room, instead of being told it is taken.
  const auto unless_leaving = [&](const FileDescriptor& fd) { return was_leaving ? -1 : fd.get(); };
  std::vector<pollfd> fds = {
      {.fd = alarm_.get(), .events = POLLIN},
      {.fd = client_ ? unless_leaving(client_->socket) : -1, .events = POLLIN},
      {.fd = client_ ? unless_leaving(client_->process) : -1, .events = POLLIN},
      {.fd = newcomers_.size() < kMaxNewcomers ? listener_.fd() : -1, .events = POLLIN},
  };
  const size_t fixed = fds.size();
  for (const Client& newcomer : newcomers_) {
    fds.push_back({.fd = unless_leaving(newcomer.socket), .events = POLLIN});
  }
  if (poll(fds.data(), fds.size(), Timeout()) < 0) return;
  if (fds[0].revents != 0) {
    eventfd_t count;
    eventfd_read(alarm_.get(), &count);
  }
  // Who goes makes room for who comes.
  if (client_) AttendClient(fds[1].revents != 0, fds[2].revents != 0);
  if (!was_leaving && !leaving()) HearNewcomers(absl::MakeSpan(fds).subspan(fixed));
  if (fds[3].revents != 0) Accept();
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
    return Refuse(client, peer.status(), std::string(peer.status().message()));
  }
  client.peer = *peer;
  client.process = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, peer->pid, 0)));
  client.since = Clock::now();
  newcomers_.push_back(std::move(client));
}

void NfServer::Refuse(const Client& client, const absl::Status& reason, const std::string& text) {
  events_.refused.fetch_add(1, std::memory_order_relaxed);
  SendRefusal(client.socket.get(), reason);
  Log(refusals_, text);
}

void NfServer::HearNewcomers(absl::Span<const pollfd> polled) {
  const Clock::time_point now = Clock::now();
  std::vector<Client> silent;
  for (size_t i = 0; i < newcomers_.size(); ++i) {
    Client& newcomer = newcomers_[i];
    if (polled[i].revents != 0) {
      Welcome(newcomer);
    } else if (now - newcomer.since < kPatience) {
      silent.push_back(std::move(newcomer));
    } else {
      events_.refused.fetch_add(1, std::memory_order_relaxed);
      Log(refusals_, absl::StrCat("process ", newcomer.peer.pid, " is refused: it says nothing"));
    }
  }
  newcomers_ = std::move(silent);
}

void NfServer::Welcome(Client& newcomer) {
  const absl::StatusOr<BessNfRequest> request = ReceiveRequest(newcomer.socket.get());
  const absl::Status status = request.ok() ? Admit(newcomer, *request) : request.status();
  if (status.ok()) return;
  Refuse(newcomer, status,
         absl::StrCat("process ", newcomer.peer.pid, " is refused: ", status.message()));
}

absl::StatusOr<std::unique_ptr<NfSession>> NfServer::MakeSession(const BessNfRequest& request) {
  NfSessionOptions options = options_.session;
  // What the NF asks for comes out of a pool that others use, too, so the port's owner has a say.
  options.fresh_slots = std::min(request.fresh, std::max(options.from_nf_slots, kUsualFresh));
  options.alarm = alarm_.get();
  return NfSession::Make(domain_, traffic_, options);
}

absl::Status NfServer::Admit(Client& newcomer, const BessNfRequest& request) {
  if (request.kind != BESS_NF_ATTACH) return Error(EINVAL, "the first request is to attach");
  if (client_) return Error(EBUSY, "process ", client_->peer.pid, " is attached to this port");
  BESS_ASSIGN_OR_RETURN(auto session, MakeSession(request));
  if (!SendWelcome(newcomer.socket.get(), session->geometry(), session->Descriptors())) {
    return Error(errno, "cannot send the welcome: ", std::strerror(errno));
  }
  session->ForgetPeerEnds();
  session_ = std::move(session);
  client_ = std::move(newcomer);
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
  Log(attachments_, absl::StrCat("'", name, "' (process ", client_->peer.pid, ") is attached"));
  return absl::OkStatus();
}

void NfServer::AttendClient(bool speaks, bool died) {
  if (session_->violation() != NfViolation::kNone) {
    Expel(session_->violation());
  } else if (leaving()) {
    FinishLeaving();
  } else if (speaks) {
    HearClient();
  } else if (died) {
    Detach(events_.died, "it died");
  } else if (options_.stall.count() > 0) {
    CheckProgress();
  }
}

// Only goodbyes come by this connection.
void NfServer::HearClient() {
  const absl::StatusOr<BessNfRequest> request = ReceiveRequest(client_->socket.get());
  if (StatusErrno(request.status()) == EAGAIN) return;
  if (request.ok() && request->kind == BESS_NF_DETACH) {
    leave_by_ = Clock::now() + options_.grace;
    leaving_.store(true, std::memory_order_relaxed);
    FinishLeaving();
  } else if (StatusErrno(request.status()) == ENOTCONN) {
    Detach(events_.died, "it died");
  } else {
    Expel(NfViolation::kMessage);
  }
}

// As soon as workers have what it sent before its goodbye, or they do not come for it.
void NfServer::FinishLeaving() {
  if (session_->Drained() || Clock::now() >= leave_by_) Detach(events_.detached, "it wants to");
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
  leaving_.store(false, std::memory_order_relaxed);
  {
    absl::MutexLock lock(&process_mutex_);
    process_.reset();
  }
  // An NF that is thrown out may live on, and ring.
  for (uint32_t q = 0; q < wakers_.size(); ++q) {
    epoll_ctl(wakers_[q].get(), EPOLL_CTL_DEL, session_->bell(q), nullptr);
  }
  session_->CountUnreceived();
  session_.reset();
  how.fetch_add(1, std::memory_order_relaxed);
  Log(detachments_, absl::StrCat("process ", client_->peer.pid, " is detached: ", why));
  client_.reset();
}

// A line a second: a peer that comes and goes does not fill the log.
void NfServer::Log(LogLimit& limit, const std::string& text) const {
  const Clock::time_point now = Clock::now();
  if (now - limit.logged < std::chrono::seconds(1)) {
    ++limit.left_out;
    return;
  }
  limit.logged = now;
  const uint64_t others = std::exchange(limit.left_out, 0);
  spdlog::info("port {}: {}{}", options_.port, text,
               others == 0 ? "" : absl::StrCat(" (", others, " lines like this were left out)"));
}

}  // namespace bess
