// SPDX-License-Identifier: Apache-2.0
//
// Gate hooks that write a copy of each packet to a named pipe. A worker only copies, into a ring
// of its own; a thread of the hook writes. What does not fit is left out of the capture, never
// delayed or dropped. When the reader goes, so does the hook, unless it is to wait for another.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "bess/hook.pb.h"
#include "core/base/slot_ring.h"
#include "core/graph/hook.h"
#include "core/observe/capture_format.h"
#include "core/observe/fifo.h"
#include "native/capture.pb.h"

namespace bess {

class Capture : public GateHook {
 public:
  ~Capture() override;

  void* Cell(uint32_t worker) override { return &lanes_.At(worker); }
  void Placed(const std::vector<PlacedAttribute>& attributes) override {
    format_->Placed(attributes);
  }
  bool finished() const override { return finished_.load(std::memory_order_acquire); }
  void Process(Context& context, Batch& batch);

  // Thread: any.
  absl::StatusOr<native::CaptureCounters> GetCounters();

 protected:
  struct Options {
    std::string fifo;
    bool defer = false;      // wait for the first reader
    bool reconnect = false;  // wait for another when one leaves
  };

  // For Init.
  absl::Status Start(const Options& options, std::unique_ptr<CaptureFormat> format);

 private:
  // How far writing may fall behind, in packets of one worker.
  static constexpr uint32_t kSlots = 1024;

  // A worker's part.
  struct Lane {
    SlotRing<PacketSnapshot, kSlots> ring;
    Counter passed;
    Counter copied;
  };

  void Run();
  bool AwaitReader();
  void WriteToReader();
  bool WriteWhatWaits();
  bool Write(std::string_view bytes);

  Fifo fifo_;
  std::unique_ptr<CaptureFormat> format_;
  bool reconnect_ = false;
  PerWorker<Lane> lanes_;
  std::atomic<bool> reading_{false};  // somebody is: copying makes sense
  Counter captured_;
  Counter lost_;  // copied, but no longer written
  std::atomic<bool> finished_{false};
  absl::Notification stop_;
  std::thread thread_;
};

class TcpDump final : public Capture {
 public:
  static constexpr HookInfo kInfo = {.name = "TcpDump",
                                     .help = "writes packets to a named pipe, as pcap",
                                     .priority = 1,
                                     .shared = true,
                                     .passing = true};
  static std::vector<std::pair<std::string, absl::StatusOr<native::CaptureCounters> (TcpDump::*)()>>
  commands() {
    return {{"get_counters", &TcpDump::GetCounters}};
  }
  absl::Status Init(const pb::TcpdumpArg& arg);
};

class PcapNg final : public Capture {
 public:
  static constexpr HookInfo kInfo = {
      .name = "PcapNg",
      .help = "writes packets and their attributes to a named pipe, as pcapng",
      .priority = 2,
      .shared = true,
      .passing = true};
  static std::vector<std::pair<std::string, absl::StatusOr<native::CaptureCounters> (PcapNg::*)()>>
  commands() {
    return {{"get_counters", &PcapNg::GetCounters}};
  }
  absl::Status Init(const pb::PcapngArg& arg);
};

}  // namespace bess
