// SPDX-License-Identifier: Apache-2.0
//
// The engine of the daemon: it holds the wanted graph and the running plan, and turns each edit
// into a new plan. An edit is made on a copy; it is published whole, or refused and nothing has
// changed. Workers go on while edits happen.
//
// Threads: all methods from any control thread. Edits wait for each other; reads wait for nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
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
#include "core/graph/plan.h"
#include "core/graph/resume_hook.h"
#include "core/port/port_table.h"
#include "core/sched/worker.h"

namespace bess {

struct EngineOptions {
  int default_core = -1;  // of the worker started when a client adds none; -1: the last allowed
  bool spin = false;      // workers never sleep
  std::string plugins;    // the directory plugins may come from; empty: none
  // Run by each worker thread before its first round and after its last.
  std::function<void()> enter_worker = [] {};
  std::function<void()> leave_worker = [] {};
};

struct WorkerStatus {
  uint32_t id = 0;
  int core = 0;
  bool running = false;
  uint64_t tasks = 0;
  uint64_t classes = 0;    // in its tree, tasks among them
  uint64_t dead_ends = 0;  // packets
  WorkerStats stats;
};

// Which gates of which modules a hook request means.
struct HookTarget {
  std::string module;            // empty: all
  bool output = true;            // else input gates
  std::optional<uint64_t> gate;  // none: all in use
};

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
  absl::Status ResetModules();
  absl::Status Connect(std::string_view from, uint64_t ogate, std::string_view to, uint64_t igate,
                       bool default_hooks);
  absl::Status Disconnect(std::string_view from, uint64_t ogate);
  absl::Status RunCommand(std::string_view module, std::string_view command,
                          const google::protobuf::Any& argument, google::protobuf::Any* reply);

  // --- Gate hooks. Returns the hook's name.
  absl::StatusOr<std::string> AddHook(std::string_view hclass, std::string_view name,
                                      const HookTarget& target,
                                      const google::protobuf::Any& argument);
  absl::Status RemoveHook(std::string_view hclass, std::string_view name, const HookTarget& target);
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
  bool paused() const;

  // Modules, then ports, then classes, then workers.
  absl::Status ResetAll();

  PortTable& ports() { return ports_; }

  // --- Reads
  // What runs now. Never null.
  std::shared_ptr<const Plan> plan() const;
  // The books of modules that are no more.
  LedgerTotals departed() const;

 private:
  using Edit = absl::FunctionRef<absl::Status(Graph&)>;

  // Makes the edit on a copy and publishes it, or returns the reason and changes nothing.
  absl::Status Commit(Edit edit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::StatusOr<std::unique_ptr<Plan>> CompileWithTasks(Graph graph)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void Publish(std::unique_ptr<Plan> plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  static void PlaceHooks(const Plan& plan);
  // Takes off hooks that say they have finished, unless an edit is going on.
  void RemoveFinishedHooks();
  // Publishes a plan in which nobody runs what is about to move from one worker to another, and
  // waits until no worker does. EBUSY, and all is as before, if a worker is stuck.
  absl::Status LetGo(const Plan& before, const Plan& after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status CheckPlace(const TcPlace& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::Status CommitClasses(ClassTree classes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StartDefaultWorker() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  // Logs what the plan warns of and was not logged for the one before. Not while paused: graphs
  // under construction are full of loose ends.
  void LogWarnings(const Plan& plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void UnloadAllPlugins() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void RunResumeHooks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  bool NeedsDefaultWorker(const Graph& graph) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StartWorker(uint32_t id, int core) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void StopWorker(uint32_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  void RetireModule(std::shared_ptr<Module> module);
  void RetireEdge(std::shared_ptr<Module> sender, std::shared_ptr<Edge> edge);
  // Waits, for a bounded time, until what was retired has been freed.
  void WaitForWorkers();
  void Housekeeping();

  std::string GenerateName(const ModuleClass& mclass, const Graph& graph)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);
  absl::StatusOr<Worker*> FindWorker(int64_t id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(edits_);

  const EngineOptions options_;
  PacketPool& pool_;
  PortTable ports_;
  Rcu rcu_;

  mutable absl::Mutex edits_;  // held for a whole edit
  bool paused_ ABSL_GUARDED_BY(edits_) = false;
  bool default_worker_ ABSL_GUARDED_BY(edits_) = false;  // worker 0 was started by nobody's wish
  uint64_t sequence_ ABSL_GUARDED_BY(edits_) = 0;
  uint32_t next_worker_ ABSL_GUARDED_BY(edits_) = 0;  // for the next task without one
  std::map<std::string, uint64_t, std::less<>> name_counters_ ABSL_GUARDED_BY(edits_);
  std::map<std::string, std::shared_ptr<ResumeHook>, std::less<>> resume_hooks_
      ABSL_GUARDED_BY(edits_);
  std::map<std::string, std::shared_ptr<Library>, std::less<>> plugins_ ABSL_GUARDED_BY(edits_);
  std::set<std::string> logged_warnings_ ABSL_GUARDED_BY(edits_);

  mutable absl::Mutex state_;  // held for a moment
  std::shared_ptr<const Plan> plan_ ABSL_GUARDED_BY(state_);
  std::map<uint32_t, std::unique_ptr<Worker>> workers_ ABSL_GUARDED_BY(state_);
  LedgerTotals departed_ ABSL_GUARDED_BY(state_);
  bool stop_ ABSL_GUARDED_BY(state_) = false;

  PlanPointer current_{nullptr};  // of plan_, for the workers
  std::thread housekeeper_;
};

}  // namespace bess
