// SPDX-License-Identifier: Apache-2.0
#include "core/match/values.h"

#include "core/base/bytes.h"
#include "core/base/copy_small.h"
#include "core/base/status.h"

namespace bess {
namespace {

absl::Status CheckCount(std::string_view what, int count, size_t wanted) {
  if (static_cast<size_t>(count) == wanted) return absl::OkStatus();
  return Error(EINVAL, "'", what, "' must have ", wanted,
               " entries, one for each of the module's 'values', not ", count);
}

void WriteWord(uint64_t value, uint64_t mask, uint32_t size, uint8_t* to) {
  uint8_t bytes[sizeof(uint64_t)] = {};
  if (mask != FieldBits(size)) {
    CopySmall<sizeof(bytes)>(bytes, to, size);
    value = (LoadUnaligned<uint64_t>(bytes) & ~mask) | (value & mask);
  }
  StoreUnaligned(bytes, value);
  CopySmall<sizeof(bytes)>(to, bytes, size);
}

}  // namespace

absl::Status ValueFields::Init(const PbFields& fields, const PbFieldData& masks,
                               absl::Span<const Attribute> attributes) {
  BESS_RETURN_IF_ERROR(CheckFieldCount("values", fields.size()));
  for (const pb::Field& field : fields) {
    BESS_ASSIGN_OR_RETURN(const FieldPlace place,
                          ReadField(FieldEntry("values", fields_.size()), field, attributes));
    fields_.push_back({place, FieldBits(place.size), {}});
    if (!place.is_attribute) fields_.back().writes.Add(place.position, place.size);
  }
  return masks.empty() ? absl::OkStatus() : ReadMasks(masks);
}

absl::Status ValueFields::ReadMasks(const PbFieldData& masks) {
  BESS_RETURN_IF_ERROR(CheckCount("masksv", masks.size(), fields_.size()));
  for (size_t i = 0; i < fields_.size(); ++i) {
    BESS_ASSIGN_OR_RETURN(fields_[i].mask,
                          ReadFieldData(FieldEntry("masksv", i), masks.Get(static_cast<int>(i)),
                                        fields_[i].place.size, ByteOrder::kLittle));
  }
  return absl::OkStatus();
}

absl::StatusOr<Values> ValueFields::Read(std::string_view what, const PbFieldData& data) const {
  BESS_RETURN_IF_ERROR(CheckCount(what, data.size(), fields_.size()));
  Values values{};
  for (size_t i = 0; i < fields_.size(); ++i) {
    BESS_ASSIGN_OR_RETURN(values[i],
                          ReadFieldData(FieldEntry(what, i), data.Get(static_cast<int>(i)),
                                        fields_[i].place.size, ByteOrder::kLittle));
  }
  return values;
}

void ValueFields::Write(const Values& values, PbFieldData* data) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    *data->Add() = ToFieldData(values[i], fields_[i].place.size);
  }
}

void ValueFields::Set(const Context& context, const Batch& batch, const Values* const* values,
                      Verdict* verdicts) const {
  for (size_t f = 0; f < fields_.size(); ++f) {
    const auto& [place, mask, writes] = fields_[f];
    const bool attribute = place.is_attribute;
    if (attribute && context.attribute(place.position).offset() < 0) continue;
    FixedWriter writer(writes);
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (values[i] == nullptr || verdicts[i].is_drop()) continue;
      uint8_t* to =
          attribute ? context.attribute(place.position).Write(*batch[i]) : writer.Begin(*batch[i]);
      if (to == nullptr) {
        verdicts[i] = Verdict::Drop(DropReason::kTruncated);
      } else {
        WriteWord((*values[i])[f], mask, place.size, attribute ? to : to + place.position);
      }
    }
  }
}

}  // namespace bess
