// SPDX-License-Identifier: Apache-2.0
//
// Keys: the fields of a packet packed into words, and those of a whole batch side by side, so that
// one field of all packets, or one word of all keys, is handled in one loop.
//
//   KeyFields fields;                                        // in Init
//   fields.Init("fields", arg.fields(), attributes());
//   KeyBatch keys;                                           // in Process
//   fields.Gather(context, batch, keys);
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/match/field.h"
#include "core/packet/batch.h"

namespace bess {

// No field lies in two words, so one a field is the most there are.
inline constexpr uint32_t kMaxKeyWords = kMaxFields;

struct Key {
  std::array<uint64_t, kMaxKeyWords> words{};
  auto operator<=>(const Key&) const = default;
};

// The keys of a batch, word by word. Not initialised: only the words that keys have are written.
struct KeyBatch {
  uint64_t words[kMaxKeyWords][kBatchSize];
  // For each field, which packets end before it does, a bit each; their bits of the key are zero.
  uint64_t absent[kMaxFields];
  bool any_absent;
};

class KeyFields {
 public:
  // EINVAL naming the field, unless there are 1..kMaxFields good ones.
  absl::Status Init(std::string_view what, const PbFields& fields,
                    absl::Span<const Attribute> attributes);

  uint32_t words() const { return words_; }
  // All bits that keys have.
  const Key& bits() const { return bits_; }

  // The key of one constant a field, or EINVAL naming the field. Numbers are big-endian for packet
  // bytes, and of order `attributes` for attributes.
  absl::StatusOr<Key> Read(std::string_view what, const PbFieldData& data,
                           ByteOrder attributes) const;
  // The other way round, as raw bytes.
  void Write(const Key& key, PbFieldData* data) const;

  // Thread: a worker.
  void Gather(const Context& context, const Batch& batch, KeyBatch& keys) const;

  // The fields, a bit each, of which `mask` has bits.
  uint32_t FieldsIn(const Key& mask) const;

 private:
  struct PlacedField {
    FieldPlace place;
    uint32_t word = 0;
    uint32_t shift = 0;  // bits from the lowest of the word
    bool first = false;  // of its word
  };

  void Place(const FieldPlace& place);
  void GatherBytes(const PlacedField& field, const Batch& batch, uint64_t* words,
                   uint64_t& absent) const;
  static void GatherAttribute(const PlacedField& field, AttributeRef attribute, const Batch& batch,
                              uint64_t* words);

  std::vector<PlacedField> fields_;
  uint32_t words_ = 0;
  Key bits_;
};

// Which packets, a bit each, lack one of these fields.
inline uint64_t Lacking(const KeyBatch& keys, uint32_t fields) {
  uint64_t lacking = 0;
  for (; fields != 0; fields &= fields - 1) lacking |= keys.absent[__builtin_ctz(fields)];
  return lacking;
}

}  // namespace bess
