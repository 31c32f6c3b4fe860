// SPDX-License-Identifier: Apache-2.0
//
// The side of an NFPort that waits: a thread that lets network functions in, notices that they go,
// and keeps workers out while the shared memory comes and goes. One NF is attached at a time.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "core/graph/brake.h"
#include "core/port/doorway.h"
#include "core/port/file_descriptor.h"
#include "core/port/nf_session.h"
#include "core/port/unix_listener.h"

namespace bess {

struct NfServerOptions {
  std::string port;  // its name, for the log
  std::string path;
  std::optional<mode_t> mode;  // of the path, as UnixListener::Open
  std::set<uid_t> uids;
  std::chrono::milliseconds stall{0};  // 0: no NF is ever detached for being slow
  // How long what an NF sent before its goodbye may wait for a worker.
  std::chrono::milliseconds grace{100};
  const Brake* brake = nullptr;  // if there is one, it is on while packets wait for room
  NfSessionOptions session;
};

// What became of those that wanted in. Every attachment ends in one of four ways.
struct NfEvents {
  std::atomic<uint64_t> refused{0};   // never attached
  std::atomic<uint64_t> attached{0};  //
  std::atomic<uint64_t> detached{0};  // in good order, or by the port's end
  std::atomic<uint64_t> died{0};      // gone without a word
  std::atomic<uint64_t> violated{0};  // detached for breaking a rule
  std::atomic<uint64_t> stalled{0};   // detached for leaving full rings alone
  // Of those that violated, by what they did.
  std::array<std::atomic<uint64_t>, kNfViolations> violations{};
};

// The names of these, as clients know them.
inline constexpr std::pair<std::string_view, std::atomic<uint64_t> NfEvents::*> kNfEventNames[] = {
    {"attached", &NfEvents::attached}, {"detached", &NfEvents::detached},
    {"died", &NfEvents::died},         {"violated", &NfEvents::violated},
    {"stalled", &NfEvents::stalled},   {"refused", &NfEvents::refused}};

// Who is attached.
struct NfProcess {
  std::string name;  // as it calls itself; printable
  pid_t pid = 0;
  uid_t uid = 0;
  double since = 0;      // seconds since the Unix epoch
  uint32_t buffers = 0;  // that it has now
};

class NfServer {
 public:
  // Errors as UnixListener::Open. `domain` must outlive the server.
  static absl::StatusOr<std::unique_ptr<NfServer>> Start(NfServerOptions options, NfDomain& domain);
  // Detaches the NF; no worker may use the port any more.
  ~NfServer();
  NfServer(const NfServer&) = delete;
  NfServer& operator=(const NfServer&) = delete;

  // As Port::Give and Take; without an NF, nothing is taken and nothing comes.
  Passed Send(uint32_t queue, Packet** packets, uint32_t n);
  Passed Receive(uint32_t queue, Packet** packets, uint32_t max);
  // How much of the ring to the NF is taken, as NfSession::Waiting; 0 without an NF. Thread: as
  // Send.
  uint32_t Waiting(uint32_t queue);
  // As Port::wake_fd and Await.
  int wake_fd(uint32_t queue) const { return wakers_[queue].get(); }
  bool Await(uint32_t queue);

  // Thread: any.
  bool attached() const { return door_.is_open(); }
  std::optional<NfProcess> process() const;
  const NfEvents& events() const { return events_; }
  const NfSessionCounters& traffic() const { return traffic_; }
  // Packets that an attached NF had no room for.
  uint64_t overloaded() const { return overloaded_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    FileDescriptor socket;
    FileDescriptor process;  // readable when it is dead; not on every kernel
    ucred peer{};
    Clock::time_point since{};
  };

  NfServer(NfServerOptions options, NfDomain& domain, UnixListener listener, FileDescriptor alarm,
           std::vector<FileDescriptor> wakers);

  // One for each kind of line in the log, so that none keeps the others out.
  struct LogLimit {
    Clock::time_point logged{};
    uint64_t left_out = 0;
  };

  void Serve();
  void ServeOnce();
  int Timeout() const;
  void Accept();
  void Refuse(const Client& client, const absl::Status& reason, const std::string& text);
  void HearNewcomers(absl::Span<const pollfd> polled);
  void Welcome(Client& newcomer);
  absl::StatusOr<std::unique_ptr<NfSession>> MakeSession(const BessNfRequest& request);
  absl::Status Admit(Client& newcomer, const BessNfRequest& request);
  void AttendClient(bool speaks, bool died);
  void HearClient();
  bool leaving() const { return leaving_.load(std::memory_order_relaxed); }
  void FinishLeaving();
  std::chrono::milliseconds LookInterval() const {
    return (options_.stall + std::chrono::milliseconds(1)) / 2;
  }
  void CheckProgress();
  void Expel(NfViolation violation);
  void Detach(std::atomic<uint64_t>& how, const std::string& why);
  void Log(LogLimit& limit, const std::string& text) const;
  // Of the doorway; a receive queue's lane has its number.
  uint32_t SendLane(uint32_t queue) const { return options_.session.from_nf_queues + queue; }

  const NfServerOptions options_;
  NfDomain& domain_;
  UnixListener listener_;
  FileDescriptor alarm_;                // somebody broke a rule, or the server is to end
  std::vector<FileDescriptor> wakers_;  // by queue from the NF: an epoll of the session's bell
  std::atomic<bool> stop_{false};

  Doorway door_;  // a lane for each queue: those from the NF, then those to it
  std::unique_ptr<NfSession> session_;
  mutable absl::Mutex process_mutex_;
  std::optional<NfProcess> process_ ABSL_GUARDED_BY(process_mutex_);  // while set, session_ stays
  std::vector<Client> newcomers_;  // connected, and have not said yet what they want
  std::optional<Client> client_;   // attached
  // It has said goodbye: it gets nothing more, and what it sent before is received until then.
  std::atomic<bool> leaving_{false};
  Clock::time_point leave_by_{};
  uint32_t seen_progress_ = 0;  // what the NF had taken at the last look
  uint64_t seen_overloaded_ = 0;
  bool seen_stuck_ = false;  // full rings, and nothing was taken, at the last look
  Clock::time_point looked_{};
  LogLimit refusals_;
  LogLimit attachments_;
  LogLimit detachments_;

  NfEvents events_;
  NfSessionCounters traffic_;
  std::atomic<uint64_t> overloaded_{0};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bess
