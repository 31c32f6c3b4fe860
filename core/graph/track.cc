// SPDX-License-Identifier: Apache-2.0
#include "core/graph/track.h"

#include "core/packet/wire_bits.h"

namespace bess {

absl::Status Track::Init(const pb::TrackArg& arg) {
  bits_ = arg.bits();
  return absl::OkStatus();
}

void Track::Process(Context& context, Batch& batch) {
  auto* cell = static_cast<CellCounters*>(context.node().cell);
  cell->crossed.Add(batch);
  cell->bytes.Add(WireBits(batch) / 8);
  context.Emit(0, batch);
}

Track::Counts Track::Sum() const {
  Counts sum;
  cells_.ForEach([&](const CellCounters& cell) {
    sum.batches += cell.crossed.batches.Get();
    sum.packets += cell.crossed.packets.Get();
    sum.bytes += cell.bytes.Get();
  });
  return sum;
}

Track::Counts Track::counts() const {
  Counts counts = Sum();
  counts.batches -= base_batches_.load(std::memory_order_relaxed);
  counts.packets -= base_packets_.load(std::memory_order_relaxed);
  counts.bytes -= base_bytes_.load(std::memory_order_relaxed);
  return counts;
}

absl::Status Track::Reset() {
  const Counts sum = Sum();
  base_batches_.store(sum.batches, std::memory_order_relaxed);
  base_packets_.store(sum.packets, std::memory_order_relaxed);
  base_bytes_.store(sum.bytes, std::memory_order_relaxed);
  return absl::OkStatus();
}

REGISTER_GATE_HOOK(Track);

}  // namespace bess
