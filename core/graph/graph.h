// SPDX-License-Identifier: Apache-2.0
//
// What is wanted: modules, connections, hooks, and the traffic classes that say which worker runs
// which task when. Plain data; an edit copies the graph (entries are shared until they change),
// changes the copy, and compiles it.
#pragma once

#include <google/protobuf/any.pb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/base/shared_map.h"
#include "core/graph/hook.h"
#include "core/graph/loop_buffer.h"
#include "core/graph/module.h"
#include "core/tc/class_tree.h"

namespace bess {

// In the order they run.
using Hooks = std::vector<std::shared_ptr<GateHook>>;

struct OutGate {
  std::string to;
  uint32_t to_number = 0;  // of that module
  uint32_t igate = 0;
  std::shared_ptr<Edge> edge;
  Hooks hooks;
  std::string default_hook;  // the name of the one nobody asked for, if it has that
};

struct ModuleEntry {
  uint32_t number = 0;  // in its graph, less than Graph::numbers; no other module has it
  std::shared_ptr<Module> module;
  google::protobuf::Any argument;      // as Init got it
  std::map<uint32_t, OutGate> out;     // by output gate
  std::map<uint32_t, Hooks> in_hooks;  // by input gate
};

// Where each attribute lies; an attribute in use keeps its place.
using AttributePlaces = std::map<std::string, int16_t>;

struct Graph {
  SharedMap<ModuleEntry> modules;
  uint32_t numbers = 0;                // that modules have, or had
  std::vector<uint32_t> free_numbers;  // of those
  AttributePlaces attributes;
  ClassTree classes;  // with a leaf for each task of each module

  const ModuleEntry* Find(std::string_view name) const;
  // A private copy of an entry to change; the module must exist.
  ModuleEntry& Edit(std::string_view name);

  // Adds a module of a new name. Its tasks are roots of `worker`, or orphans.
  void Add(std::shared_ptr<Module> module, google::protobuf::Any argument,
           std::optional<uint32_t> worker = {});
  // ENOENT, EINVAL for a gate out of range, EBUSY if the output gate is taken.
  absl::Status Connect(std::string_view from, uint64_t ogate, std::string_view to, uint64_t igate,
                       Hooks hooks);
  // ENOENT for the module, EINVAL for a gate out of range. A gate that is not connected is fine:
  // returns nullptr. Otherwise returns the edge taken out.
  absl::StatusOr<std::shared_ptr<Edge>> Disconnect(std::string_view from, uint64_t ogate);
  // Takes modules and all their connections out, or nothing; ENOENT. Returns the edges taken out
  // with the modules that fed them. It looks at every connection, so for many modules one call is
  // better than many.
  using Edges = std::vector<std::pair<std::shared_ptr<Module>, std::shared_ptr<Edge>>>;
  absl::StatusOr<Edges> Remove(const std::set<std::string>& names);
  // Takes all modules out; the other classes stay.
  void RemoveAll();

 private:
  uint32_t TakeNumber();
  // Takes out the connections that lead from modules that stay to these.
  void Unlink(const std::set<std::string>& names, Edges* edges);
};

// Visits every hook at every gate with its module's name; one at several gates comes several times.
using HookVisit = absl::FunctionRef<void(const std::string& module, GateHook& hook)>;
void ForEachHook(const Graph& graph, HookVisit visit);

}  // namespace bess
