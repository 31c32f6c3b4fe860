// SPDX-License-Identifier: Apache-2.0
//
// Prints packets far from the packet path: a worker leaves a copy in a slot if one is free, a
// thread of low frequency finds it there and writes it out.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "absl/synchronization/notification.h"
#include "core/packet/packet_pool.h"
#include "core/packet/packet_view.h"

namespace bess {

// What is kept of a packet.
struct PacketSnapshot {
  double time = 0;            // seconds since the epoch
  uint32_t total_length = 0;  // of the packet
  uint32_t length = 0;        // of what is kept: the first segment, as far as it fits
  std::array<uint8_t, kDataRoom> bytes;
  std::array<uint8_t, kMetadataSize> metadata;

  void Take(PacketView packet);
  // As text, with the name of the module.
  std::string Format(std::string_view name) const;
};

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
  bool Write(std::string_view text);

  const std::string name_;
  std::array<PacketSnapshot, kSlots> slots_;
  std::atomic<uint32_t> offered_{0};
  std::atomic<uint32_t> printed_{0};
  absl::Notification stop_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bess
