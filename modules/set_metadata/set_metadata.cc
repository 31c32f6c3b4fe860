// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/copy_small.h"
#include "core/graph/module.h"
#include "core/packet/segments.h"
#include "modules/set_metadata.pb.h"

namespace bess {
namespace {

using AttributeArg = pb::SetMetadataArg::Attribute;
using Content = std::array<uint8_t, kMaxAttributeSize>;
static_assert(kMaxAttributeSize <= kMaxCopySmall);

// How one attribute gets its content.
struct Setter {
  uint32_t size = 0;
  bool constant = false;
  Content value{};

  // Copies: the packet must hold `size` bytes at `offset`. Of them `kept`, from `from` on, land at
  // `to`; what the shift leaves free is zero.
  uint32_t offset = 0;
  uint32_t from = 0;
  uint32_t to = 0;
  uint32_t kept = 0;
  bool plain = false;  // all bytes are kept as they are
  Content mask{};      // as the bytes lie in the attribute
};

absl::Status SetNumber(const AttributeArg& arg, Setter& setter) {
  if (arg.size() < 8 && arg.value_int() >> (8 * arg.size()) != 0) {
    return Error(EINVAL, "attribute '", arg.name(), "': 'value_int' ", arg.value_int(),
                 " does not fit into ", arg.size(), " bytes");
  }
  uint8_t big_endian[8];
  StoreUnaligned(big_endian, Be64(arg.value_int()));
  const size_t n = std::min<size_t>(arg.size(), 8);
  std::memcpy(&setter.value[arg.size() - n], big_endian + 8 - n, n);
  return absl::OkStatus();
}

absl::Status CheckLength(const AttributeArg& arg, std::string_view field,
                         const std::string& bytes) {
  if (bytes.size() == arg.size()) return absl::OkStatus();
  return Error(EINVAL, "attribute '", arg.name(), "': '", field, "' must have ", arg.size(),
               " bytes, as 'size' says, not ", bytes.size());
}

absl::Status SetConstant(const AttributeArg& arg, Setter& setter) {
  if (!arg.mask().empty() || arg.rshift_bits() != 0) {
    return Error(EINVAL, "attribute '", arg.name(),
                 "': 'mask' and 'rshift_bits' apply to a copy from the packet, not to a constant");
  }
  setter.constant = true;
  if (arg.value_case() == AttributeArg::kValueInt) return SetNumber(arg, setter);
  BESS_RETURN_IF_ERROR(CheckLength(arg, "value_bin", arg.value_bin()));
  std::memcpy(setter.value.data(), arg.value_bin().data(), arg.size());
  return absl::OkStatus();
}

absl::Status SetShift(const AttributeArg& arg, Setter& setter) {
  const int64_t bits = arg.rshift_bits();
  const auto all_bits = static_cast<int64_t>(8 * arg.size());
  if (bits % 8 != 0 || bits <= -all_bits || bits >= all_bits) {
    return Error(EINVAL, "attribute '", arg.name(),
                 "': 'rshift_bits' must be a multiple of 8 between ", -all_bits, " and ", all_bits,
                 ", both excluded, not ", bits);
  }
  const auto bytes = static_cast<uint32_t>(std::abs(bits) / 8);
  (bits > 0 ? setter.to : setter.from) = bytes;
  setter.kept = setter.size - bytes;
  return absl::OkStatus();
}

absl::Status SetCopy(const AttributeArg& arg, Setter& setter) {
  const int32_t last = kMaxDataRoom - static_cast<int32_t>(arg.size());
  if (arg.offset() < 0 || arg.offset() > last) {
    return Error(EINVAL, "attribute '", arg.name(), "': 'offset' must be 0..", last, " for ",
                 arg.size(), " bytes, not ", arg.offset());
  }
  setter.offset = static_cast<uint32_t>(arg.offset());
  if (!arg.mask().empty()) BESS_RETURN_IF_ERROR(CheckLength(arg, "mask", arg.mask()));
  BESS_RETURN_IF_ERROR(SetShift(arg, setter));
  setter.plain = arg.mask().empty() && arg.rshift_bits() == 0;
  const std::string mask = arg.mask().empty() ? std::string(arg.size(), '\xff') : arg.mask();
  std::memcpy(&setter.mask[setter.to], &mask[setter.from], setter.kept);
  return absl::OkStatus();
}

void WriteCopy(const Setter& setter, const uint8_t* bytes, uint8_t* attribute) {
  if (setter.plain) return CopySmall(attribute, bytes, setter.size);
  Content content{};
  CopySmall(&content[setter.to], bytes + setter.from, setter.kept);
  for (size_t i = 0; i < content.size(); ++i) content[i] &= setter.mask[i];
  CopySmall(attribute, content.data(), setter.size);
}

// False when the packet is too short for what is to be copied.
bool Set(const Setter& setter, AttributeRef attribute, PacketView packet) {
  uint8_t* to = attribute.Write(packet.packet());
  if (setter.constant) {
    CopySmall(to, setter.value.data(), setter.size);
    return true;
  }
  if (const uint8_t* bytes = packet.Bytes(setter.offset, setter.size)) {
    WriteCopy(setter, bytes, to);
    return true;
  }
  Content content;
  if (!ReadBytes(packet.packet(), setter.offset, {content.data(), setter.size})) return false;
  WriteCopy(setter, content.data(), to);
  return true;
}

// Copies of one word or less, which most are, have a size the compiler knows.
template <typename Word>
bool CopyWords(uint32_t offset, AttributeRef attribute, const Batch& batch) {
  for (Packet* packet : batch) {
    const uint8_t* bytes = PacketView(*packet).Bytes(offset, sizeof(Word));
    if (bytes == nullptr) return false;
    StoreUnaligned(attribute.Write(*packet), LoadUnaligned<Word>(bytes));
  }
  return true;
}

// False when this is no such copy, or some packet's first segment is too short for it: then it is
// not done for all of them.
bool SetWords(const Setter& setter, AttributeRef attribute, const Batch& batch) {
  if (!setter.plain) return false;
  switch (setter.size) {
    case 1:
      return CopyWords<uint8_t>(setter.offset, attribute, batch);
    case 2:
      return CopyWords<uint16_t>(setter.offset, attribute, batch);
    case 4:
      return CopyWords<uint32_t>(setter.offset, attribute, batch);
    case 8:
      return CopyWords<uint64_t>(setter.offset, attribute, batch);
    default:
      return false;
  }
}

void SetAll(const Setter& setter, AttributeRef attribute, const Batch& batch, Verdict* verdicts) {
  if (SetWords(setter, attribute, batch)) return;
  for (uint32_t i = 0; i < batch.size(); ++i) {
    if (!Set(setter, attribute, PacketView(*batch[i]))) {
      verdicts[i] = Verdict::Drop(DropReason::kTruncated);
    }
  }
}

// Fills metadata attributes with constants or parts of the packet.
class SetMetadata final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "SetMetadata",
      .help = "sets metadata attributes to constants or to parts of the packet",
      .template_name = "setattr",
  };

