// SPDX-License-Identifier: Apache-2.0
//
// Fields as clients name them (bess.pb.Field): a few bytes of the packet, or a metadata attribute.
// And what clients compare them with (bess.pb.FieldData): raw bytes, or a number.
//
// A field's content travels as a word: its bytes as they lie in memory, the first one lowest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bess/util.pb.h"
#include "core/graph/attribute.h"
#include "core/graph/context.h"
#include "core/packet/packet_view.h"

namespace bess {

inline constexpr uint32_t kMaxFields = 8;
inline constexpr uint32_t kMaxFieldSize = 8;       // bytes
inline constexpr uint32_t kMaxFieldOffset = 1024;  // bytes

using PbFields = google::protobuf::RepeatedPtrField<pb::Field>;
using PbFieldData = google::protobuf::RepeatedPtrField<pb::FieldData>;

// EINVAL naming `what`, the value and the bound.
absl::Status CheckFieldSize(std::string_view what, uint64_t bytes);
absl::Status CheckFieldOffset(std::string_view what, int64_t offset);
// EINVAL when there are more than kMaxFields.
absl::Status CheckFieldCount(std::string_view what, int count);

// How errors name one of a list: "what[index]".
std::string FieldEntry(std::string_view what, size_t index);

// The bits a field of so many bytes has.
inline uint64_t FieldBits(uint32_t size) { return ~uint64_t{0} >> (64 - 8 * size); }

// Where a field is.
struct FieldPlace {
  bool is_attribute = false;
  uint32_t position = 0;  // index of the attribute, or offset in the packet in bytes
  uint32_t size = 0;      // bytes

  // To read; nullptr when the packet ends before the field does.
  const uint8_t* Bytes(const Context& context, PacketView packet) const {
    return is_attribute ? context.attribute(position).Read(packet.packet())
                        : packet.Bytes(position, size);
  }
};

// The attributes that `read` and `written` name, each once: what a module's Init has to declare.
// With `keeps_bits`, not all bits of those written are.
std::vector<Attribute> AttributesOf(const PbFields& read, const PbFields& written = {},
                                    bool keeps_bits = false);

// EINVAL naming the field when it is out of range, or an attribute that is not among `attributes`
// or has another size there.
absl::StatusOr<FieldPlace> ReadField(std::string_view what, const pb::Field& field,
                                     absl::Span<const Attribute> attributes);

// How numbers become bytes.
enum class ByteOrder { kLittle, kBig };

// The word of a constant for a field of `size` bytes; 0 when the client gave none. EINVAL when raw
// bytes are not as many as the field has, or the number does not fit.
absl::StatusOr<uint64_t> ReadFieldData(std::string_view what, const pb::FieldData& data,
                                       uint32_t size, ByteOrder order);

// The other way round, as raw bytes.
pb::FieldData ToFieldData(uint64_t word, uint32_t size);

}  // namespace bess
