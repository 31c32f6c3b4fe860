// SPDX-License-Identifier: Apache-2.0
#include "core/match/key.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/copy_small.h"
#include "core/base/status.h"

namespace bess {
namespace {

constexpr uint32_t kWordBits = 64;

uint64_t LoadWord(const uint8_t* bytes, uint32_t size) {
  uint8_t word[sizeof(uint64_t)] = {};
  CopySmall<sizeof(word)>(word, bytes, size);
  return LoadUnaligned<uint64_t>(word);
}

// The first field of a word writes it, so that nobody has to clear it.
void Merge(bool first, uint64_t value, uint64_t& word) { word = first ? value : word | value; }

}  // namespace

absl::Status KeyFields::Init(std::string_view what, const PbFields& fields,
                             absl::Span<const Attribute> attributes) {
  if (fields.empty()) return Error(EINVAL, "'", what, "' must name at least one field");
  BESS_RETURN_IF_ERROR(CheckFieldCount(what, fields.size()));
  for (const pb::Field& field : fields) {
    BESS_ASSIGN_OR_RETURN(const FieldPlace place,
                          ReadField(FieldEntry(what, fields_.size()), field, attributes));
    Place(place);
  }
  return absl::OkStatus();
}

// Into the first word that has room behind the fields it has.
void KeyFields::Place(const FieldPlace& place) {
  uint32_t used[kMaxKeyWords] = {};
  for (const PlacedField& field : fields_) used[field.word] = field.shift + 8 * field.place.size;
  uint32_t word = 0;
  while (used[word] + 8 * place.size > kWordBits) ++word;
  fields_.push_back({place, word, used[word], used[word] == 0});
  bits_.words[word] |= FieldBits(place.size) << used[word];
  words_ = std::max(words_, word + 1);
}

absl::StatusOr<Key> KeyFields::Read(std::string_view what, const PbFieldData& data,
                                    ByteOrder attributes) const {
  if (static_cast<size_t>(data.size()) != fields_.size()) {
    return Error(EINVAL, "'", what, "' must have ", fields_.size(),
                 " entries, one for each field of the module, not ", data.size());
  }
  Key key;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlacedField& field = fields_[i];
    const ByteOrder order = field.place.is_attribute ? attributes : ByteOrder::kBig;
    BESS_ASSIGN_OR_RETURN(
        const uint64_t word,
        ReadFieldData(FieldEntry(what, i), data.Get(static_cast<int>(i)), field.place.size, order));
    key.words[field.word] |= word << field.shift;
  }
  return key;
}

void KeyFields::Write(const Key& key, PbFieldData* data) const {
  for (const PlacedField& field : fields_) {
    *data->Add() = ToFieldData(key.words[field.word] >> field.shift, field.place.size);
  }
}

uint32_t KeyFields::FieldsIn(const Key& mask) const {
  uint32_t fields = 0;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlacedField& field = fields_[i];
    const uint64_t bits = FieldBits(field.place.size) << field.shift;
    if ((mask.words[field.word] & bits) != 0) fields |= 1U << i;
  }
  return fields;
}

void KeyFields::Gather(const Context& context, const Batch& batch, KeyBatch& keys) const {
  keys.any_absent = false;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const PlacedField& field = fields_[i];
    keys.absent[i] = 0;
    uint64_t* words = keys.words[field.word];
    if (field.place.is_attribute) {
      GatherAttribute(field, context.attribute(field.place.position), batch, words);
    } else {
      GatherBytes(field, batch, words, keys.absent[i]);
      keys.any_absent |= keys.absent[i] != 0;
    }
  }
}

// Nearly all packets have a whole word where the field begins: one load instead of a few.
void KeyFields::GatherBytes(const PlacedField& field, const Batch& batch, uint64_t* words,
                            uint64_t& absent) const {
  const auto [is_attribute, offset, size] = field.place;
  const uint64_t bits = FieldBits(size);
  PrefetchHeaders(batch);
  for (uint32_t i = 0; i < batch.size(); ++i) {
    const PacketView packet(*batch[i]);
    uint64_t value = 0;
    if (const uint8_t* word = packet.Bytes(offset, sizeof(uint64_t))) [[likely]] {
      value = LoadUnaligned<uint64_t>(word) & bits;
    } else if (const uint8_t* bytes = packet.Bytes(offset, size)) {
      value = LoadWord(bytes, size);
    } else {
      absent |= uint64_t{1} << i;
    }
    Merge(field.first, value << field.shift, words[i]);
  }
}

// The same with metadata, where only the last bytes of the area have no whole word behind them.
void KeyFields::GatherAttribute(const PlacedField& field, AttributeRef attribute,
                                const Batch& batch, uint64_t* words) {
  const uint32_t size = field.place.size;
  const uint64_t bits = FieldBits(size);
  const bool whole = attribute.offset() <= static_cast<int>(kMetadataSize - sizeof(uint64_t));
  for (uint32_t i = 0; i < batch.size(); ++i) {
    const uint8_t* bytes = attribute.Read(*batch[i]);
    const uint64_t value = whole ? LoadUnaligned<uint64_t>(bytes) & bits : LoadWord(bytes, size);
    Merge(field.first, value << field.shift, words[i]);
  }
}

}  // namespace bess
