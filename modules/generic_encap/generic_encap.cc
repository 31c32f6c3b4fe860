// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/copy_small.h"
#include "core/graph/module.h"
#include "modules/generic_encap.pb.h"

namespace bess {
namespace {

using FieldArg = pb::GenericEncapArg::EncapField;

constexpr int kMaxFields = 8;
constexpr uint32_t kMaxFieldSize = 8;  // bytes
constexpr uint32_t kMaxHeader = kMaxFields * kMaxFieldSize;
static_assert(kMaxHeader <= 2 * kMaxCopySmall);

// Bytes of the header that come from an attribute.
struct Hole {
  uint32_t offset = 0;
  uint32_t size = 0;
  uint32_t attribute = 0;
};

absl::StatusOr<uint32_t> CheckSize(int field, uint64_t size) {
  if (size >= 1 && size <= kMaxFieldSize) return static_cast<uint32_t>(size);
  return Error(EINVAL, "field ", field, ": 'size' must be 1..", kMaxFieldSize, " bytes, not ",
               size);
}

// Writes the `size` bytes of a constant to `to`.
absl::Status WriteConstant(int field, const pb::FieldData& value, uint32_t size, uint8_t* to) {
  if (value.encoding_case() == pb::FieldData::kValueBin) {
    const std::string& bytes = value.value_bin();
    if (bytes.size() != size) {
      return Error(EINVAL, "field ", field, ": 'value_bin' must have ", size,
                   " bytes, as 'size' says, not ", bytes.size());
    }
    std::memcpy(to, bytes.data(), size);
    return absl::OkStatus();
  }
  if (size < 8 && value.value_int() >> (8 * size) != 0) {
    return Error(EINVAL, "field ", field, ": 'value_int' ", value.value_int(),
                 " does not fit into ", size, " bytes");
  }
  uint8_t big_endian[8];
  StoreUnaligned(big_endian, Be64(value.value_int()));
  std::memcpy(to, big_endian + sizeof(big_endian) - size, size);
  return absl::OkStatus();
}

// Puts a header of constants and attributes before each packet.
class GenericEncap final : public Module {
 public:
  static constexpr ModuleInfo kInfo = {
      .name = "GenericEncap",
      .help = "puts a header made of constants and metadata before each packet",
      .template_name = "generic_encap",
  };

  absl::Status Init(const pb::GenericEncapArg& arg) {
    if (arg.fields_size() > kMaxFields) {
      return Error(EINVAL, "'fields' must have 0..", kMaxFields, " fields, not ",
                   arg.fields_size());
    }
    for (int i = 0; i < arg.fields_size(); ++i) BESS_RETURN_IF_ERROR(AddField(i, arg.fields(i)));
    return absl::OkStatus();
  }

  void Process(Context& context, Batch& batch) {
    ForEach(context, batch, [&](PacketView view) {
      Packet& packet = view.packet();
      uint8_t* header = packet.Prepend(static_cast<uint16_t>(size_));
      if (header == nullptr) return Verdict::Drop(DropReason::kNoRoom);
      const uint32_t front = std::min<uint32_t>(size_, kMaxCopySmall);
      CopySmall(header, constants_.data(), front);
      CopySmall(header + front, constants_.data() + front, size_ - front);
      for (const Hole& hole : holes_) {
        CopySmall(header + hole.offset, context.attribute(hole.attribute).Read(packet), hole.size);
      }
      return Verdict::Gate(0);
    });
  }

 private:
  absl::Status AddField(int i, const FieldArg& arg) {
    BESS_ASSIGN_OR_RETURN(const uint32_t size, CheckSize(i, arg.size()));
    if (arg.insertion_case() == FieldArg::kAttribute) {
      BESS_ASSIGN_OR_RETURN(const uint32_t attribute, FindAttribute(arg.attribute(), size));
      holes_.push_back({size_, size, attribute});
    } else if (arg.value().encoding_case() != pb::FieldData::ENCODING_NOT_SET) {
      BESS_RETURN_IF_ERROR(WriteConstant(i, arg.value(), size, &constants_[size_]));
    } else {
      return Error(EINVAL, "field ", i, " needs an 'attribute' or a 'value'");
    }
    size_ += size;
    return absl::OkStatus();
  }

  // An attribute may stand in several fields, but is declared once.
  absl::StatusOr<uint32_t> FindAttribute(const std::string& name, uint32_t size) {
    for (uint32_t i = 0; i < attributes().size(); ++i) {
      if (attributes()[i].name == name && attributes()[i].size == size) return i;
    }
    return AddAttribute(name, size, AttributeMode::kRead);
  }

  // None of these changes after Init.
  std::array<uint8_t, kMaxHeader> constants_{};  // the header with zeros for attributes
  uint32_t size_ = 0;                            // of the header, bytes
  std::vector<Hole> holes_;
};

REGISTER_MODULE(GenericEncap);

}  // namespace
}  // namespace bess
