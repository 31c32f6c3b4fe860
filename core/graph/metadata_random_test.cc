// SPDX-License-Identifier: Apache-2.0
//
// Random graphs and edits against a slow reference: reachability from a full matrix, and walks
// that follow what each byte of the metadata area means from module to module.
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "core/base/soak_testing.h"
#include "core/graph/graph_testing.h"
#include "core/graph/metadata_testing.h"

namespace bess {
namespace {

struct Shape {
  uint32_t modules = 8;
  uint32_t names = 6;
  uint32_t min_size = 1;
  uint32_t max_size = 8;
  uint32_t rarity = 3;       // one module in so many uses a name
  bool history = false;      // names come with places of before, without regard to each other
  uint32_t connections = 2;  // tried for each module, to begin with
};

class RandomLayout {
 public:
  RandomLayout(uint32_t seed, Shape shape) : shape_(shape), rng_(seed) {
    for (uint32_t i = 0; i < shape_.names; ++i) {
      sizes_[absl::StrCat("x", i)] = shape_.min_size + Below(shape_.max_size - shape_.min_size + 1);
    }
    for (const auto& [name, bytes] : sizes_) {
      if (shape_.history) places_[name] = static_cast<int16_t>(8 * Below((128 - bytes) / 8 + 1));
    }
    const uint32_t n = 2 + Below(shape_.modules - 1);
    for (uint32_t i = 0; i < n; ++i) AddModule();
    for (uint32_t i = 0; i < shape_.connections * n; ++i) AddConnection();
  }

  // Another module, or a connection more or less.
  void Edit() {
    if (test_.graph.modules.empty()) AddModule();  // the first graph was refused
    switch (Below(4)) {
      case 0:
        AddModule();
        AddConnection();
        break;
      case 1:
        RemoveConnection();
        break;
      default:
        AddConnection();
    }
  }

  // Lays out the graph as it is, and checks everything about the result. An edit that is refused
  // is taken back.
  void Check() {
    topology_.emplace(TopologyOf(test_.graph));
    auto layout = PlaceAttributes(*topology_, places_);
    if (!layout.ok()) {
      CheckRefusal(layout.status());
      test_.graph = accepted_;
      ++refused;
      return;
    }
    layout_ = *std::move(layout);
    FindReach();
    CheckOffsets();
    CheckOverlaps();
    CheckStability();
    for (int walk = 0; walk < 12; ++walk) Walk();
    accepted_ = test_.graph;
    places_ = layout_.places;
  }

  int refused = 0;
  int moved = 0;

 private:
  uint32_t Below(size_t n) { return static_cast<uint32_t>(rng_() % n); }
  std::string Name(uint32_t i) const { return absl::StrCat("m", i); }
  size_t size() const { return topology_->size(); }
  const std::vector<Attribute>& attributes(size_t m) const {
    return topology_->module(static_cast<uint32_t>(m)).attributes();
  }

  void AddModule() {
    const std::string name = Name(count_++);
    const uint32_t kind = Below(8);
    if (kind < 2) {
      test_.AddSource(name);
    } else if (kind == 2) {
      test_.AddQueue(name);
    } else {
      test_.Add(name);
    }
    constexpr AttributeMode kModes[] = {AttributeMode::kRead, AttributeMode::kWrite,
                                        AttributeMode::kUpdate};
    for (const auto& [attribute, bytes] : sizes_) {
      if (Below(shape_.rarity) != 0) continue;
      ASSERT_TRUE(test_.At(name).AddAttribute(attribute, bytes, kModes[Below(3)]).ok());
    }
  }

  std::string AnyModule() {
    auto it = test_.graph.modules.begin();
    std::advance(it, Below(test_.graph.modules.size()));
    return it->first;
  }
  void AddConnection() {
    // Taken gates and inputs of sources are refused, which is fine.
    test_.graph.Connect(AnyModule(), Below(3), AnyModule(), 0, {}).IgnoreError();
  }
  void RemoveConnection() {
    for (int i = 0; i < 5; ++i) {
      if (*test_.graph.Disconnect(AnyModule(), Below(3)) != nullptr) return;
    }
  }

  // --- the reference ----------------------------------------------------------------------------

  static bool Writes(const Attribute& a) { return a.mode != AttributeMode::kRead; }
  static bool Reads(const Attribute& a) { return a.mode != AttributeMode::kWrite; }

