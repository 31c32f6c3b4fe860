// SPDX-License-Identifier: Apache-2.0
#include "core/graph/metadata.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_join.h"

namespace bess {
namespace {

// --- Where names are live -----------------------------------------------------------------------

template <typename Neighbours>
ModuleSet Spread(size_t size, std::vector<uint32_t> pending, Neighbours neighbours) {
  ModuleSet reached(size);
  for (const uint32_t m : pending) reached[m] = true;
  while (!pending.empty()) {
    const uint32_t m = pending.back();
    pending.pop_back();
    neighbours(m, [&](uint32_t next) {
      if (reached[next]) return;
      reached[next] = true;
      pending.push_back(next);
    });
  }
  return reached;
}

LiveRanges CollectNames(const Topology& topology) {
  std::map<std::string_view, LiveRange> by_name;
  for (uint32_t m = 0; m < topology.size(); ++m) {
    if (!topology.sites[m].has_attributes) continue;
    const auto& attributes = topology.module(m).attributes();
    for (uint32_t i = 0; i < attributes.size(); ++i) {
      LiveRange& range = by_name[attributes[i].name];
      if (range.uses.empty()) range.size = attributes[i].size;
      range.sizes_agree &= range.size == attributes[i].size;
      range.uses.push_back({m, i, attributes[i].mode});
    }
  }
  LiveRanges ranges;
  for (auto& [name, range] : by_name) {
    range.name = name;
    ranges.push_back(std::move(range));
  }
  return ranges;
}

bool WrittenUpstream(const Topology& topology, const LiveRange& range, uint32_t m) {
  const auto senders = topology.up[m];
  return std::any_of(senders.begin(), senders.end(),
                     [&](uint32_t up) { return range.after_writer[up]; });
}

bool ReadDownstream(const Topology& topology, const LiveRange& range, uint32_t m) {
  const auto connections = topology.down[m];
  return std::any_of(connections.begin(), connections.end(),
                     [&](const auto& connection) { return range.before_reader[connection.to]; });
}

// Walks from each module where packets start, past non-writers, looking for a reader. What a
// module that holds packets sends has started elsewhere.
void FindStartsToClear(const Topology& topology, LiveRange& range) {
  ModuleSet writes(topology.size()), reads(topology.size());
  for (const AttributeUse& use : range.uses) {
    if (use.writes()) writes[use.module] = true;
    if (use.reads()) reads[use.module] = true;
  }
  const auto unwritten = [&](uint32_t m, auto visit) {
    if (writes[m]) return;
    for (const auto& connection : topology.down[m]) visit(connection.to);
  };
  for (uint32_t start = 0; start < topology.size(); ++start) {
    const Site& site = topology.sites[start];
    const bool starts = site.has_tasks && !site.holds_packets;
    if (!starts || writes[start] || !range.before_reader[start]) continue;
    std::vector<uint32_t> next;
    for (const auto& connection : topology.down[start]) next.push_back(connection.to);
    const ModuleSet reached = Spread(topology.size(), std::move(next), unwritten);
    for (uint32_t m = 0; m < topology.size(); ++m) {
      if (!reached[m] || !reads[m]) continue;
      range.cleared_at.push_back(start);
      break;
    }
  }
}

void FindLiveRange(const Topology& topology, LiveRange& range) {
  std::vector<uint32_t> writers, readers;
  for (const AttributeUse& use : range.uses) {
    if (use.writes()) writers.push_back(use.module);
    if (use.reads()) readers.push_back(use.module);
  }
  const auto downstream = [&](uint32_t m, auto visit) {
    for (const auto& connection : topology.down[m]) visit(connection.to);
  };
  range.after_writer = Spread(topology.size(), writers, downstream);
  range.before_reader = Spread(topology.size(), readers, [&](uint32_t m, auto visit) {
    for (const uint32_t up : topology.up[m]) visit(up);
  });
  FindStartsToClear(topology, range);
  std::vector<uint32_t> origins = writers;
  origins.insert(origins.end(), range.cleared_at.begin(), range.cleared_at.end());
  const ModuleSet after_origin = Spread(topology.size(), std::move(origins), downstream);
  range.live.resize(topology.size());
  for (uint32_t m = 0; m < topology.size(); ++m) {
    range.live[m] = after_origin[m] && range.before_reader[m];
  }
  range.used = std::any_of(range.uses.begin(), range.uses.end(), [&](const AttributeUse& use) {
    return WrittenUpstream(topology, range, use.module) && use.reads();
  });
}

// Packets carrying the attribute may be waiting in a module or a cut cycle: its place cannot
// change. They may have come there from a writer that is connected no more. The buffer of a cycle
// may be empty now and fill before the next plan.
bool MayBeWaiting(const Topology& topology, const LiveRange& range) {
  for (uint32_t m = 0; m < topology.size(); ++m) {
    if (range.before_reader[m] && topology.sites[m].holds_packets) return true;
    for (const auto& connection : topology.down[m]) {
      if (range.before_reader[connection.to] && connection.edge->workers() != 0) return true;
    }
  }
  return false;
}

// --- Where they lie -----------------------------------------------------------------------------

// An attribute name with all that the graph does with it, part by part.
struct Name {
  std::string_view name;
  uint32_t size = 0;
  std::vector<std::pair<size_t, const LiveRange*>> parts;  // in order
  bool used = false;
  bool sizes_agree = true;
  int16_t offset = -1;

