// SPDX-License-Identifier: Apache-2.0
//
// The daemon: flags and wiring, nothing else.
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "core/control/engine.h"
#include "core/control/listener.h"
#include "core/control/service.h"
#include "core/control/version.h"
#include "core/port/eal.h"
#include "core/port/file_descriptor.h"
#include "core/sched/cores.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

constexpr char kBesideDaemon[] = "<directory of bessd>/modules";

ABSL_FLAG(std::string, socket, "", "control socket; by default the one bessctl looks for");
ABSL_FLAG(int, p, 0, "also serve the control API on this TCP port; BESS clients expect 10514");
ABSL_FLAG(std::string, b, "127.0.0.1", "address of the TCP port; loopback only");
ABSL_FLAG(int, c, -1, "core of the worker started by default; -1: the last one allowed");
ABSL_FLAG(uint32_t, buffers, 65535, "packets in the pool; 2^n - 1 uses memory best");
ABSL_FLAG(uint32_t, buffer_size, bess::kDefaultDataRoom,
          "bytes a packet buffer holds; 9728 hold jumbo frames; longer ones take several");
ABSL_FLAG(std::string, idle, "adaptive",
          "what an idle worker does: 'adaptive' sleeps, 'spin' never");
ABSL_FLAG(std::string, huge, "auto", "hugepages: 'auto' uses what is free, 'never'");
ABSL_FLAG(std::string, pci, "auto", "PCI devices: 'auto' uses what may be driven, 'never'");
ABSL_FLAG(std::vector<std::string>, allow, {}, "PCI devices to use; by default all there are");
ABSL_FLAG(std::string, plugins, kBesideDaemon,
          "directory of plugins: the only one they may come from, all of it loaded at start; empty "
          "for no plugins");
ABSL_FLAG(std::string, journal, "",
          "directory that keeps the configuration over a crash or a restart; <socket>.journal if "
          "empty");
ABSL_FLAG(bool, no_journal, false, "keep nothing: start empty, write nothing");
ABSL_FLAG(bool, d, false, "log at level debug");

namespace bess {
namespace {

// A state that GetState returned has to be accepted when it is to be applied.
constexpr int kMaxMessage = 256 << 20;
constexpr int kMaxMetadata = 8 << 10;

absl::StatusOr<bool> OneOf(const char* flag, const std::string& value, const char* yes,
                           const char* no) {
  if (value == yes) return true;
  if (value == no) return false;
  return Error(EINVAL, "--", flag, " must be '", yes, "' or '", no, "', not '", value, "'");
}

absl::StatusOr<EalOptions> EalFlags() {
  EalOptions options;
  BESS_ASSIGN_OR_RETURN(const bool huge, OneOf("huge", absl::GetFlag(FLAGS_huge), "auto", "never"));
  BESS_ASSIGN_OR_RETURN(const bool pci, OneOf("pci", absl::GetFlag(FLAGS_pci), "auto", "never"));
  options.hugepages = huge ? EalOptions::Use::kAuto : EalOptions::Use::kNever;
  options.pci = pci ? EalOptions::Use::kAuto : EalOptions::Use::kNever;
  options.allow = absl::GetFlag(FLAGS_allow);
  return options;
}

// By default the plugins lie beside the daemon, if there are any.
absl::StatusOr<std::string> PluginsFlag() {
  const std::string flag = absl::GetFlag(FLAGS_plugins);
  std::error_code unknown;
  if (flag != kBesideDaemon) {
    if (flag.empty() || std::filesystem::is_directory(flag, unknown)) return flag;
    return Error(ENOTDIR, "--plugins must be a directory, or empty; '", flag, "' is none");
  }
  return std::filesystem::read_symlink("/proc/self/exe", unknown).replace_filename("modules");
}

absl::StatusOr<EngineOptions> EngineFlags() {
  EngineOptions options;
  BESS_ASSIGN_OR_RETURN(options.spin, OneOf("idle", absl::GetFlag(FLAGS_idle), "spin", "adaptive"));
  options.default_core = absl::GetFlag(FLAGS_c);
  BESS_ASSIGN_OR_RETURN(options.plugins, PluginsFlag());
  const std::vector<int> cores = AllowedCores();
  if (options.default_core != -1 &&
      std::find(cores.begin(), cores.end(), options.default_core) == cores.end()) {
    return Error(EINVAL, "-c must be one of the CPUs this process may use (",
                 absl::StrJoin(cores, ", "), "), or -1, not ", options.default_core);
  }
  options.enter_worker = [] {
    const absl::Status registered = RegisterThread();
    if (!registered.ok()) spdlog::error("{}", std::string(registered.message()));
  };
  options.leave_worker = [] { UnregisterThread(); };
  return options;
}

// Signals end the daemon through a descriptor, so that everything is given back in order. Must be
// called before any thread starts: they inherit the mask.
class StopEvent {
 public:
  static absl::StatusOr<StopEvent> Make() {
    StopEvent stop;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    stop.signals_ = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC));
    stop.killed_ = FileDescriptor(eventfd(0, EFD_CLOEXEC));
    if (stop.signals_ && stop.killed_) return stop;
    return Error(errno, "cannot wait for signals: ", std::strerror(errno));
  }
  // Thread: any.
  void Set() { eventfd_write(killed_.get(), 1); }
  // Returns whether Set was called, rather than a signal sent.
  bool Wait() {
    pollfd waits[] = {{signals_.get(), POLLIN, 0}, {killed_.get(), POLLIN, 0}};
    while (poll(waits, 2, -1) < 0 && errno == EINTR) {
    }
    return (waits[1].revents & POLLIN) != 0;
  }

