// SPDX-License-Identifier: Apache-2.0
#include "core/graph/metadata.h"

#include <algorithm>
#include <bit>
#include <map>

#include "absl/strings/str_join.h"

namespace bess {
namespace {

using ModuleSet = std::vector<bool>;

struct Use {
  uint32_t module = 0;
  uint32_t index = 0;  // among the module's attributes
  AttributeMode mode = AttributeMode::kRead;

  bool reads() const { return mode != AttributeMode::kWrite; }
  bool writes() const { return mode != AttributeMode::kRead; }
};

// One attribute name and everything the graph does with it.
struct Name {
  std::string name;
  uint32_t size = 0;
  std::vector<Use> uses;
  ModuleSet after_writer;   // writers and everything downstream of them
  ModuleSet before_reader;  // readers and everything upstream of them
  // Modules where packets start that may meet a reader before a writer: they are zeroed there.
  std::vector<uint32_t> cleared_at;
  ModuleSet live;     // from where it is written or zeroed to where it is read
  bool used = false;  // some reader gets what some writer wrote
  int16_t offset = -1;

  uint32_t alignment() const { return std::min(std::bit_ceil(size), 8u); }
  bool Overlaps(const Name& other) const {
    return offset < other.offset + static_cast<int>(other.size) &&
           other.offset < offset + static_cast<int>(size);
  }
  bool Meets(const Name& other) const {
    for (size_t i = 0; i < live.size(); ++i) {
      if (live[i] && other.live[i]) return true;
    }
    return false;
  }
};

// Whether a cycle was ever cut here. Its buffer may be empty now and fill before the next plan.
bool IsBuffered(const Edge& edge) {
  for (uint32_t worker = 0; worker < kMaxWorkers; ++worker) {
    if (edge.loop(worker) != nullptr) return true;
  }
  return false;
}

class Placer {
 public:
  Placer(const Topology& topology, const AttributePlaces& previous)
      : topology_(topology), previous_(previous) {}

  absl::StatusOr<MetadataLayout> Run() {
    BESS_RETURN_IF_ERROR(CollectNames());
    for (Name& name : names_) FindLiveRange(name);
    BESS_RETURN_IF_ERROR(KeepPlaces());
    BESS_RETURN_IF_ERROR(PlaceNewNames());
    return Describe();
  }

 private:
  const std::string& ModuleName(uint32_t i) const { return topology_.module(i).name(); }

  absl::Status CollectNames() {
    std::map<std::string, size_t> index;
    std::vector<std::string> errors;
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      const auto& attributes = topology_.module(m).attributes();
      for (uint32_t i = 0; i < attributes.size(); ++i) {
        const Attribute& attribute = attributes[i];
        const auto [it, is_new] = index.try_emplace(attribute.name, names_.size());
        if (is_new) names_.push_back({.name = attribute.name, .size = attribute.size});
        Name& name = names_[it->second];
        if (name.size != attribute.size) {
          errors.push_back(absl::StrCat("attribute '", name.name, "' has ", name.size,
                                        " bytes in module '", ModuleName(name.uses.front().module),
                                        "' but ", attribute.size, " bytes in module '",
                                        ModuleName(m), "'"));
        }
        name.uses.push_back({m, i, attribute.mode});
      }
    }
    if (errors.empty()) return absl::OkStatus();
    return Error(EINVAL, absl::StrJoin(errors, "; "));
  }

  template <typename Neighbours>
  ModuleSet Spread(std::vector<uint32_t> pending, Neighbours neighbours) const {
    ModuleSet reached(topology_.size());
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

  void FindLiveRange(Name& name) const {
    std::vector<uint32_t> writers, readers;
    for (const Use& use : name.uses) {
      if (use.writes()) writers.push_back(use.module);
      if (use.reads()) readers.push_back(use.module);
    }
    const auto downstream = [&](uint32_t m, auto visit) {
      for (const auto& connection : topology_.down[m]) visit(connection.to);
    };
    name.after_writer = Spread(writers, downstream);
    name.before_reader = Spread(readers, [&](uint32_t m, auto visit) {
      for (const uint32_t up : topology_.up[m]) visit(up);
    });
    FindStartsToClear(name);
    std::vector<uint32_t> origins = writers;
    origins.insert(origins.end(), name.cleared_at.begin(), name.cleared_at.end());
    const ModuleSet after_origin = Spread(std::move(origins), downstream);
    name.live.resize(topology_.size());
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      name.live[m] = after_origin[m] && name.before_reader[m];
    }
    name.used = std::any_of(name.uses.begin(), name.uses.end(), [&](const Use& use) {
      return WrittenUpstream(name, use.module) && use.reads();
    });
  }