  template <typename Matches>
  bool Has(size_t m, const std::string& name, Matches matches) const {
    for (const Attribute& a : attributes(m)) {
      if (a.name == name && matches(a)) return true;
    }
    return false;
  }

  // reach_[a][b]: over one connection or more.
  void FindReach() {
    reach_.assign(size(), std::vector<bool>(size()));
    for (size_t a = 0; a < size(); ++a) {
      for (const auto& connection : topology_->down[a]) reach_[a][connection.to] = true;
    }
    for (size_t via = 0; via < size(); ++via) {
      for (size_t a = 0; a < size(); ++a) {
        for (size_t b = 0; b < size(); ++b) {
          if (reach_[a][via] && reach_[via][b]) reach_[a][b] = true;
        }
      }
    }
  }
  bool WrittenBefore(size_t m, const std::string& name) const {
    for (size_t w = 0; w < size(); ++w) {
      if (reach_[w][m] && Has(w, name, Writes)) return true;
    }
    return false;
  }
  bool ReadAfter(size_t m, const std::string& name) const {
    for (size_t r = 0; r < size(); ++r) {
      if (reach_[m][r] && Has(r, name, Reads)) return true;
    }
    return false;
  }
  bool Live(size_t m, const std::string& name) const {
    return (WrittenBefore(m, name) || Has(m, name, Writes)) &&
           (ReadAfter(m, name) || Has(m, name, Reads));
  }

  void CheckOffsets() {
    for (size_t m = 0; m < size(); ++m) {
      ASSERT_EQ(layout_.offsets[m].size(), attributes(m).size());
      for (size_t i = 0; i < attributes(m).size(); ++i) {
        const Attribute& a = attributes(m)[i];
        const bool written = WrittenBefore(m, a.name), read = ReadAfter(m, a.name);
        const int16_t offset = layout_.offsets[m][i];
        const bool placed = (Reads(a) && written) || (Writes(a) && read);
        if (!placed) {
          ASSERT_EQ(offset, a.mode == AttributeMode::kRead ? kNoWriter : kNoReader);
          continue;
        }
        ASSERT_EQ(offset, layout_.places.at(a.name));
        ASSERT_GE(offset, 0);
        ASSERT_LE(static_cast<size_t>(offset) + a.size, kMetadataSize);
      }
    }
  }

  bool Overlap(int a, uint32_t a_size, int b, uint32_t b_size) const {
    return a < b + static_cast<int>(b_size) && b < a + static_cast<int>(a_size);
  }
  void CheckOverlaps() {
    for (const auto& [a, a_at] : layout_.places) {
      for (const auto& [b, b_at] : layout_.places) {
        if (a >= b || !Overlap(a_at, sizes_.at(a), b_at, sizes_.at(b))) continue;
        for (size_t m = 0; m < size(); ++m) {
          ASSERT_FALSE(Live(m, a) && Live(m, b)) << a << " and " << b << " meet at " << m;
        }
      }
    }
  }

  // A place changes only when another attribute had bytes in common with it.
  void CheckStability() {
    for (const auto& [name, at] : layout_.places) {
      const auto before = places_.find(name);
      if (before == places_.end() || before->second == at) continue;
      ++moved;
      bool shared = false;
      for (const auto& [other, other_at] : places_) {
        shared |=
            other != name && Overlap(before->second, sizes_.at(name), other_at, sizes_.at(other));
      }
      ASSERT_TRUE(shared) << name << " moved without need";
    }
  }

  void CheckRefusal(const absl::Status& status) {
    uint32_t sum = 0;
    for (const auto& [name, bytes] : sizes_) sum += bytes;
    const int code = StatusErrno(status);
    ASSERT_TRUE(code == ENOSPC || code == EBUSY) << status;
    // Kept places and alignment leave holes, but not more than half of the area.
    ASSERT_TRUE(code == EBUSY || sum > kMetadataSize / 2) << status;
    ASSERT_NE(status.message().find("attribute"), absl::string_view::npos);
  }

  // --- walks ------------------------------------------------------------------------------------

  // What a byte means: which byte of which attribute, zero, or garbage of a previous life.
  struct Meaning {
    std::string name;
    uint32_t byte = 0;
    bool operator==(const Meaning&) const = default;
  };

