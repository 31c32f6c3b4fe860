// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cstring>

#include "core/base/word_vector.h"
#include "core/graph/burst.h"
#include "core/graph/module.h"
#include "core/packet/wire_bits.h"
#include "modules/source.pb.h"

namespace bess {
namespace {

constexpr uint16_t kDefaultPacketSize = 60;

// The buffer held somebody's packet before, so every byte is overwritten. Overlapping stores of
// constant size beat a call of memset for the small packets a Source is used with.
void Clear(uint8_t* bytes, size_t n) {
  constexpr WordVector kZeros{};
  constexpr size_t kChunk = sizeof(kZeros);
  if (n < kChunk) {
    std::memset(bytes, 0, n);
    return;
  }
  const size_t last = n - kChunk;
  std::memcpy(bytes, &kZeros, kChunk);
  for (size_t at = kChunk; at < last; at += kChunk) std::memcpy(bytes + at, &kZeros, kChunk);
  std::memcpy(bytes + last, &kZeros, kChunk);
}

class Source final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Source",
      .help = "makes packets of zeros as fast as it is scheduled",
      .igates = 0,
      .max_workers = 1,
  };
  static Commands<Source> commands() {
    return {{"set_pkt_size", &Source::SetPktSize, CommandKind::kSets},
            {"set_burst", &Source::SetBurst, CommandKind::kSets}};
  }

  absl::Status Init(const pb::SourceArg& arg) {
    if (arg.pkt_size() != 0) BESS_RETURN_IF_ERROR(ChangeSize(arg.pkt_size()));
    return AddTask(0);
  }

  absl::Status SetPktSize(const pb::SourceCommandSetPktSizeArg& arg) {
    return ChangeSize(arg.pkt_size());
  }

  absl::Status SetBurst(const pb::SourceCommandSetBurstArg& arg) { return burst_.Set(arg.burst()); }

  TaskResult RunTask(Context& context, Batch& batch, uint64_t) {
    const uint32_t n = burst_.Get();
    const uint16_t size = size_.load(std::memory_order_relaxed);
    if (n == 0 || !host().pool().Alloc(batch.begin(), n, size)) return {.blocked = true};
    batch.set_size(n);
    for (Packet* packet : batch) Clear(packet->data(), size);
    context.ledger().created.Add(n);
    context.Emit(0, batch);
    return {.packets = n, .bits = WireBits(n, uint64_t{n} * size)};
  }

 private:
  absl::Status ChangeSize(uint64_t size) {
    const uint16_t longest = host().pool().data_room();
    if (size < 1 || size > longest) {
      return Error(EINVAL, "'pkt_size' must be 1..", longest, " bytes, not ", size);
    }
    size_.store(static_cast<uint16_t>(size), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  std::atomic<uint16_t> size_{kDefaultPacketSize};
  Burst burst_;
};

REGISTER_MODULE(Source);

}  // namespace
}  // namespace bess
