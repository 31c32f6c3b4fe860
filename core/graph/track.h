// SPDX-License-Identifier: Apache-2.0
//
// Track counts what crosses a gate. It is put on every connection unless the client says
// otherwise, and feeds `show pipeline`.
#pragma once

#include <utility>
#include <vector>

#include "bess/hook.pb.h"
#include "core/graph/hook.h"

namespace bess {

class Track final : public GateHook {
 public:
  static constexpr HookInfo kInfo = {
      .name = "Track", .help = "counts packets, batches and optionally bytes", .priority = 0};
  static std::vector<std::pair<std::string, absl::Status (Track::*)()>> commands() {
    return {{"reset", &Track::Reset}};
  }

  struct Counts {
    uint64_t batches = 0;
    uint64_t packets = 0;
    uint64_t bytes = 0;  // with bits: frames plus 24 bytes each of preamble, checksum and gap
  };

  absl::Status Init(const pb::TrackArg& arg);
  // Counting starts again at zero.
  absl::Status Reset();

  void* Cell(uint32_t worker) override { return &cells_.At(worker); }
  CrossingCounts* CountsOnly(uint32_t worker) override {
    return bits_ ? nullptr : &cells_.At(worker).crossed;
  }
  // With bits; without, workers count themselves.
  void Process(Context& context, Batch& batch);

  // Thread: any.
  Counts counts() const;
  bool counts_bytes() const { return bits_; }

 private:
  struct CellCounters {
    CrossingCounts crossed;
    Counter bytes;
  };

  Counts Sum() const;

  bool bits_ = false;
  PerWorker<CellCounters> cells_;
  // What Sum() was at the last reset. The workers' counters themselves only ever grow.
  std::atomic<uint64_t> base_batches_{0};
  std::atomic<uint64_t> base_packets_{0};
  std::atomic<uint64_t> base_bytes_{0};
};

}  // namespace bess
