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
  ModuleSet live;           // both
  bool used = false;        // some reader gets what some writer wrote
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
    name.after_writer = Spread(writers, [&](uint32_t m, auto visit) {
      for (const auto& connection : topology_.down[m]) visit(connection.to);
    });
    name.before_reader = Spread(readers, [&](uint32_t m, auto visit) {
      for (const uint32_t up : topology_.up[m]) visit(up);
    });
    name.live.resize(topology_.size());
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      name.live[m] = name.after_writer[m] && name.before_reader[m];
    }
    name.used = std::any_of(name.uses.begin(), name.uses.end(), [&](const Use& use) {
      return WrittenUpstream(name, use.module) && use.reads();
    });
  }

  bool WrittenUpstream(const Name& name, uint32_t m) const {
    return std::any_of(topology_.up[m].begin(), topology_.up[m].end(),
                       [&](uint32_t up) { return name.after_writer[up]; });
  }
  bool ReadDownstream(const Name& name, uint32_t m) const {
    return std::any_of(topology_.down[m].begin(), topology_.down[m].end(),
                       [&](const auto& connection) { return name.before_reader[connection.to]; });
  }

  // Packets carrying the attribute may be waiting in a module: its place cannot change.
  bool MayBeWaiting(const Name& name) const {
    for (uint32_t m = 0; m < topology_.size(); ++m) {
      if (name.live[m] && topology_.module(m).info().holds_packets) return true;
    }
    return false;
  }

  absl::Status KeepPlaces() {
    for (Name& name : names_) {
      const auto it = previous_.find(name.name);
      if (!name.used || it == previous_.end()) continue;
      name.offset = it->second;
      Name* other = FindClash(name);
      if (other == nullptr) continue;
      if (!MayBeWaiting(name)) {
        name.offset = -1;
      } else if (!MayBeWaiting(*other)) {
        other->offset = -1;
      } else {
        return Error(EBUSY, "attributes '", name.name, "' and '", other->name,
                     "' share bytes and would meet, and packets carrying them may be waiting in "
                     "queues; remove the queues first");
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
      if (name.used) FindClearRanges(name, layout);
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

  // Walks from each module where packets start, past non-writers, looking for a reader.
  void FindClearRanges(const Name& name, MetadataLayout& layout) const {
    std::vector<bool> writes(topology_.size()), reads(topology_.size());
    for (const Use& use : name.uses) {
      if (use.writes()) writes[use.module] = true;
      if (use.reads()) reads[use.module] = true;
    }
    for (uint32_t root = 0; root < topology_.size(); ++root) {
      if (topology_.module(root).info().igates != 0 || !name.before_reader[root]) continue;
      if (writes[root]) continue;
      const ModuleSet unwritten = Spread({root}, [&](uint32_t m, auto visit) {
        if (m != root && writes[m]) return;
        for (const auto& connection : topology_.down[m]) visit(connection.to);
      });
      for (uint32_t m = 0; m < topology_.size(); ++m) {
        if (!unwritten[m] || !reads[m] || m == root) continue;
        layout.clear[root].push_back({static_cast<uint32_t>(name.offset), name.size});
        break;
      }
    }
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
