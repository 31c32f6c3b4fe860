// SPDX-License-Identifier: Apache-2.0
//
// The engine of the daemon: it holds the wanted graph and the running plan, and turns each edit
// into a new plan. Edits are made on a draft; it is published whole, or refused and nothing has
// changed. Workers go on while edits happen.
//
//   Transaction transaction(engine);          // a single edit is a transaction of one
//   engine.CreateModule(...);                 // these join the transaction of their thread
//   engine.Connect(...);
//   transaction.Commit("two edits");          // else both are taken back
//
// Threads: all methods from any control thread. Transactions wait for each other; reads wait for
// nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/control/draft.h"
#include "core/control/history.h"
#include "core/control/journal.h"
#include "core/control/renewal.h"
#include "core/graph/plan.h"
#include "core/graph/resume_hook.h"
#include "core/port/port_table.h"
#include "core/sched/watchdog.h"
#include "core/sched/worker.h"

namespace bess {

struct EngineOptions {
  int default_core = -1;  // of the worker started when a client adds none; -1: the last allowed
  bool spin = false;      // workers never sleep
  std::string plugins;    // the directory plugins may come from; empty: none
  // Run by each worker thread before its first round and after its last.
  std::function<void()> enter_worker = [] {};
  std::function<void()> leave_worker = [] {};
  // Asked before each step of a commit, by the step's name; an error makes it fail there. For
  // tests of what is taken back.
  std::function<absl::Status(std::string_view step)> obstacle;
};

struct CommitOptions {
  std::string comment;            // for the history
  uint64_t expected_version = 0;  // see Transaction::Expect
  bool dry_run = false;           // check everything, change nothing
  bool strict = false;            // what is a warning otherwise is an error
};

struct CommitResult {
  uint64_t version = 0;
  std::vector<native::Change> changes;
  std::vector<std::string> warnings;
};

struct BulkOutcome {
  absl::Status status;
  google::protobuf::Any reply;
};

struct WorkerStatus {
  uint32_t id = 0;
  int core = 0;
  int node = -1;  // of NUMA; -1 for a moment after its start
  bool running = false;
  uint64_t tasks = 0;
  uint64_t classes = 0;    // in its tree, tasks among them
  uint64_t dead_ends = 0;  // packets
  WorkerStats stats;
  StallHistory stalls;
};

// A worker on a NUMA node where something that it runs should not be.
struct Misplacement {
  std::string module;
  std::vector<std::string>
      leaves;               // tasks of the module that run there; none if it is only reached
  uint64_t numa_nodes = 0;  // a bit for each node that would do
  uint32_t worker = 0;
  int node = 0;
  int core = 0;
};

// Which gates of which modules a hook request means.
struct HookTarget {
  std::string module;            // empty: all
  bool output = true;            // else input gates
  std::optional<uint64_t> gate;  // none: all in use
  bool idle = false;             // an input gate may be one that nothing leads to
};

class Transaction;

class Engine final : public Host {
 public:
  // `pool` must outlive the engine.
  Engine(EngineOptions options, PacketPool& pool);
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- Host
  PacketPool& pool() override { return pool_; }
  absl::StatusOr<std::unique_ptr<PortLease>> LeasePort(std::string_view port, Direction direction,
                                                       std::string_view module,
                                                       uint64_t queue) override;
  void Retire(std::function<void()> free) override;

  // --- Modules. An empty name asks for a generated one, which is returned.
  absl::StatusOr<std::string> CreateModule(std::string_view name, std::string_view mclass,
                                           const google::protobuf::Any& argument);
  absl::Status DestroyModule(std::string_view name);
  absl::Status DestroyModules(const std::set<std::string>& names);
  absl::Status ResetModules();
  absl::Status Connect(std::string_view from, uint64_t ogate, std::string_view to, uint64_t igate,
                       bool default_hooks);
  absl::Status Disconnect(std::string_view from, uint64_t ogate);
  // What of them is part of the configuration depends on their CommandKind. In a transaction of
  // several edits, a module that runs already carries it out when it is committed: EBUSY if its
  // class has not the means (see NewConfig).
  absl::Status RunCommand(std::string_view module, std::string_view command,
                          const google::protobuf::Any& argument, google::protobuf::Any* reply);
  // Each command for itself, all in one commit. Not in a transaction.
  std::vector<BulkOutcome> RunCommands(native::BulkCommandRequest request, uint64_t* version);

