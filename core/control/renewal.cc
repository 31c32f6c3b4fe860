// SPDX-License-Identifier: Apache-2.0
#include "core/control/renewal.h"

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

// The port that is wanted with the device of one that is not, and was not there; nullptr.
const native::Port* FindHeir(const native::Port& port, const Configuration& now,
                             const Configuration& wanted) {
  const native::Port* heir = nullptr;
  ForEachOf(wanted, "ports/", [&](const std::string&, const native::Entry& entry) {
    const native::Port& other = entry.port();
    const bool fits = SameDevice(port, other) && FindPort(now, other.name()) == nullptr;
    if (heir == nullptr && fits) heir = &other;
  });
  return port.has_arg() ? heir : nullptr;
}

}  // namespace

const native::Port* FindPort(const Configuration& all, const std::string& name) {
  const auto it = all.find(PortPath(name));
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
  ForEachOf(now, "ports/", [&](const std::string&, const native::Entry& entry) {
    const native::Port& port = entry.port();
    const native::Port* other = FindPort(wanted, port.name());
    if (other != nullptr && SamePort(port, *other)) return;
    if (other == nullptr) other = FindHeir(port, now, wanted);
    if (other == nullptr) return;
    renewal.leaving.push_back(port.name());
    renewal.coming.push_back(other->name());
  });
  return renewal;
}

}  // namespace bess