  absl::Status Init(const pb::SetMetadataArg& arg) {
    if (arg.attrs().empty()) return Error(EINVAL, "'attrs' must name at least one attribute");
    for (const AttributeArg& attribute : arg.attrs()) BESS_RETURN_IF_ERROR(AddSetter(attribute));
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    uint32_t wanted[kMaxAttributesPerModule];
    const uint32_t n = FindWanted(context, wanted);
    if (n == 0) return context.Emit(0, batch);
    Verdict verdicts[kBatchSize];
    std::fill_n(verdicts, batch.size(), Verdict::Gate(0));
    for (uint32_t i = 0; i < n; ++i) {
      SetAll(setters_[wanted[i]], context.attribute(wanted[i]), batch, verdicts);
    }
    context.Deliver(batch, verdicts);
  }

 private:
  absl::Status AddSetter(const AttributeArg& arg) {
    BESS_RETURN_IF_ERROR(AddAttribute(arg.name(), arg.size(), AttributeMode::kWrite).status());
    Setter& setter = setters_.emplace_back();
    setter.size = static_cast<uint32_t>(arg.size());
    return arg.value_case() == AttributeArg::VALUE_NOT_SET ? SetCopy(arg, setter)
                                                           : SetConstant(arg, setter);
  }

  // The attributes that somebody downstream reads.
  uint32_t FindWanted(const Context& context, uint32_t* wanted) const {
    uint32_t n = 0;
    for (uint32_t i = 0; i < setters_.size(); ++i) {
      if (context.attribute(i).offset() >= 0) wanted[n++] = i;
    }
    return n;
  }

  std::vector<Setter> setters_;  // by attribute; never changes after Init
};

REGISTER_MODULE(SetMetadata);

}  // namespace
}  // namespace bess