  // --- Ports. As PortTable has them; those that go do so when nobody uses them any more.
  absl::StatusOr<std::string> CreatePort(const PortRequest& request);
  absl::Status DestroyPort(std::string_view name);
  absl::Status ResetPorts();
  absl::Status ConfigurePort(const std::string& name, const pb::PortConf& conf);
  // What `conf` does not say, but an earlier one did, is again as it was when the port was made;
  // without one, all of it.
  absl::Status ReplacePortConf(const std::string& name, const std::optional<pb::PortConf>& conf);

  // --- Gate hooks. Returns the hook's name.
  absl::StatusOr<std::string> AddHook(std::string_view hclass, std::string_view name,
                                      const HookTarget& target,
                                      const google::protobuf::Any& argument);
  absl::Status RemoveHook(std::string_view hclass, std::string_view name, const HookTarget& target);
  // Puts a hook that is at some gate to another one.
  absl::Status ShareHook(const std::shared_ptr<GateHook>& hook, const HookTarget& target);
  absl::Status RunHookCommand(std::string_view hclass, std::string_view name,
                              const HookTarget& target, std::string_view command,
                              const google::protobuf::Any& argument, google::protobuf::Any* reply);

  // --- Resume hooks: EEXIST, ENOENT; EPERM for the two that every edit carries out itself.
  absl::Status AddResumeHook(std::string_view name, const google::protobuf::Any& argument);
  absl::Status RemoveResumeHook(std::string_view name);

  // --- Plugins, by the path of their file. Errors as in plugin_file.h, and EEXIST for one that is
  // loaded already or brings classes that are there, ENOENT for one that is not loaded, EBUSY
  // naming what uses it.
  absl::Status ImportPlugin(const std::string& path);
  absl::Status UnloadPlugin(const std::string& path);
  std::vector<std::string> ListPlugins() const;
  // Loads every *.so of the directory; those that do not load are logged.
  void ImportAllPlugins();

  // --- Workers
  absl::Status AddWorker(int64_t id, int64_t core, std::string_view scheduler);
  absl::Status DestroyWorker(int64_t id);
  absl::Status ResetWorkers();
  absl::Status PauseAll();
  absl::Status ResumeAll();
  absl::Status PauseWorker(int64_t id);
  absl::Status ResumeWorker(int64_t id);
  std::vector<WorkerStatus> ListWorkers() const;
  // It works all the same, but slowly; each edit logs what it adds.
  std::vector<Misplacement> FindMisplacements() const;

  // --- Traffic classes. Errors as ClassTree has them; EINVAL for a worker there is not. A place
  // without a parent and a worker waits for one: its turn comes with the next edit or ResumeAll.
  absl::Status AddClass(std::string_view name, const TcParams& params, const TcPlace& place);
  absl::Status UpdateClass(std::string_view name, const TcParams& params);
  // With all below, at any time, from worker to worker too: nobody runs it for a moment, no packet
  // is lost. EBUSY naming the worker that does not let go of it.
  absl::Status MoveClass(std::string_view name, const TcPlace& place);
  absl::Status RemoveClass(std::string_view name);
  // All but the leaves. EBUSY if one has tasks below it.
  absl::Status ResetClasses();
  bool paused() const { return paused_.load(std::memory_order_relaxed); }

  // Modules, ports, classes and workers.
  absl::Status ResetAll();

  // --- Configurations
  // Brings the switch to the wanted one, changing only what differs. What is wrong with entries
  // goes to `problems`, and the first of them is returned. A port with other settings is made anew
  // (engine_renew.cc).
  absl::StatusOr<CommitResult> Apply(const Configuration& wanted, const CommitOptions& options,
                                     Problems* problems);
  // As of a commit (0: the newest), and its version; NOT_FOUND.
  absl::StatusOr<Configuration> ConfigurationAt(uint64_t* version);
  std::vector<native::Commit> Commits() const;
  // Those after `version`, waiting at most so long for one; OUT_OF_RANGE when the history does not
  // have each of them any more.
  absl::StatusOr<std::vector<native::Commit>> CommitsAfter(uint64_t version, absl::Duration wait);
  uint64_t version() const;
  // Brings back what `history` ends with, as far as that can be (the log tells what cannot), and
  // writes every commit to `journal` from now on.
  absl::Status Restore(History history, std::unique_ptr<Journal> journal);
  // From now on nothing is written: what is taken down is to come back.
  void CloseJournal();

  PortTable& ports() { return ports_; }

  // --- Reads
  // What runs now. Never null.
  std::shared_ptr<const Plan> plan() const;
  // What the transaction of this thread has made of the graph; without one, the graph that runs.
  std::shared_ptr<const Graph> graph() const;
  // The books of modules that are no more.
  LedgerTotals departed() const;

