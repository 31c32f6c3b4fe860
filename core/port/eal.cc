// SPDX-License-Identifier: Apache-2.0
#include "core/port/eal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <rte_config.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_pci.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"

namespace bess {

namespace fs = std::filesystem;

// --- what there is ------------------------------------------------------------------------------

namespace {

std::string ReadWord(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::string LinkTarget(const fs::path& path) {
  std::error_code error;
  return fs::read_symlink(path, error).filename().string();
}

uint64_t FreeHugeBytes(const fs::path& root) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& size : fs::directory_iterator(root / "sys/kernel/mm/hugepages", error)) {
    uint64_t kilobytes = 0;
    const std::string name = size.path().filename().string();
    if (std::sscanf(name.c_str(), "hugepages-%lukB", &kilobytes) != 1) continue;
    bytes += (kilobytes << 10) *
             std::strtoull(ReadWord(size.path() / "free_hugepages").c_str(), nullptr, 10);
  }
  return bytes;
}

// Whether the kernel lets this process drive the device at `device`, below /sys, from user space.
bool MayDrive(const fs::path& root, const fs::path& device) {
  constexpr std::string_view kNetworkClass = "0x02";
  if (ReadWord(device / "class").substr(0, kNetworkClass.size()) != kNetworkClass) return false;
  const std::string driver = LinkTarget(device / "driver");
  if (driver == "vfio-pci") {
    const fs::path group = root / "dev/vfio" / LinkTarget(device / "iommu_group");
    return access(group.c_str(), R_OK | W_OK) == 0;
  }
  return geteuid() == 0 && (driver == "igb_uio" || driver == "uio_pci_generic" ||
                            driver == "mlx4_core" || driver == "mlx5_core");
}

}  // namespace

EalSurvey SurveyMachine(const std::string& root) {
  EalSurvey survey{.free_huge_bytes = FreeHugeBytes(root)};
  std::error_code error;
  for (const auto& device : fs::directory_iterator(fs::path(root) / "sys/bus/pci/devices", error)) {
    if (MayDrive(root, device.path())) survey.devices.push_back(device.path().filename().string());
  }
  std::sort(survey.devices.begin(), survey.devices.end());
  return survey;
}

// --- DPDK's log ---------------------------------------------------------------------------------

void TakeDpdkLine(std::string_view line, uint32_t level);

namespace {

thread_local DpdkComplaints* innermost = nullptr;

ssize_t WriteLog(void* /*cookie*/, const char* text, size_t size) {
  const absl::string_view line = absl::StripSuffix(absl::string_view(text, size), "\n");
  TakeDpdkLine({line.data(), line.size()}, static_cast<uint32_t>(rte_log_cur_msg_loglevel()));
  return static_cast<ssize_t>(size);
}

FILE* OpenLog() {
  FILE* stream = fopencookie(nullptr, "w", {.write = WriteLog});
  if (stream != nullptr) rte_openlog_stream(stream);
  return stream;
}

// libbpf and libxdp, which net_af_xdp stands on, write to the standard error unless told not to.
int TakeLibraryLine(int /*level*/, const char* format, va_list arguments) {
  char line[512];
  const int length = std::vsnprintf(line, sizeof(line), format, arguments);
  spdlog::debug("xdp: {}", std::string_view(line, strcspn(line, "\n")));
  return length;
}

void TakeLibraryLogs() {
  constexpr std::pair<const char*, const char*> kLibraries[] = {
      {"libbpf.so.1", "libbpf_set_print"}, {"libxdp.so.1", "libxdp_set_print"}};
  using Print = int (*)(int, const char*, va_list);
  for (const auto& [library, function] : kLibraries) {
    void* loaded = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    if (loaded == nullptr) continue;
    if (void* set = dlsym(loaded, function)) {
      reinterpret_cast<Print (*)(Print)>(set)(TakeLibraryLine);
    }
    dlclose(loaded);
  }
}

}  // namespace

void TakeDpdkLine(std::string_view line, uint32_t level) {
  spdlog::debug("dpdk: {}", line);
  if (innermost == nullptr || level > RTE_LOG_WARNING || !innermost->first_.empty()) return;
  // "EAL: Cannot ..." and "rte_pmd_tun_create(): Cannot ..." carry names of no use to people.
  for (size_t colon = line.find(": "); colon != line.npos && colon < line.find(' ');
       colon = line.find(": ")) {
    line.remove_prefix(colon + 2);
  }
  innermost->first_ = std::string(line);
}

DpdkComplaints::DpdkComplaints() : outer_(innermost) { innermost = this; }
DpdkComplaints::~DpdkComplaints() { innermost = outer_; }

std::string DpdkComplaints::Reason() const {
  return first_.empty() ? "" : absl::StrCat(": ", first_);
}

// --- start and stop -----------------------------------------------------------------------------

namespace {

// The last id there is, so that it collides with none of those that registered threads get.
constexpr int kMainLcore = RTE_MAX_LCORE - 1;

class AffinityKeeper {
 public:
  AffinityKeeper() { pthread_getaffinity_np(pthread_self(), sizeof(cpus_), &cpus_); }
  ~AffinityKeeper() { pthread_setaffinity_np(pthread_self(), sizeof(cpus_), &cpus_); }

