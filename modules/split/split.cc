// SPDX-License-Identifier: Apache-2.0
#include "core/graph/module.h"
#include "core/match/field.h"
#include "modules/split.pb.h"

namespace bess {
namespace {

// Where the compiler knows the size, a number takes a few instructions instead of a loop.
constexpr uint32_t kAnySize = 0;

uint64_t LoadBigEndian(const uint8_t* bytes, uint32_t n) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < n; ++i) value = value << 8 | bytes[i];
  return value;
}

class Split final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "Split",
      .help = "sends each packet to the output gate whose number it carries",
      .ogates = kMaxGates,
  };

  absl::Status Init(const pb::SplitArg& arg) {
    BESS_RETURN_IF_ERROR(CheckFieldSize("size", arg.size()));
    size_ = static_cast<uint32_t>(arg.size());
    if (arg.type_case() == pb::SplitArg::kAttribute) {
      by_attribute_ = true;
      return AddAttribute(arg.attribute(), size_, AttributeMode::kRead).status();
    }
    BESS_RETURN_IF_ERROR(CheckFieldOffset("offset", arg.offset()));
    offset_ = static_cast<size_t>(arg.offset());
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    switch (size_) {
      case 1:
        return SplitBatch<1>(context, batch);
      case 2:
        return SplitBatch<2>(context, batch);
      case 4:
        return SplitBatch<4>(context, batch);
      default:
        return SplitBatch<kAnySize>(context, batch);
    }
  }

 private:
  template <uint32_t kSize>
  void SplitBatch(Context& context, Batch& batch) {
    by_attribute_ ? SplitByAttribute<kSize>(context, batch) : SplitByBytes<kSize>(context, batch);
  }

  template <uint32_t kSize>
  void SplitByAttribute(Context& context, Batch& batch) {
    const AttributeRef attribute = context.attribute(0);
    ForEach(context, batch,
            [&](PacketView packet) { return ToGate<kSize>(attribute.Read(packet.packet())); });
  }

  template <uint32_t kSize>
  void SplitByBytes(Context& context, Batch& batch) {
    ForEach(context, batch, [&](PacketView packet) {
      const uint8_t* bytes = packet.Bytes(offset_, size_);
      return bytes != nullptr ? ToGate<kSize>(bytes) : Verdict::Drop(DropReason::kTruncated);
    });
  }

  // The whole number decides: one that is no gate must not end up at another gate.
  template <uint32_t kSize>
  Verdict ToGate(const uint8_t* bytes) const {
    const uint64_t value = LoadBigEndian(bytes, kSize == kAnySize ? size_ : kSize);
    if (value >= kMaxGates) return Verdict::Drop(DropReason::kNoGate);
    return Verdict::Gate(static_cast<uint32_t>(value));
  }

  uint32_t size_ = 0;  // bytes
  bool by_attribute_ = false;
  size_t offset_ = 0;
};

REGISTER_MODULE(Split);

}  // namespace
}  // namespace bess
