// SPDX-License-Identifier: Apache-2.0
//
// Runs a case and says what happened; whether that is right is for the Python side to judge. What
// is judged here is what holds for every case: the books balance after each step, no packet is
// leaked, and no packet cut at any length changes that.
#pragma once

#include <functional>
#include <string>

#include "tests/packets/packet_case.h"

namespace bess::packet_tests {

// Told what is about to happen, so that a crash can be placed.
using Announce = std::function<void(const std::string&)>;

// The answer, a line of JSON:
//
//   {"graph": "error of the graph"}, or
//   {"steps": [{"packets": ["00ff..."], "errno": 22, "error": "...", "books": "..."}, ...],
//    "drops": [{"module": "a", "reason": "denied", "count": 1}],
//    "untaken": [{"kind": "module", "name": "a", "gate": 0, "packets": [...]}],
//    "end": "...", "sweep": "..."}
//
// where what went well is left out.
std::string RunCase(const Case& wanted, const Announce& announce);

// Every module class with its argument and commands, for the loader of graphs:
//   {"ACL": {"type": "bess.pb.ACLArg", "commands": {"add": "bess.pb.ACLArg"}}, ...}
std::string DescribeClasses();

}  // namespace bess::packet_tests
