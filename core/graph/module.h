// SPDX-License-Identifier: Apache-2.0
//
// A module class: one folder in modules/, one file in proto/modules/, nothing else. The class
// declares itself once; registry, RPC dispatch, `show mclass` and the reference come from that.
//
//   class Shorten final : public Module {
//    public:
//     static constexpr ModuleInfo kInfo = {.name = "Shorten", .help = "cuts packets to a length"};
//     static Commands<Shorten> commands() { return {{"set", &Shorten::Set}}; }
//
//     absl::Status Init(const pb::ShortenArg& arg);
//     absl::Status Set(const pb::ShortenArg& arg);
//     void Process(Context& context, Batch& batch) {
//       ForEach(context, batch, [&](PacketView packet) { ...; return Verdict::Gate(0); });
//     }
//   };
//   REGISTER_MODULE(Shorten);
//
// What modules are told is remembered, call by call; {"set", &Shorten::Set, CommandKind::kSets}
// says that the last call of "set" is enough. See CommandKind in registry.h.
//
// Long packets are chains of segments. PacketView shows the first, which has the headers; a module
// that needs more uses core/packet/segments.h, or drops what it cannot see with a reason.
//
// Threads: Init, commands and everything virtual but Await run on control threads, one at a time.
// Process, RunTask and Await run on workers, at the same time as commands: what both touch is a
// Versioned, an atomic, or a Counter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/counter.h"
#include "core/base/status.h"
#include "core/graph/attribute.h"
#include "core/graph/brake.h"
#include "core/graph/context.h"
#include "core/graph/host.h"
#include "core/graph/ledger.h"
#include "core/packet/packet_view.h"

namespace bess {

// Gates are numbered from 0; kMaxGates itself means "drop" where a command takes a gate.
inline constexpr uint32_t kMaxGates = 8192;
inline constexpr uint32_t kMaxTasksPerModule = 32;

struct ModuleInfo {
  std::string_view name;                // of the class, as clients spell it
  std::string_view help;                // one line
  std::string_view template_name = {};  // for unnamed instances; snake_case of name if empty
  uint32_t igates = 1;                  // 0..kMaxGates
  uint32_t ogates = 1;                  // 0..kMaxGates
  // Process never asks by which gate a batch came, so that all inputs share batches.
  bool igates_alike = true;
  uint32_t max_workers = kMaxWorkers;
  // What Process takes in comes out of RunTask later, perhaps on another worker.
  bool holds_packets = false;
};

struct TaskResult {
  uint32_t packets = 0;
  uint64_t bits = 0;
  bool blocked = false;  // there was no work: the worker may rest
};

// A module's task, as the scheduler knows it. `argument` is what AddTask was given.
struct TaskInfo {
  uint64_t argument = 0;
};

struct ModuleClass;

class Module {
 public:
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::string& name() const { return name_; }
  const ModuleClass& mclass() const { return *mclass_; }
  const ModuleInfo& info() const;
  const std::vector<TaskInfo>& tasks() const { return tasks_; }
  const std::vector<Attribute>& attributes() const { return attributes_; }

  // One short line for `show pipeline`, such as a port's name. Thread: any.
  virtual std::string Description() const { return ""; }
  // Packets inside right now. Thread: any.
  virtual uint64_t held() const { return 0; }
  // What stops the tasks that feed it while it is nearly full, if anything does. Lives as long as
  // the module is part of a plan that runs.
  virtual Brake* brake() { return nullptr; }
  // The brake of what its tasks take packets from. It never stops them, since they make the room.
  virtual const Brake* source_brake() const { return nullptr; }
  // A bit for each NUMA node whose workers may run it.
  virtual uint64_t numa_nodes() const { return kAllNumaNodes; }
  // A descriptor that can be read while the task with this argument has work; -1 when it can only
  // be asked. Lives until Discard.
  virtual int wake_fd(uint64_t /*argument*/) const { return -1; }
  // Before a task that found no work is left alone until its descriptor can be read: sees to it
  // that it will be. False when there is work already.
  virtual bool Await(uint64_t /*argument*/) { return true; }
  // Told before each plan which workers may run it from now on, in increasing order.
  virtual void Placed(absl::Span<const uint32_t> /*workers*/) {}
  // Gives up what it holds, packets and ports; no worker sees it any more, and nothing but its
  // counters will be asked for. Returns how many packets that were.
  virtual uint64_t Discard() { return 0; }

  Ledger& ledger(uint32_t worker) { return ledgers_.At(worker); }
  LedgerTotals totals() const;
  // Whether that is some worker's part of its books. Thread: any.
  bool Owns(const Ledger* ledger) const;

 protected:
  Module() = default;

  Host& host() const { return *host_; }
  // For Init. Returns the index Context::attribute takes, in the order of the calls.
  absl::StatusOr<uint32_t> AddAttribute(std::string_view name, uint64_t size, AttributeMode mode);
  // For Init. The task is run with this argument.
  absl::Status AddTask(uint64_t argument);

 private:
  friend struct ModuleClass;

  std::string name_;
  const ModuleClass* mclass_ = nullptr;
  Host* host_ = nullptr;
  std::vector<Attribute> attributes_;
  std::vector<TaskInfo> tasks_;
  PerWorker<Ledger> ledgers_;
};

// Checks a gate number a client sent; `what` names the field.
absl::Status CheckGate(std::string_view what, uint64_t gate, uint32_t gates = kMaxGates);

// Calls judge(PacketView) -> Verdict for each packet and delivers. Inlined into Process.
template <typename Judge>
void ForEach(Context& context, Batch& batch, Judge judge) {
  Verdict verdicts[kBatchSize];
  PrefetchHeaders(batch);
  for (uint32_t i = 0; i < batch.size(); ++i) verdicts[i] = judge(PacketView(*batch[i]));
  context.Deliver(batch, verdicts);
}

}  // namespace bess

#include "core/graph/registry.h"  // IWYU pragma: export
