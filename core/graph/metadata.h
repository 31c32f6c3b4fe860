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

struct MetadataLayout {
  // By module, then by attribute in the order the module added them.
  std::vector<std::vector<int16_t>> offsets;
  // By module: what to zero in packets that start there, because some path leads from there to a
  // reader without passing a writer.
  std::vector<std::vector<ClearRange>> clear;
  AttributePlaces places;
  std::vector<std::string> warnings;
};

// EINVAL when modules disagree on an attribute's size, ENOSPC when the area is exhausted, EBUSY
// when two attributes meet that share bytes and neither may move; all name attribute and modules.
absl::StatusOr<MetadataLayout> PlaceAttributes(const Topology& topology,
                                               const AttributePlaces& previous);

}  // namespace bess