 private:
  StopEvent() = default;

  FileDescriptor signals_;
  FileDescriptor killed_;
};

absl::StatusOr<std::unique_ptr<grpc::Server>> StartServer(
    const std::vector<std::unique_ptr<grpc::Service>>& services, const std::string& tcp) {
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadata);
  // Without it a second daemon could silently share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  for (const auto& service : services) builder.RegisterService(service.get());
  int port = 0;
  if (!tcp.empty()) {
    builder.AddListeningPort(tcp, grpc::InsecureServerCredentials(), &port);
  }
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || (!tcp.empty() && port == 0)) {
    return Error(EADDRINUSE, "cannot serve on ", tcp, ": another process uses that port");
  }
  return server;
}

// Where the journal lies; empty for none.
absl::StatusOr<std::string> JournalFlags(const std::string& socket) {
  const std::string flag = absl::GetFlag(FLAGS_journal);
  if (!absl::GetFlag(FLAGS_no_journal)) return flag.empty() ? socket + ".journal" : flag;
  if (flag.empty()) return flag;
  return Error(EINVAL, "--journal=", flag, " and --no-journal exclude each other");
}

absl::Status Restore(const std::string& directory, Engine& engine) {
  if (directory.empty()) return absl::OkStatus();
  History history;
  auto journal = Journal::Open(directory, &history);
  if (!journal.ok()) {
    return Error(StatusErrno(journal.status()), journal.status().message(),
                 "; --no-journal runs without");
  }
  if (!history.current().empty()) {
    spdlog::info("the configuration comes back as of version {}, from {}", history.version(),
                 directory);
  }
  return engine.Restore(std::move(history), *std::move(journal));
}

absl::Status Serve(StopEvent& stop) {
  const std::string flag = absl::GetFlag(FLAGS_socket);
  const std::string path = flag.empty() ? DefaultSocketPath() : flag;
  std::string tcp;
  if (const int port = absl::GetFlag(FLAGS_p); port != 0) {
    BESS_ASSIGN_OR_RETURN(tcp, LoopbackAddress(absl::GetFlag(FLAGS_b), port));
  }
  BESS_ASSIGN_OR_RETURN(const EalOptions eal_options, EalFlags());
  BESS_ASSIGN_OR_RETURN(EngineOptions engine_options, EngineFlags());
  BESS_ASSIGN_OR_RETURN(const std::string journal, JournalFlags(path));
  BESS_ASSIGN_OR_RETURN(const auto lock, SocketLock::Take(path));
  BESS_ASSIGN_OR_RETURN(const auto eal, Eal::Start(eal_options));
  BESS_ASSIGN_OR_RETURN(const auto pool, PacketPool::Create("packets", PacketPool::Kind::kShareable,
                                                            absl::GetFlag(FLAGS_buffers),
                                                            absl::GetFlag(FLAGS_buffer_size)));
  Engine engine(std::move(engine_options), *pool);
  engine.ImportAllPlugins();
  BESS_RETURN_IF_ERROR(Restore(journal, engine));
  const auto services = MakeServices(engine, [&] { stop.Set(); });
  BESS_ASSIGN_OR_RETURN(const auto server, StartServer(services, tcp));
  BESS_ASSIGN_OR_RETURN(auto listener, ControlSocket::Start(path, *server));
  std::printf("ready unix:%s%s%s\n", path.c_str(), tcp.empty() ? "" : " ", tcp.c_str());
  std::fflush(stdout);
  const bool asked = stop.Wait();
  listener.reset();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  // A client that ends the daemon ends its configuration, as in BESS; a signal means to come back.
  if (!asked) engine.CloseJournal();
  return engine.ResetAll();
}

// "--no-journal" is "--no_journal".
void DashesToUnderscores(int argc, char** argv) {
  for (char** word = argv + 1; word < argv + argc; ++word) {
    if (std::string_view(*word).substr(0, 2) != "--") continue;
    for (char* c = *word + 2; *c != '\0' && *c != '='; ++c) {
      if (*c == '-') *c = '_';
    }
  }
}

}  // namespace
}  // namespace bess

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("bessd, a software switch. Without flags it serves " +
                               bess::DefaultSocketPath());
  absl::FlagsUsageConfig usage;
  usage.version_string = [] { return std::string("bessd ") + bess::kVersion + "\n"; };
  // Not those of the libraries.
  usage.contains_help_flags = [](absl::string_view file) {
    return absl::EndsWith(file, "core/main.cc");
  };
  absl::SetFlagsUsageConfig(usage);
  bess::DashesToUnderscores(argc, argv);
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  if (words.size() > 1) {
    std::fprintf(stderr, "bessd: there is no argument '%s'; --help lists the flags\n", words[1]);
    return 1;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("bessd"));
  if (absl::GetFlag(FLAGS_d)) spdlog::set_level(spdlog::level::debug);
  auto stop = bess::StopEvent::Make();
  const absl::Status status = stop.ok() ? bess::Serve(*stop) : stop.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bessd: %s\n", std::string(status.message()).c_str());
  return 1;
}
