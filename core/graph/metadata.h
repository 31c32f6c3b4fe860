// SPDX-License-Identifier: Apache-2.0
//
// Decides where metadata attributes lie in a packet's 128 bytes.
//
// An attribute is live at the modules between its writers and its readers. Two attributes may
// share bytes only if no module has both live. Each name has one place in the whole graph, and
// keeps it as long as it is live anywhere: packets that wait in a queue never change meaning. New
// names take bytes nobody uses, and share only when those run out, so that joining two pipelines
// later rarely makes two attributes meet; when it does, one of them moves if none of its packets
// can be waiting anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/topology.h"

namespace bess {

// Bytes of the metadata area that packets must not inherit from a previous life.
struct ClearRange {
  uint32_t offset = 0;
  uint32_t size = 0;
};

// By module.
using ModuleSet = std::vector<bool>;

struct AttributeUse {
  uint32_t module = 0;
  uint32_t index = 0;  // among the module's attributes
  AttributeMode mode = AttributeMode::kRead;

  bool reads() const { return mode != AttributeMode::kWrite; }
  bool writes() const { return mode != AttributeMode::kRead; }
};

// One attribute name and everything a connected part of the graph does with it. Where that lies is
// decided for all parts together.
struct LiveRange {
  std::string name;
  uint32_t size = 0;  // as its first user has it
  bool sizes_agree = true;
  std::vector<AttributeUse> uses;
  ModuleSet after_writer;   // writers and everything downstream of them
  ModuleSet before_reader;  // readers and everything upstream of them
  // Modules where packets start that may meet a reader before a writer: they are zeroed there.
  std::vector<uint32_t> cleared_at;
  ModuleSet live;     // from where it is written or zeroed to where it is read
  bool used = false;  // some reader gets what some writer wrote
};
using LiveRanges = std::vector<LiveRange>;  // in order of name

LiveRanges FindLiveRanges(const Topology& topology);

struct PartRanges {
  const Topology* topology = nullptr;
  const LiveRanges* ranges = nullptr;
};

// The place of a name; -1 if it has none.
int16_t PlaceOf(const AttributePlaces& places, const std::string& name);

// EINVAL when modules disagree on an attribute's size, ENOSPC when the area is exhausted, EBUSY
// when two attributes meet that share bytes and neither may move; all name attribute and modules.
absl::StatusOr<AttributePlaces> PlaceRanges(const std::vector<PartRanges>& parts,
                                            const AttributePlaces& previous);

struct PartMetadata {
  // By module, then by attribute in the order the module added them.
  std::vector<std::vector<int16_t>> offsets;
  // By module: what to zero in packets that start there, because some path leads from there to a
  // reader without passing a writer.
  std::vector<std::vector<ClearRange>> clear;
  std::vector<std::string> warnings;
};

PartMetadata LayOut(const Topology& topology, const LiveRanges& ranges,
                    const AttributePlaces& places);

}  // namespace bess
