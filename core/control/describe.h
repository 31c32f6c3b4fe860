// SPDX-License-Identifier: Apache-2.0
//
// Parts of what the engine runs, in the words of a configuration.
#pragma once

#include <map>
#include <string>

#include "core/control/configuration.h"
#include "core/control/draft.h"
#include "core/port/port_table.h"

namespace bess {

// The connections and hooks at a module's gates.
void DescribeGates(const std::string& module, const ModuleEntry& entry, Configuration* all);
void DescribeClass(const std::string& name, const TrafficClass& tc, Configuration* all);
void DescribeWorkers(const std::map<uint32_t, int>& workers, bool automatic, Configuration* all);
void DescribeResumeHooks(const ResumeHooks& hooks, Configuration* all);
void DescribeShape(const PortShape& shape, native::Port* port);
void DescribePort(const Port& port, const google::protobuf::Any& argument, const PortConfs& confs,
                  Configuration* all);

}  // namespace bess