  uint32_t alignment() const { return std::min(std::bit_ceil(size), 8u); }
  bool Overlaps(const Name& other) const {
    return offset < other.offset + static_cast<int>(other.size) &&
           other.offset < offset + static_cast<int>(size);
  }
  bool Meets(const Name& other) const {
    auto theirs = other.parts.begin();
    for (const auto& [part, range] : parts) {
      while (theirs != other.parts.end() && theirs->first < part) ++theirs;
      if (theirs == other.parts.end()) return false;
      if (theirs->first == part && Meet(range->live, theirs->second->live)) return true;
    }
    return false;
  }
  static bool Meet(const ModuleSet& a, const ModuleSet& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i] && b[i]) return true;
    }
    return false;
  }
};

// A module that uses a name, and the size it has there.
struct User {
  std::string_view module;
  uint32_t size = 0;
};

class Placer {
 public:
  Placer(const std::vector<PartRanges>& parts, const AttributePlaces& previous)
      : parts_(parts), previous_(previous) {}

  absl::StatusOr<AttributePlaces> Run() {
    JoinParts();
    BESS_RETURN_IF_ERROR(CheckSizes());
    BESS_RETURN_IF_ERROR(KeepPlaces());
    BESS_RETURN_IF_ERROR(PlaceNewNames());
    AttributePlaces places;
    for (const Name& name : names_) {
      if (name.used) places[std::string(name.name)] = name.offset;
    }
    return places;
  }

 private:
  void JoinParts() {
    absl::flat_hash_map<std::string_view, size_t> index;
    for (size_t part = 0; part < parts_.size(); ++part) {
      for (const LiveRange& range : *parts_[part].ranges) {
        const auto [at, is_new] = index.try_emplace(range.name, names_.size());
        if (is_new) names_.push_back({.name = range.name, .size = range.size, .parts = {}});
        Name& name = names_[at->second];
        name.parts.emplace_back(part, &range);
        name.used |= range.used;
        name.sizes_agree &= range.sizes_agree && range.size == name.size;
      }
    }
    std::sort(names_.begin(), names_.end(),
              [](const Name& a, const Name& b) { return a.name < b.name; });
  }

  // By name.
  std::vector<User> UsersOf(const Name& name) const {
    std::vector<User> users;
    for (const auto& [part, range] : name.parts) {
      for (const AttributeUse& use : range->uses) {
        const Module& module = parts_[part].topology->module(use.module);
        users.push_back({module.name(), module.attributes()[use.index].size});
      }
    }
    std::sort(users.begin(), users.end(),
              [](const User& a, const User& b) { return a.module < b.module; });
    return users;
  }

  absl::Status CheckSizes() const {
    std::vector<std::string> errors;
    for (const Name& name : names_) {
      if (name.sizes_agree) continue;
      const std::vector<User> users = UsersOf(name);
      const User& first = users.front();
      for (const User& user : users) {
        if (user.size == first.size) continue;
        errors.push_back(absl::StrCat("attribute '", AbslView(name.name), "' has ", first.size,
                                      " bytes in module '", AbslView(first.module), "' but ",
                                      user.size, " bytes in module '", AbslView(user.module), "'"));
      }
    }
    if (errors.empty()) return absl::OkStatus();
    return Error(EINVAL, absl::StrJoin(errors, "; "));
  }

  bool MayBeWaiting(const Name& name) const {
    return std::any_of(name.parts.begin(), name.parts.end(), [&](const auto& each) {
      return bess::MayBeWaiting(*parts_[each.first].topology, *each.second);
    });
  }

  absl::Status KeepPlaces() {
    for (Name& name : names_) {
      const int16_t before = PlaceOf(previous_, std::string(name.name));
      if (!name.used || before < 0) continue;
      // An attribute that has grown may not fit there any more.
      const auto place = static_cast<uint32_t>(before);
      if (place % name.alignment() != 0 || place + name.size > kMetadataSize) continue;
      name.offset = before;
      BESS_RETURN_IF_ERROR(MoveApart(name));
    }
    return absl::OkStatus();
  }

