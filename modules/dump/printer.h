// SPDX-License-Identifier: Apache-2.0
//
// Prints packets far from the packet path: a worker leaves a copy in a slot if one is free, a
// thread of low frequency finds it there and writes it out.
#pragma once

#include <string>
#include <string_view>
#include <thread>

#include "absl/synchronization/notification.h"
#include "core/base/slot_ring.h"
#include "core/packet/snapshot.h"

namespace bess {

class DumpPrinter {
 public:
  explicit DumpPrinter(std::string_view name);
  // Prints what is left, unless standard output is stuck.
  ~DumpPrinter();
  DumpPrinter(const DumpPrinter&) = delete;
  DumpPrinter& operator=(const DumpPrinter&) = delete;

  // False when the printer is behind. Copies, and does nothing else. Thread: one at a time.
  bool Offer(Packet& packet);

 private:
  static constexpr uint32_t kSlots = 8;

  void Run();
  void PrintAll();

  const std::string name_;
  SlotRing<PacketSnapshot, kSlots> slots_;
  absl::Notification stop_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bess
