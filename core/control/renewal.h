// SPDX-License-Identifier: Apache-2.0
//
// Which ports have to go before what is wanted can come: a device is held by one port at a time.
#pragma once

#include <string>
#include <vector>

#include "core/control/configuration.h"
#include "core/port/port_table.h"

namespace bess {

struct Renewal {
  std::vector<std::string> leaving;  // ports that are there
  std::vector<std::string> coming;   // ports that are wanted, with the devices of those
  bool empty() const { return leaving.empty(); }
};

// Ports that are wanted with other settings, and those that are not wanted while a port of another
// name is, with their driver and argument. `now` is as ports are described, with all numbers.
Renewal FindRenewal(const Configuration& now, const Configuration& wanted);

// The port of this name; nullptr.
const native::Port* FindPort(const Configuration& all, const std::string& name);

PortRequest RequestOf(const native::Port& port);

}  // namespace bess