  std::string List() const {
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &cpus_)) cpus.push_back(cpu);
    }
    return absl::StrJoin(cpus, ",");
  }

 private:
  cpu_set_t cpus_;
};

struct Choice {
  bool hugepages = false;
  std::vector<std::string> devices;  // none: no PCI
};

Choice Choose(const EalOptions& options) {
  const EalSurvey survey = SurveyMachine();
  Choice choice;
  choice.hugepages =
      options.hugepages == EalOptions::Use::kAuto && survey.free_huge_bytes >= kMinFreeHugeMemory;
  if (options.pci == EalOptions::Use::kAuto) {
    choice.devices = options.allow.empty() ? survey.devices : options.allow;
  }
  return choice;
}

std::vector<std::string> Arguments(const EalOptions& options, const Choice& choice,
                                   const std::string& cpus) {
  std::vector<std::string> args = {"bessd", "--no-telemetry",
                                   absl::StrCat("--file-prefix=bessd-", getpid()),
                                   absl::StrCat("--lcores=", kMainLcore, "@(", cpus, ")"),
                                   absl::StrCat("--main-lcore=", kMainLcore)};
  // Both ways memory is anonymous and nothing is shared with other processes. Without hugepages
  // --in-memory, which would say so, is refused.
  if (choice.hugepages) {
    args.push_back("--in-memory");
  } else {
    args.insert(args.end(), {"--no-huge", "--no-shconf", "-m", absl::StrCat(options.memory_mb)});
  }
  // Devices bound to uio see physical addresses only: DPDK finds out. Everything else takes
  // virtual ones, which need no privilege.
  if (choice.devices.empty()) args.insert(args.end(), {"--no-pci", "--iova-mode=va"});
  for (const std::string& device : choice.devices) args.insert(args.end(), {"-a", device});
  return args;
}

std::string Remedy(int code, const Choice& choice) {
  if (!choice.devices.empty()) return "try without PCI devices, or allow other ones";
  if (choice.hugepages) return "try without hugepages";
  if (code == ENOMEM) return "try with less memory, or raise the limit (ulimit -v)";
  return "the log at level debug has what DPDK says";
}

absl::Status RunInit(std::vector<std::string> args, const Choice& choice) {
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  spdlog::debug("starting DPDK: {}", absl::StrJoin(args, " "));
  DpdkComplaints complaints;
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0) return absl::OkStatus();
  const int code = rte_errno;
  return Error(code, "DPDK did not start: ",
               complaints.first().empty() ? std::string(rte_strerror(code)) : complaints.first(),
               "; ", Remedy(code, choice));
}

// DPDK would print its manual to the standard output.
absl::Status CheckAddresses(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    rte_pci_addr parsed{};
    if (rte_pci_addr_parse(address.c_str(), &parsed) == 0) continue;
    return Error(EINVAL, "a PCI address is like 0000:03:00.1 or 03:00.1, not '", address, "'");
  }
  return absl::OkStatus();
}

FILE* log_stream = nullptr;

}  // namespace

absl::StatusOr<std::unique_ptr<Eal>> Eal::Start(const EalOptions& options) {
  if (options.memory_mb < 16 || options.memory_mb > 65536) {
    return Error(EINVAL, "DPDK's memory must be 16..65536 MB, not ", options.memory_mb);
  }
  BESS_RETURN_IF_ERROR(CheckAddresses(options.allow));
  static std::atomic<bool> started = false;
  if (started.exchange(true)) return Error(EALREADY, "DPDK starts only once a process");
  if (log_stream == nullptr) log_stream = OpenLog();
  const Choice choice = Choose(options);
  {
    const AffinityKeeper affinity;
    BESS_RETURN_IF_ERROR(RunInit(Arguments(options, choice, affinity.List()), choice));
  }
  TakeLibraryLogs();
  // DPDK makes this folder even if it puts nothing there.
  rmdir(rte_eal_get_runtime_dir());
  if (!rte_mp_disable()) return Error(EBUSY, "DPDK shares its memory with another process");
  spdlog::info("DPDK started: {}hugepages, PCI devices: {}", choice.hugepages ? "" : "no ",
               choice.devices.empty() ? "none" : absl::StrJoin(choice.devices, ", "));
  return std::unique_ptr<Eal>(new Eal(choice.hugepages, !choice.devices.empty()));
}

Eal::~Eal() {
  rte_eal_cleanup();
  rte_openlog_stream(nullptr);
  fclose(log_stream);
  log_stream = nullptr;
}

absl::Status RegisterThread() {
  if (rte_thread_register() == 0) return absl::OkStatus();
  return Error(rte_errno == ENOMEM ? ENOSPC : rte_errno, "DPDK knows at most ", kMainLcore,
               " threads");
}

void UnregisterThread() { rte_thread_unregister(); }

}  // namespace bess
