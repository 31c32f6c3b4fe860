// SPDX-License-Identifier: Apache-2.0
#include "core/match/field.h"

#include <algorithm>
#include <cstring>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace bess {
namespace {

void AddOnce(const PbFields& fields, AttributeMode mode, std::vector<Attribute>& attributes) {
  for (const pb::Field& field : fields) {
    if (!field.has_attr_name()) continue;
    const auto known = std::find_if(attributes.begin(), attributes.end(),
                                    [&](const auto& a) { return a.name == field.attr_name(); });
    if (known == attributes.end()) {
      attributes.push_back({field.attr_name(), field.num_bytes(), mode});
    } else if (known->mode != mode) {
      known->mode = AttributeMode::kUpdate;
    }
  }
}

absl::StatusOr<FieldPlace> ReadAttribute(std::string_view what, const pb::Field& field,
                                         absl::Span<const Attribute> attributes) {
  for (uint32_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].name != field.attr_name()) continue;
    const uint32_t size = attributes[i].size;
    if (size == field.num_bytes()) return FieldPlace{true, i, size};
    return Error(EINVAL, "'", what, ".num_bytes' must be ", size, ", the size of attribute '",
                 field.attr_name(), "', not ", field.num_bytes());
  }
  return Error(EINVAL, "'", what, ".attr_name' must be an attribute this module was made with, ",
               "not '", field.attr_name(), "'");
}

}  // namespace

absl::Status CheckFieldSize(std::string_view what, uint64_t bytes) {
  if (bytes >= 1 && bytes <= kMaxFieldSize) return absl::OkStatus();
  return Error(EINVAL, "'", what, "' must be 1..", kMaxFieldSize, " bytes, not ", bytes);
}

absl::Status CheckFieldOffset(std::string_view what, int64_t offset) {
  if (offset >= 0 && offset <= kMaxFieldOffset) return absl::OkStatus();
  return Error(EINVAL, "'", what, "' must be 0..", kMaxFieldOffset, " bytes, not ", offset);
}

absl::Status CheckFieldCount(std::string_view what, int count) {
  if (count <= static_cast<int>(kMaxFields)) return absl::OkStatus();
  return Error(EINVAL, "'", what, "' takes at most ", kMaxFields, " fields, not ", count);
}

std::string FieldEntry(std::string_view what, size_t index) {
  return absl::StrCat(AbslView(what), "[", index, "]");
}

std::vector<Attribute> AttributesOf(const PbFields& read, const PbFields& written,
                                    bool keeps_bits) {
  std::vector<Attribute> attributes;
  AddOnce(read, AttributeMode::kRead, attributes);
  AddOnce(written, keeps_bits ? AttributeMode::kUpdate : AttributeMode::kWrite, attributes);
  return attributes;
}

absl::StatusOr<FieldPlace> ReadField(std::string_view what, const pb::Field& field,
                                     absl::Span<const Attribute> attributes) {
  BESS_RETURN_IF_ERROR(
      CheckFieldSize(absl::StrCat(AbslView(what), ".num_bytes"), field.num_bytes()));
  if (field.has_attr_name()) return ReadAttribute(what, field, attributes);
  BESS_RETURN_IF_ERROR(CheckFieldOffset(absl::StrCat(AbslView(what), ".offset"), field.offset()));
  return FieldPlace{false, field.offset(), field.num_bytes()};
}

absl::StatusOr<uint64_t> ReadFieldData(std::string_view what, const pb::FieldData& data,
                                       uint32_t size, ByteOrder order) {
  if (data.encoding_case() == pb::FieldData::kValueBin) {
    const std::string& bytes = data.value_bin();
    if (bytes.size() != size) {
      return Error(EINVAL, "'", what, ".value_bin' must have ", size, " bytes, not ", bytes.size());
    }
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), size);
    return word;
  }
  const uint64_t number = data.value_int();
  if (number > FieldBits(size)) {
    return Error(EINVAL, "'", what, ".value_int' must fit ", size, " bytes, unlike ", number);
  }
  return order == ByteOrder::kLittle ? number : ByteSwap(number) >> (64 - 8 * size);
}

pb::FieldData ToFieldData(uint64_t word, uint32_t size) {
  char bytes[sizeof(word)];
  std::memcpy(bytes, &word, sizeof(word));
  pb::FieldData data;
  data.set_value_bin(bytes, size);
  return data;
}

}  // namespace bess