  void Walk() {
    std::vector<uint32_t> starts;
    for (uint32_t m = 0; m < size(); ++m) {
      const Module& module = topology_->module(m);
      if (!module.tasks().empty() && !module.info().holds_packets) starts.push_back(m);
    }
    if (starts.empty()) return;
    uint32_t at = starts[Below(starts.size())];
    std::vector<Meaning> bytes(kMetadataSize, {"garbage"});
    Write(at, bytes);
    // Behind the start, as the plan has it.
    for (const ClearRange& range : layout_.clear[at]) {
      for (uint32_t i = 0; i < range.size; ++i) bytes.at(range.offset + i) = {"zero"};
    }
    for (int step = 0; step < 10 && !topology_->down[at].empty(); ++step) {
      at = topology_->down[at][Below(topology_->down[at].size())].to;
      Read(at, bytes);
      if (testing::Test::HasFatalFailure()) return;
      Write(at, bytes);
    }
  }
  void Read(uint32_t at, const std::vector<Meaning>& bytes) {
    for (size_t i = 0; i < attributes(at).size(); ++i) {
      const Attribute& a = attributes(at)[i];
      const int16_t offset = layout_.offsets[at][i];
      if (!Reads(a) || offset < 0) continue;
      for (uint32_t k = 0; k < a.size; ++k) {
        const Meaning& found = bytes[static_cast<size_t>(offset) + k];
        const Meaning zero{"zero"}, own{a.name, k};
        ASSERT_TRUE(found == zero || found == own) << "module " << at << " reads byte " << k
                                                   << " of " << a.name << ", finds " << found.name;
      }
    }
  }
  void Write(uint32_t at, std::vector<Meaning>& bytes) {
    for (size_t i = 0; i < attributes(at).size(); ++i) {
      const Attribute& a = attributes(at)[i];
      const int16_t offset = layout_.offsets[at][i];
      if (!Writes(a) || offset < 0) continue;
      for (uint32_t k = 0; k < a.size; ++k) bytes[static_cast<size_t>(offset) + k] = {a.name, k};
    }
  }

  const Shape shape_;
  std::mt19937 rng_;
  TestGraph test_;
  std::map<std::string, uint32_t> sizes_;
  uint32_t count_ = 0;
  Graph accepted_;
  AttributePlaces places_;
  std::optional<Topology> topology_;
  MetadataLayout layout_;
  std::vector<std::vector<bool>> reach_;
};

constexpr uint64_t kEdits = 15;  // of each graph that is edited

TEST(MetadataRandomTest, EveryRuleHolds) {
  const uint64_t seeds = SoakPackets(6000);
  for (uint32_t seed = 0; seed < seeds; ++seed) {
    RandomLayout layout(seed, {});
    layout.Check();
    ASSERT_EQ(layout.refused, 0) << "48 bytes always fit";
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

TEST(MetadataRandomTest, NothingMovesWhileThereIsRoom) {
  const uint64_t seeds = SoakPackets(400 * kEdits) / kEdits;
  for (uint32_t seed = 0; seed < seeds; ++seed) {
    RandomLayout layout(seed, {});
    for (uint64_t edit = 0; edit < kEdits; ++edit) {
      layout.Check();
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", edit " << edit;
      layout.Edit();
    }
    ASSERT_EQ(layout.refused, 0);
    ASSERT_EQ(layout.moved, 0);
  }
}

TEST(MetadataRandomTest, EveryRuleHoldsWhenBytesRunOut) {
  uint64_t refused = 0, moved = 0;
  const uint64_t seeds = SoakPackets(500 * kEdits) / kEdits;
  for (uint32_t seed = 0; seed < seeds; ++seed) {
    RandomLayout layout(seed, {.modules = 12,
                               .names = 8,
                               .min_size = 16,
                               .max_size = 32,
                               .rarity = 4,
                               .history = true,
                               .connections = 1});
    for (uint64_t edit = 0; edit < kEdits; ++edit) {
      layout.Check();
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", edit " << edit;
      layout.Edit();
    }
    refused += static_cast<uint64_t>(layout.refused);
    moved += static_cast<uint64_t>(layout.moved);
  }
  EXPECT_GT(refused, seeds / 5) << "the area is exhausted now and then";
  EXPECT_GT(moved, seeds / 25) << "and attributes that shared bytes meet";
}

}  // namespace
}  // namespace bess
