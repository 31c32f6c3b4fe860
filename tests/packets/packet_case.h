// SPDX-License-Identifier: Apache-2.0
//
// One case of a packet test file, as the Python side sends it: a line of JSON.
//
//   {"name": "...", "ports": [{"name": "p", "queues": 1}],
//    "modules": [{"name": "a", "mclass": "ACL", "type": "bess.pb.ACLArg", "argument": "{...}"}],
//    "connections": [{"from": "a", "ogate": 0, "to": "b", "igate": 0}],
//    "steps": [{"do": "in", "module": "a", "gate": 0, "packets": ["00ff..."]}, ...],
//    "sweep": true}
//
// The argument of a module or a command is a string that holds the protobuf JSON of a message of
// that type; packets are hexadecimal.
#pragma once

#include <google/protobuf/any.pb.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bess::packet_tests {

using Packets = std::vector<std::string>;  // each is one packet's bytes

struct PortCase {
  std::string name;
  uint32_t queues = 1;
};

struct ModuleCase {
  std::string name;
  std::string mclass;
  google::protobuf::Any argument;
};

struct ConnectionCase {
  std::string from;
  uint32_t ogate = 0;
  std::string to;
  uint32_t igate = 0;
};

enum class Action { kIn, kInPort, kRun, kCommand, kTick, kOut, kOutPort };

struct Step {
  Action action = Action::kIn;
  std::string name;   // of the module or the port
  uint32_t gate = 0;  // or queue
  Packets packets;
  // Packets that are to come in two segments: index in `packets`, bytes in the first segment.
  std::map<size_t, size_t> in_two;
  uint32_t times = 1;
  std::string command;
  google::protobuf::Any argument;
  double seconds = 0;
};

struct Case {
  std::string name;
  std::vector<PortCase> ports;
  std::vector<ModuleCase> modules;
  std::vector<ConnectionCase> connections;
  std::vector<Step> steps;
  bool sweep = false;
};

// What is wrong with the line is an error of the one who sent it, not of the case.
absl::StatusOr<Case> ParseCase(const std::string& line);

}  // namespace bess::packet_tests