 private:
  friend class Transaction;

  // --- Transactions (engine_commit.cc)
  void Begin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::StatusOr<CommitResult> Commit(const CommitOptions& options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status CheckVersion(uint64_t expected) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Ends the transaction; what was not committed is taken back.
  void End() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  bool InTransaction() const { return owner_.load() == std::this_thread::get_id(); }
  absl::Status Obstacle(std::string_view step) const {
    return options_.obstacle ? options_.obstacle(step) : absl::OkStatus();
  }
  // From the graph that runs to the new plan. What fails has changed nothing.
  absl::Status Switch(std::unique_ptr<Plan> plan, native::Commit commit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Makes it the next one.
  void Stamp(std::string comment, native::Commit* commit) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  native::Commit NextCommit(std::string comment, const std::vector<native::Change>& changes) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status WriteAhead(const native::Commit& commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status TellModules() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  std::map<uint32_t, int> RunningWorkers() const;  // the core of each
  void StartNewWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StopOldWorkers(const std::map<uint32_t, int>& wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void MoveWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Frees what the transaction took out.
  void RetireAll(Draft done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void Record(native::Commit commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::StatusOr<std::unique_ptr<Plan>> CompileWithTasks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void Publish(std::unique_ptr<Plan> plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  static void PlaceHooks(const Plan& plan);
  // Takes off hooks that say they have finished, unless an edit is going on.
  void RemoveFinishedHooks();
  // Publishes a plan in which nobody runs what is about to move from one worker to another, and
  // waits until no worker does. EBUSY, and all is as before, if a worker is stuck.
  absl::Status LetGo(const Plan& before, const Plan& after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  static absl::Status CheckCore(int64_t core);
  absl::Status CheckPlace(const TcPlace& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  std::vector<Misplacement> FindMisplacements(const Plan& plan) const;
  // The worker that does not return, where it is known.
  std::string WhoIsStuck() const;
  absl::Status Pause(Worker& worker);
  // So that none of them sleeps over what has changed.
  void RingWorkers() const;
  void WatchWorkers();

  // --- What is different (engine_changes.cc)
  std::vector<native::Change> Changes(const Graph& before, const Graph& after) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  native::Change ModuleChange(const std::string& name, const ModuleEntry* wanted) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void AddCommandChanges(std::vector<native::Change>* changes) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Whether the port that it is about is made in this transaction.
  bool IsMade(const native::Change& change) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void DescribePorts(Configuration* all) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  // --- Wanted configurations (engine_apply.cc)
  friend class Applier;
  // Edits the draft, which is at `now`.
  void ApplyEdits(const Configuration& now, const Configuration& wanted, Problems* problems)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // As Apply, from `now`.
  absl::StatusOr<CommitResult> ApplyFrom(const Configuration& now, const Configuration& wanted,
                                         const CommitOptions& options, Problems* problems)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  // --- Ports made anew (engine_renew.cc)
  absl::StatusOr<CommitResult> ApplyRenewing(const Renewal& renewal, const Configuration& wanted,
                                             const CommitOptions& options, Problems* problems)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // What a commit would change, devices left alone.
  absl::StatusOr<CommitResult> Try(const Renewal& renewal, const Configuration& wanted,
                                   CommitOptions options, Problems* problems)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Takes the ports out of what runs, with the modules that use them, and tells nobody. Returns
  // what it changed.
  absl::StatusOr<std::vector<native::Change>> GiveBack(const std::vector<std::string>& ports)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::StatusOr<std::unique_ptr<Plan>> CompileWithout(const std::vector<std::string>& ports)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // From `without`, which runs, to what the history ends with; what is lost goes to `problems`.
  void ComeBack(const Configuration& without, Problems* problems)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // What the history ends with, and changes that nobody was told of.
  Configuration PresentAfter(const std::vector<native::Change>& changes) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StartAgain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  // Whether the transaction takes the port away.
  bool Leaves(std::string_view port) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status ChangePort(const std::string& name, const PortChange& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  // --- Commands (engine_commands.cc)
  absl::StatusOr<NewConfig*> Rehearse(const ModuleEntry& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status RunInTransaction(const ModuleEntry& entry, std::string_view command,
                                const google::protobuf::Any& argument, google::protobuf::Any* reply)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void Fold(native::Change* change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status CommitCommands(native::Commit commit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  void Leave(std::shared_ptr<Module> module) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void DestroyWhenFree(std::string port);
  void StartDefaultWorker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Logs what the plan warns of and was not logged for the one before. Not while paused: graphs
  // under construction are full of loose ends.
  void LogWarnings(const Plan& plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Its path and what was loaded from there; ENOENT.
  absl::StatusOr<std::pair<std::string, std::shared_ptr<Library>>> FindPlugin(
      const std::string& path) const;
  void UnloadAllPlugins() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void RunResumeHooks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  bool NeedsDefaultWorker() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StartWorker(uint32_t id, int core) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Everybody else leaves the workers' cores alone.
  void ClearCores() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StopWorker(uint32_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void RetireModule(std::shared_ptr<Module> module);
  void RetireEdge(std::shared_ptr<Module> sender, std::shared_ptr<Edge> edge);
  // Waits, for a bounded time, until what was retired has been freed.
  void WaitForWorkers();
  void Housekeeping();

  // The next name of a stem that is not taken.
  std::string NextName(const std::string& stem, absl::FunctionRef<bool(const std::string&)> taken)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  std::string GenerateName(const ModuleClass& mclass) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::StatusOr<Worker*> FindWorker(int64_t id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  const EngineOptions options_;
  PacketPool& pool_;
  PortTable ports_;
  Rcu rcu_;

  mutable absl::Mutex edits_;           // held for a whole transaction
  std::atomic<std::thread::id> owner_;  // of the transaction
  std::optional<Draft> draft_ ABSL_GUARDED_BY(edits_);
  History history_ ABSL_GUARDED_BY(edits_);
  std::unique_ptr<Journal> journal_ ABSL_GUARDED_BY(edits_);
  PortConfs port_confs_ ABSL_GUARDED_BY(edits_);
  std::map<std::string, size_t> command_bytes_ ABSL_GUARDED_BY(edits_);  // by path, since folded
  std::atomic<bool> paused_{false};                                      // written under edits_
  bool default_worker_ ABSL_GUARDED_BY(edits_) = false;  // worker 0 was started by nobody's wish
  uint64_t sequence_ ABSL_GUARDED_BY(edits_) = 0;
  uint32_t next_worker_ ABSL_GUARDED_BY(edits_) = 0;  // for the next task without one
  std::map<std::string, uint64_t, std::less<>> name_counters_ ABSL_GUARDED_BY(edits_);
  ResumeHooks resume_hooks_ ABSL_GUARDED_BY(edits_);
  std::set<std::string> logged_warnings_ ABSL_GUARDED_BY(edits_);

  mutable absl::Mutex state_;  // held for a moment
  std::shared_ptr<const Plan> plan_ ABSL_GUARDED_BY(state_);
  std::map<uint32_t, std::unique_ptr<Worker>> workers_ ABSL_GUARDED_BY(state_);
  Watchdog watchdog_ ABSL_GUARDED_BY(state_);
  LedgerTotals departed_ ABSL_GUARDED_BY(state_);
  // Changes only within edits.
  std::map<std::string, std::shared_ptr<Library>, std::less<>> plugins_ ABSL_GUARDED_BY(state_);
  bool stop_ ABSL_GUARDED_BY(state_) = false;

  PlanPointer current_{nullptr};  // of plan_, for the workers
  std::thread housekeeper_;
};

// What cannot come back, and all that cannot be without it, is taken out of `wanted` and logged.
void LeaveOut(const Problems& problems, Configuration* wanted);

// Whether modules of the class can say all that they were told at run time, and be told so.
bool HasConfig(const ModuleClass& mclass);
absl::StatusOr<google::protobuf::Any> GetConfig(Module& module);
absl::Status SetConfig(Module& module, const google::protobuf::Any& config);

// Edits that happen together. Made while its thread has one open already, it joins that one, and
// its Commit leaves the work to the other's.
class Transaction {
 public:
  explicit Transaction(Engine& engine);
  // Only if nobody else has one open; else open() is false.
  static Transaction Try(Engine& engine) { return Transaction(engine, std::try_to_lock); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  bool open() const { return open_; }
  bool joined() const { return joined_; }
  // ABORTED if that is not the present version; 0: any. To be asked before the first edit, whose
  // errors would otherwise hide it.
  absl::Status Expect(uint64_t version) const;
  absl::StatusOr<CommitResult> CommitWith(const CommitOptions& options);
  absl::Status Commit(std::string comment) {
    return CommitWith({.comment = std::move(comment)}).status();
  }

 private:
  Transaction(Engine& engine, std::try_to_lock_t);

  Engine& engine_;
  const bool joined_;
  bool open_ = true;
};

}  // namespace bess
