// SPDX-License-Identifier: Apache-2.0
//
// Which of many rules matches first, in a time that hardly depends on how many there are.
//
// Mostly a packet's source or destination address alone leaves few rules: then each class of that
// address, which is the longest prefix that holds it, has a list of all rules that such an address
// satisfies, and the rest of what those ask for is compared (rule_lists.h). Where many rules ask
// for no source and many for no destination, those with a source have lists by that, and the others
// by their destination. Where the list of some class would be long even so, there are bitmaps.
//
// Each field (an address, a port, "established") has classes: values that satisfy the same rules. A
// class is a bitmap with a bit for each such rule, and what matches a packet is what is set in the
// bitmaps of all its fields; the first bit that is left is the first rule. The class of an address
// is that of the longest prefix that holds it, whose bitmap has the rules of all shorter prefixes
// around it too.
//
// Bitmaps come in blocks of 512 rules, with a summary of which blocks are not empty, so blocks in
// which a packet can match nothing are not looked at. Most of a class's blocks are those of the
// class around it, and shared.
//
// A classifier does not change.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/match/prefix_table.h"
#include "modules/acl/rule.h"
#include "modules/acl/rule_lists.h"

namespace bess {

// The classes of one field, as bitmaps of rules.
class BitmapClasses {
 public:
  static constexpr uint32_t kBlockBits = 512;
  struct alignas(64) Block {
    std::array<uint64_t, kBlockBits / 64> words{};
  };

  // Class 0, empty, is there from the start.
  explicit BitmapClasses(uint32_t rules);

  // A class with the rules of class `like`.
  uint32_t Add(uint32_t like);
  void Set(uint32_t which, uint32_t rule);
  size_t size() const { return owned_from_.size(); }

  // Bit i of word w: block 64 * w + i has rules.
  uint64_t summary(uint32_t which, uint32_t word) const {
    return summaries_[size_t{which} * summary_words_ + word];
  }
  uint32_t summary_words() const { return summary_words_; }
  const Block& block(uint32_t which, uint32_t block) const {
    return blocks_[rows_[size_t{which} * row_blocks_ + block]];
  }

 private:
  uint32_t row_blocks_;
  uint32_t summary_words_;
  std::vector<uint32_t> rows_;       // by class, row_blocks_ each: indices into blocks_
  std::vector<uint64_t> summaries_;  // by class, summary_words_ each
  std::vector<uint32_t>
      owned_from_;             // by class: blocks from this one on are not shared with others
  std::vector<Block> blocks_;  // the first is empty
};

class AclClassifier {
 public:
  static constexpr uint32_t kNoRule = RuleLists::kNoRule;
  static constexpr uint32_t kMaxRules = 1 << 17;

  // For at most kMaxRules rules. ENOMEM when there is no address space for its tables.
  static absl::StatusOr<std::unique_ptr<const AclClassifier>> Create(
      absl::Span<const AclRule> rules);

  // Rather than bitmaps.
  bool has_lists() const { return !listed_.empty(); }

  // Thread: any. Writes the index of the first rule that matches each key, or kNoRule.
  void Match(absl::Span<const AclKey> keys, uint32_t* rules) const;

 private:
  enum Field : uint32_t { kSource, kDestination, kSourcePort, kDestinationPort, kEstablished };
  static constexpr uint32_t kFields = 5;
  static constexpr size_t kChunk = 64;
  using ClassesOf = uint32_t[kFields][kChunk];  // what Match knows of each key

  // Which class an address is of; a family that no rule names has no table.
  struct AddressTables {
    std::unique_ptr<PrefixTable<4>> four;
    std::unique_ptr<PrefixTable<16>> six;
  };

  explicit AclClassifier(uint32_t rules) : rules_(rules) {}

  absl::Status Fill(absl::Span<const AclRule> rules);
  static std::optional<Field> ChooseListed(absl::Span<const AclRule> rules);
  absl::Status MakeLists(absl::Span<const AclRule> rules, absl::Span<const uint32_t> numbers,
                         Field field);
  absl::Status MakeBitmaps(absl::Span<const AclRule> rules);
  template <typename Classes>
  absl::Status AddAddresses(absl::Span<const AclRule> rules, Field field, Classes& classes);
  template <typename Prefix, size_t kBytes, typename Classes>
  static absl::Status AddFamily(absl::Span<const AclRule> rules, AnyPrefix AclRule::*condition,
                                std::unique_ptr<PrefixTable<kBytes>>& table, Classes& classes);
  void AddPorts(absl::Span<const AclRule> rules, Field field, uint16_t AclRule::*condition);
  void AddEstablished(absl::Span<const AclRule> rules);
  void DecideClasses();

  void MatchLists(absl::Span<const AclKey> keys, uint32_t* rules) const;
  void MatchBitmaps(absl::Span<const AclKey> keys, uint32_t* rules) const;
  void Classify(absl::Span<const AclKey> keys, ClassesOf& classes) const;
  void ClassifyAddresses(absl::Span<const AclKey> keys, Field field, uint32_t* classes) const;
  uint32_t First(const ClassesOf& classes, size_t key) const;
  uint32_t FirstInBlock(const ClassesOf& classes, size_t key, uint32_t block) const;

  uint32_t rules_;
  std::vector<Field> listed_;           // whose classes are lists; then there are no bitmaps
  RuleLists lists_[2];                  // by class; kSource, kDestination
  std::vector<BitmapClasses> classes_;  // by field
  std::vector<Field> asked_;            // fields that some rule has a condition on
  std::vector<uint32_t> first_;         // by class of the one field, if only one is asked
  AddressTables addresses_[2];          // kSource, kDestination
  std::vector<uint32_t> ports_[2];      // the classes of ports; kSourcePort, kDestinationPort
};

}  // namespace bess
