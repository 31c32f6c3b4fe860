// SPDX-License-Identifier: Apache-2.0
//
// DPDK's environment, started once a process. By default it takes what it finds: free hugepages,
// and the PCI devices that somebody bound to a driver for user space; without either it runs as
// an ordinary user. Nothing it makes outlives the process, not even one that is killed: memory is
// anonymous and no file is written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bess {

struct EalOptions {
  enum class Use { kAuto, kNever };

  // For DPDK's own memory, plain pools included; shareable pools never have any. kAuto: if at least
  // kMinFreeHugeMemory is free.
  Use hugepages = Use::kAuto;
  // kAuto: if `allow` names devices, or there are devices this process may drive.
  Use pci = Use::kAuto;
  // The PCI devices to take, such as "0000:03:00.1"; empty takes all that may be driven.
  std::vector<std::string> allow;
  // Memory DPDK may use for itself without hugepages, in MB, 16..65536: queues and plain pools,
  // but not shareable pools. Untouched memory costs nothing.
  uint32_t memory_mb = 1024;
};

inline constexpr uint64_t kMinFreeHugeMemory = uint64_t{128} << 20;

// What there is to take. `root` is where /sys and /dev lie.
struct EalSurvey {
  uint64_t free_huge_bytes = 0;
  std::vector<std::string> devices;  // PCI addresses, sorted
};
EalSurvey SurveyMachine(const std::string& root = "/");

class Eal {
 public:
  // Takes up to a second. The calling thread keeps its CPU affinity. EALREADY when DPDK was
  // started before, even if it was stopped: it starts once a process. Other errors are one
  // sentence with the remedy; what DPDK says goes to the log at level debug.
  static absl::StatusOr<std::unique_ptr<Eal>> Start(const EalOptions& options);

  // Stops DPDK. All pools, ports and registered threads must be gone.
  ~Eal();
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // What was taken.
  bool hugepages() const { return hugepages_; }
  bool pci() const { return pci_; }

 private:
  Eal(bool hugepages, bool pci) : hugepages_(hugepages), pci_(pci) {}

  const bool hugepages_;
  const bool pci_;
};

// Makes the calling thread one that DPDK knows, with caches of its own in every pool; for workers,
// at most 127 at once. ENOSPC beyond. Thread: the one to register, which unregisters itself.
absl::Status RegisterThread();
void UnregisterThread();

// Collects what DPDK complains about on this thread while it exists, for error messages.
class DpdkComplaints {
 public:
  DpdkComplaints();
  ~DpdkComplaints();
  DpdkComplaints(const DpdkComplaints&) = delete;
  DpdkComplaints& operator=(const DpdkComplaints&) = delete;

  // The first complaint, without prefix and newline; empty when there was none.
  const std::string& first() const { return first_; }
  // ": " and the first complaint, or nothing.
  std::string Reason() const;

 private:
  friend void TakeDpdkLine(std::string_view line, uint32_t level);

  std::string first_;
  DpdkComplaints* outer_;
};

}  // namespace bess
