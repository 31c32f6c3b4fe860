// SPDX-License-Identifier: Apache-2.0
//
// Metadata attributes: named bytes that travel with a packet. A module declares what it reads and
// writes; the compiler of the graph decides where each attribute lies (core/graph/metadata.h).
#pragma once

#include <cstdint>
#include <string>

#include "core/packet/packet.h"

namespace bess {

inline constexpr size_t kMaxAttributeSize = 32;  // bytes
inline constexpr size_t kMaxAttributesPerModule = 16;

enum class AttributeMode { kRead, kWrite, kUpdate };

struct Attribute {
  std::string name;
  uint32_t size = 0;  // bytes, 1..kMaxAttributeSize
  AttributeMode mode = AttributeMode::kRead;
};

// Where an attribute that is live anywhere in the graph lies in a packet's metadata.
struct PlacedAttribute {
  std::string name;
  uint32_t offset = 0;
  uint32_t size = 0;
};

// Offsets below zero, as BESS clients know them.
inline constexpr int16_t kNoReader = -1;  // nobody downstream reads it: writing is skipped
inline constexpr int16_t kNoWriter = -2;  // no writer upstream: reads give zeros

// Where an attribute lies for the module that is running.
class AttributeRef {
 public:
  explicit AttributeRef(int16_t offset) : offset_(offset) {}

  // As many bytes as the attribute has; zeros when nobody wrote it.
  const uint8_t* Read(const Packet& packet) const {
    return offset_ >= 0 ? packet.metadata() + offset_ : kZeros;
  }
  // nullptr when nobody would read what is written.
  uint8_t* Write(Packet& packet) const {
    return offset_ >= 0 ? packet.metadata() + offset_ : nullptr;
  }
  int16_t offset() const { return offset_; }

 private:
  static constexpr uint8_t kZeros[kMaxAttributeSize] = {};
  int16_t offset_;
};

}  // namespace bess