  // One of two that clash gives its place up.
  absl::Status MoveApart(Name& name) {
    for (Name* other = FindClash(name); other != nullptr; other = FindClash(name)) {
      if (!MayBeWaiting(name)) {
        name.offset = -1;
        return absl::OkStatus();
      }
      if (!MayBeWaiting(*other)) {
        other->offset = -1;
      } else {
        return Error(EBUSY, "attributes '", name.name, "' and '", other->name,
                     "' share bytes and would meet, and packets carrying them may be waiting in "
                     "queues or cycles; take those out first");
      }
    }
    return absl::OkStatus();
  }

  // A placed name that shares bytes with `name` and is live at a common module.
  Name* FindClash(const Name& name) {
    for (Name& other : names_) {
      if (&other == &name || other.offset < 0) continue;
      if (name.Overlaps(other) && name.Meets(other)) return &other;
    }
    return nullptr;
  }

  absl::Status PlaceNewNames() {
    std::vector<Name*> pending;
    for (Name& name : names_) {
      if (name.used && name.offset < 0) pending.push_back(&name);
    }
    std::stable_sort(pending.begin(), pending.end(),
                     [](const Name* a, const Name* b) { return a->size > b->size; });
    for (Name* name : pending) {
      const auto any = [](const Name&) { return true; };
      const auto meeting = [&](const Name& other) { return name->Meets(other); };
      if (!PlaceAvoiding(*name, any) && !PlaceAvoiding(*name, meeting)) return Exhausted(*name);
    }
    return absl::OkStatus();
  }

  template <typename Avoid>
  bool PlaceAvoiding(Name& name, Avoid avoid) {
    for (uint32_t at = 0; at + name.size <= kMetadataSize; at += name.alignment()) {
      name.offset = static_cast<int16_t>(at);
      const bool free = std::none_of(names_.begin(), names_.end(), [&](const Name& other) {
        return &other != &name && other.offset >= 0 && name.Overlaps(other) && avoid(other);
      });
      if (free) return true;
    }
    name.offset = -1;
    return false;
  }

  absl::Status Exhausted(const Name& name) const {
    uint32_t taken = 0;
    for (const Name& other : names_) {
      if (other.offset >= 0 && other.Meets(name)) taken += other.size;
    }
    return Error(ENOSPC, "no room for attribute '", name.name, "' (", name.size,
                 " bytes) of module '", UsersOf(name).front().module, "': ", taken, " of ",
                 kMetadataSize, " bytes are taken by attributes it meets");
  }

  const std::vector<PartRanges>& parts_;
  const AttributePlaces& previous_;
  std::vector<Name> names_;
};

// --- What that means for modules ----------------------------------------------------------------

int16_t OffsetFor(const Topology& topology, const LiveRange& range, const AttributeUse& use,
                  int16_t place, std::vector<std::string>& warnings) {
  const bool written = WrittenUpstream(topology, range, use.module);
  if (use.mode == AttributeMode::kRead && !written) {
    warnings.push_back(absl::StrCat("module '", topology.module(use.module).name(),
                                    "' reads attribute '", range.name,
                                    "', which no module upstream writes: it reads "
                                    "zeros"));
    return kNoWriter;
  }
  if (use.mode == AttributeMode::kRead) return place;
  if (ReadDownstream(topology, range, use.module)) return place;
  return use.reads() && written ? place : kNoReader;
}

}  // namespace

LiveRanges FindLiveRanges(const Topology& topology) {
  LiveRanges ranges = CollectNames(topology);
  for (LiveRange& range : ranges) FindLiveRange(topology, range);
  return ranges;
}

int16_t PlaceOf(const AttributePlaces& places, const std::string& name) {
  const auto placed = places.find(name);
  return placed == places.end() ? int16_t{-1} : placed->second;
}

absl::StatusOr<AttributePlaces> PlaceRanges(const std::vector<PartRanges>& parts,
                                            const AttributePlaces& previous) {
  return Placer(parts, previous).Run();
}

PartMetadata LayOut(const Topology& topology, const LiveRanges& ranges,
                    const AttributePlaces& places) {
  PartMetadata layout;
  layout.offsets.resize(topology.size());
  layout.clear.resize(topology.size());
  for (uint32_t m = 0; m < topology.size(); ++m) {
    if (!topology.sites[m].has_attributes) continue;
    layout.offsets[m].resize(topology.module(m).attributes().size(), kNoReader);
  }
  for (const LiveRange& range : ranges) {
    const int16_t place = PlaceOf(places, range.name);
    for (const AttributeUse& use : range.uses) {
      layout.offsets[use.module][use.index] =
          OffsetFor(topology, range, use, place, layout.warnings);
    }
    if (place < 0) continue;
    for (const uint32_t start : range.cleared_at) {
      layout.clear[start].push_back({static_cast<uint32_t>(place), range.size});
    }
  }
  return layout;
}

}  // namespace bess
