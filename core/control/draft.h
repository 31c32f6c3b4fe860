// SPDX-License-Identifier: Apache-2.0
//
// A transaction under way: what the switch is to be, and what to do once it is, or if it is not to
// be. What exists outside the graph from the moment an edit asks for it (a port, the settings of
// a device) is noted, to be taken back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bess/port.pb.h"
#include "core/control/configuration.h"
#include "core/control/pretended_port.h"
#include "core/graph/graph.h"
#include "core/graph/resume_hook.h"
#include "core/port/port.h"

namespace bess {

struct InstalledResumeHook {
  std::shared_ptr<ResumeHook> hook;
  google::protobuf::Any argument;
};
using ResumeHooks = std::map<std::string, InstalledResumeHook, std::less<>>;
using PortConfs = std::map<std::string, pb::PortConf, std::less<>>;  // as clients asked for them

// What a module that runs already is to be told when the rest is done. A copy of it has been told
// so, and what it came to is swapped in.
struct NewConfig {
  std::shared_ptr<Module> rehearsal;
  google::protobuf::Any before;
  std::vector<native::Command> commands;  // that the copy was told; none: a whole configuration
};

// A port that a commit would make if it were not only tried.
struct Pretence {
  native::Entry entry;
  std::shared_ptr<PretendedPort> port;
};

struct Draft {
  Graph graph;
  std::map<uint32_t, int> workers;  // the core of each
  bool default_worker = false;      // worker 0 is there by nobody's wish
  bool leave_orphans = false;       // tasks without a worker wait for the next one
  ResumeHooks resume_hooks;
  PortConfs port_confs;

  std::map<std::string, Pretence, std::less<>> pretended;  // ports, by name
  bool copying = false;                                    // modules that are made now never run
  uint32_t next_worker = 0;                                // for the next task without one
  std::map<std::string, uint64_t, std::less<>> name_counters;

  // Was done since the last commit, and is to be told with this one.
  std::vector<native::Change> untold;

  // When it is published.
  std::vector<std::shared_ptr<Module>> gone;
  std::vector<std::pair<std::shared_ptr<Module>, std::shared_ptr<Edge>>> cut;
  std::vector<std::string> old_ports;
  std::map<std::string, NewConfig, std::less<>> configs;  // by module
  // By module: what those that run already are told, having nothing to be told in full.
  std::map<std::string, std::vector<native::Command>, std::less<>> tell;
  std::vector<std::string> taking_over;  // modules that receive where one that leaves does

  // When it is not.
  std::vector<uint32_t> started;  // workers
  std::vector<std::string> new_ports;
  std::vector<std::pair<std::string, PortChange>> old_settings;

  // By module created here: what it has been told already.
  std::map<std::string, native::Module, std::less<>> told;
};

}  // namespace bess
