// SPDX-License-Identifier: Apache-2.0
//
// Where the attributes of a whole graph lie, connected or not, for the tests of that.
#pragma once

#include <utility>

#include "core/graph/metadata.h"

namespace bess {

struct MetadataLayout : PartMetadata {
  AttributePlaces places;
};

inline absl::StatusOr<MetadataLayout> PlaceAttributes(const Topology& topology,
                                                      const AttributePlaces& previous) {
  const LiveRanges ranges = FindLiveRanges(topology);
  BESS_ASSIGN_OR_RETURN(AttributePlaces places, PlaceRanges({{&topology, &ranges}}, previous));
  return MetadataLayout{LayOut(topology, ranges, places), std::move(places)};
}

}  // namespace bess
