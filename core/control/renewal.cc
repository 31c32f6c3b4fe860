// SPDX-License-Identifier: Apache-2.0
#include "core/control/renewal.h"

#include "absl/strings/str_cat.h"

namespace bess {
namespace {

bool SameDevice(const native::Port& a, const native::Port& b) {
  return a.driver() == b.driver() && SameArgument(a.arg(), b.arg());
}

bool SamePort(const native::Port& now, const native::Port& wanted) {
  const auto either = [](uint64_t value, uint64_t otherwise) {
    return value == 0 ? otherwise : value;
  };
  return SameDevice(now, wanted) && now.num_inc_q() == either(wanted.num_inc_q(), 1) &&
         now.num_out_q() == either(wanted.num_out_q(), 1) &&
         now.size_inc_q() == either(wanted.size_inc_q(), kDefaultQueueSize) &&
         now.size_out_q() == either(wanted.size_out_q(), kDefaultQueueSize);
}

std::vector<const native::Port*> PortsOf(const Configuration& all) {
  std::vector<const native::Port*> ports;
  for (auto it = all.lower_bound("ports/"); it != all.end() && it->second.has_port(); ++it) {
    ports.push_back(&it->second.port());
  }
  return ports;
}

}  // namespace

const native::Port* FindPort(const Configuration& all, const std::string& name) {
  const auto it = all.find(absl::StrCat("ports/", name));
  return it == all.end() ? nullptr : &it->second.port();
}

PortRequest RequestOf(const native::Port& port) {
  return {.name = port.name(),
          .driver = port.driver(),
          .rx_queues = port.num_inc_q(),
          .tx_queues = port.num_out_q(),
          .rx_size = port.size_inc_q(),
          .tx_size = port.size_out_q(),
          .argument = port.arg()};
}

Renewal FindRenewal(const Configuration& now, const Configuration& wanted) {
  Renewal renewal;
  for (const native::Port* port : PortsOf(now)) {
    const native::Port* same_name = FindPort(wanted, port->name());
    if (same_name != nullptr) {
      if (SamePort(*port, *same_name)) continue;
      renewal.leaving.push_back(port->name());
      renewal.coming.push_back(port->name());
      continue;
    }
    for (const native::Port* other : PortsOf(wanted)) {
      if (!port->has_arg() || !SameDevice(*port, *other) || FindPort(now, other->name())) continue;
      renewal.leaving.push_back(port->name());
      renewal.coming.push_back(other->name());
      break;
    }
  }
  return renewal;
}

}  // namespace bess