  // Walks from each module where packets start, past non-writers, looking for a reader. What a
  // module that holds packets sends has started elsewhere.
  void FindStartsToClear(Name& name) const {
    ModuleSet writes(topology_.size()), reads(topology_.size());
    for (const Use& use : name.uses) {
      if (use.writes()) writes[use.module] = true;
      if (use.reads()) reads[use.module] = true;
    }
    const auto unwritten = [&](uint32_t m, auto visit) {
      if (writes[m]) return;
      for (const auto& connection : topology_.down[m]) visit(connection.to);
    };
    for (uint32_t start = 0; start < topology_.size(); ++start) {
      const Module& module = topology_.module(start);
      const bool starts = !module.tasks().empty() && !module.info().holds_packets;
      if (!starts || writes[start] || !name.before_reader[start]) continue;
      std::vector<uint32_t> next;
      for (const auto& connection : topology_.down[start]) next.push_back(connection.to);
      const ModuleSet reached = Spread(std::move(next), unwritten);
      for (uint32_t m = 0; m < topology_.size(); ++m) {
        if (!reached[m] || !reads[m]) continue;
        name.cleared_at.push_back(start);
        break;
      }
    }
  }

  bool WrittenUpstream(const Name& name, uint32_t m) const {
    return std::any_of(topology_.up[m].begin(), topology_.up[m].end(),
                       [&](uint32_t up) { return name.after_writer[up]; });
  }
  bool ReadDownstream(const Name& name, uint32_t m) const {
    return std::any_of(topology_.down[m].begin(), topology_.down[m].end(),
                       [&](const auto& connection) { return name.before_reader[connection.to]; });
  }

  // Packets carrying the attribute may be waiting in a module or a cut cycle: its place cannot
  // change. They may have come there from a writer that is connected no more.
  bool MayBeWaiting(const Name& name) const {
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      if (name.before_reader[m] && topology_.module(m).info().holds_packets) return true;
      for (const auto& connection : topology_.down[m]) {
        if (name.before_reader[connection.to] && IsBuffered(*connection.gate->edge)) return true;
      }
    }
    return false;
  }

  absl::Status KeepPlaces() {
    for (Name& name : names_) {
      const auto it = previous_.find(name.name);
      if (!name.used || it == previous_.end()) continue;
      // An attribute that has grown may not fit there any more.
      const uint32_t place = static_cast<uint32_t>(it->second);
      if (place % name.alignment() != 0 || place + name.size > kMetadataSize) continue;
      name.offset = it->second;
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
                 " bytes) of module '", ModuleName(name.uses.front().module), "': ", taken, " of ",
                 kMetadataSize, " bytes are taken by attributes it meets");
  }

  MetadataLayout Describe() {
    MetadataLayout layout;
    layout.offsets.resize(topology_.size());
    layout.clear.resize(topology_.size());
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      layout.offsets[m].resize(topology_.module(m).attributes().size(), kNoReader);
    }
    for (const Name& name : names_) {
      if (name.used) layout.places[name.name] = name.offset;
      for (const Use& use : name.uses) {
        layout.offsets[use.module][use.index] = OffsetFor(name, use, layout.warnings);
      }
      if (!name.used) continue;
      for (const uint32_t start : name.cleared_at) {
        layout.clear[start].push_back({static_cast<uint32_t>(name.offset), name.size});
      }
    }
    return layout;
  }

  int16_t OffsetFor(const Name& name, const Use& use, std::vector<std::string>& warnings) const {
    const bool written = WrittenUpstream(name, use.module);
    if (use.mode == AttributeMode::kRead && !written) {
      warnings.push_back(absl::StrCat("module '", ModuleName(use.module), "' reads attribute '",
                                      name.name,
                                      "', which no module upstream writes: it reads "
                                      "zeros"));
      return kNoWriter;
    }
    if (use.mode == AttributeMode::kRead) return name.offset;
    if (ReadDownstream(name, use.module)) return name.offset;
    return use.reads() && written ? name.offset : kNoReader;
  }

  const Topology& topology_;
  const AttributePlaces& previous_;
  std::vector<Name> names_;
};

}  // namespace

absl::StatusOr<MetadataLayout> PlaceAttributes(const Topology& topology,
                                               const AttributePlaces& previous) {
  return Placer(topology, previous).Run();
}

}  // namespace bess
