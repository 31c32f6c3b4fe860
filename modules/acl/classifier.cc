// SPDX-License-Identifier: Apache-2.0
#include "modules/acl/classifier.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "core/base/status.h"

namespace bess {
namespace {

constexpr uint32_t kWordBits = 64;

// An address of a key, as it lies in a packet.
template <size_t kBytes>
std::array<uint8_t, kBytes> AddressOf(const AclKey& key, size_t word) {
  std::array<uint8_t, kBytes> address;
  if constexpr (kBytes == 4) {
    StoreUnaligned(address.data(), Be32(static_cast<uint32_t>(key.words[word])));
  } else {
    std::memcpy(address.data(), &key.words[word], kBytes);
  }
  return address;
}

// Replaces the classes of those keys that `belongs` picks.
template <size_t kBytes, typename Belongs>
void Replace(const PrefixTable<kBytes>* table, absl::Span<const AclKey> keys, size_t word,
             Belongs belongs, uint32_t* classes) {
  if (table == nullptr) return;
  constexpr size_t kMax = 64;
  typename PrefixTable<kBytes>::Address addresses[kMax];
  uint32_t found[kMax];
  uint8_t which[kMax];
  size_t n = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    addresses[n] = AddressOf<kBytes>(keys[i], word);
    which[n] = static_cast<uint8_t>(i);
    n += belongs(keys[i]) ? 1 : 0;
  }
  table->Find({addresses, n}, found);
  for (size_t i = 0; i < n; ++i) {
    classes[which[i]] = found[i] == PrefixTable<kBytes>::kNone ? 0 : found[i];
  }
}

// The prefixes of one family, with their rules.
template <typename Prefix>
std::vector<std::pair<Prefix, uint32_t>> PrefixesOf(absl::Span<const AclRule> rules,
                                                    AnyPrefix AclRule::*condition) {
  std::vector<std::pair<Prefix, uint32_t>> prefixes;
  for (uint32_t i = 0; i < rules.size(); ++i) {
    const auto* prefix = std::get_if<Prefix>(&(rules[i].*condition));
    if (prefix != nullptr) prefixes.emplace_back(*prefix, i);
  }
  return prefixes;
}

// --- Lists --------------------------------------------------------------------------------------

// Bitmaps take longer even with some hundred rules in a list, but less memory: a list is copied to
// all classes within its own.
constexpr size_t kMaxListed = 4 * RuleLists::kLanes - 1;

// The classes of one field, as lists of rules. What BitmapClasses has, for few rules.
class ListClasses {
 public:
  uint32_t Add(uint32_t like) {
    lists_.push_back(lists_[like]);
    return static_cast<uint32_t>(lists_.size() - 1);
  }
  void Set(uint32_t which, uint32_t rule) { lists_[which].push_back(rule); }
  size_t size() const { return lists_.size(); }
  absl::Span<const uint32_t> Sorted(uint32_t which) {
    std::sort(lists_[which].begin(), lists_[which].end());
    return lists_[which];
  }

 private:
  std::vector<std::vector<uint32_t>> lists_{1};
};

// How many of a family's prefixes at most hold the same address.
template <typename Prefix>
size_t DeepestNest(absl::Span<const AclRule> rules, AnyPrefix AclRule::*condition) {
  auto prefixes = PrefixesOf<Prefix>(rules, condition);
  std::sort(prefixes.begin(), prefixes.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.address, a.first.length) < std::tie(b.first.address, b.first.length);
  });
  std::vector<Prefix> around;
  size_t deepest = 0;
  for (const auto& [prefix, rule] : prefixes) {
    while (!around.empty() && !around.back().Contains(prefix.address)) around.pop_back();
    around.push_back(prefix);
    deepest = std::max(deepest, around.size());
  }
  return deepest;
}

// Of the lists that this address would have.
size_t LongestList(absl::Span<const AclRule> rules, AnyPrefix AclRule::*condition) {
  const auto without = std::count_if(rules.begin(), rules.end(), [&](const AclRule& rule) {
    return std::holds_alternative<std::monostate>(rule.*condition);
  });
  return static_cast<size_t>(without) + std::max(DeepestNest<Ipv4Prefix>(rules, condition),
                                                 DeepestNest<Ipv6Prefix>(rules, condition));
}

// Some of the rules, each with its number among all.
struct Part {
  std::vector<AclRule> rules;
  std::vector<uint32_t> numbers;

  void Add(const AclRule& rule, size_t number) {
    rules.push_back(rule);
    numbers.push_back(static_cast<uint32_t>(number));
  }
};

struct Parts {
  Part with_source;
  Part others;

  explicit Parts(absl::Span<const AclRule> rules) {
    for (size_t i = 0; i < rules.size(); ++i) {
      const bool none = std::holds_alternative<std::monostate>(rules[i].source);
      (none ? others : with_source).Add(rules[i], i);
    }
  }
  bool HaveShortLists() const {
    return LongestList(with_source.rules, &AclRule::source) <= kMaxListed &&
           LongestList(others.rules, &AclRule::destination) <= kMaxListed;
  }
};

// Takes out of a class's rules what need not be compared: the address that has led to the class;
// that there are ports, as none is 0 and all are 0 where there are none; and the family, which
// every class but the outermost knows, unless rules of the other are among them.
void Simplify(std::vector<RuleLists::Entry>& entries, size_t word, bool knows_family) {
  uint64_t families = 0, implied = AclKey::kHasPorts;
  for (const auto& entry : entries) families |= entry.pattern.value.words[AclKey::kRest];
  families &= AclKey::kIsIpv4 | AclKey::kIsIpv6;
  if (knows_family && std::has_single_bit(families)) implied |= families;
  for (auto& entry : entries) {
    entry.pattern.mask.words[word] = entry.pattern.mask.words[word + 1] = 0;
    entry.pattern.mask.words[AclKey::kRest] &= ~implied;
  }
}

}  // namespace

// --- Bitmaps ------------------------------------------------------------------------------------

BitmapClasses::BitmapClasses(uint32_t rules)
    : row_blocks_((rules + kBlockBits - 1) / kBlockBits),
      summary_words_((row_blocks_ + kWordBits - 1) / kWordBits),
      rows_(row_blocks_, 0),
      summaries_(summary_words_, 0),
      owned_from_(1, 1),
      blocks_(1) {}

uint32_t BitmapClasses::Add(uint32_t like) {
  const auto added = static_cast<uint32_t>(size());
  for (uint32_t i = 0; i < row_blocks_; ++i) rows_.push_back(rows_[size_t{like} * row_blocks_ + i]);
  for (uint32_t i = 0; i < summary_words_; ++i) summaries_.push_back(summary(like, i));
  owned_from_.push_back(static_cast<uint32_t>(blocks_.size()));
  return added;
}

void BitmapClasses::Set(uint32_t which, uint32_t rule) {
  const uint32_t block = rule / kBlockBits;
  uint32_t& index = rows_[size_t{which} * row_blocks_ + block];
  if (index < owned_from_[which]) {
    blocks_.push_back(Block(blocks_[index]));
    index = static_cast<uint32_t>(blocks_.size() - 1);
  }
  const uint32_t bit = rule % kBlockBits;
  blocks_[index].words[bit / kWordBits] |= uint64_t{1} << bit % kWordBits;
  summaries_[size_t{which} * summary_words_ + block / kWordBits] |= uint64_t{1}
                                                                    << block % kWordBits;
}

// --- Making one ---------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<const AclClassifier>> AclClassifier::Create(
    absl::Span<const AclRule> rules) {
  std::unique_ptr<AclClassifier> made(new AclClassifier(static_cast<uint32_t>(rules.size())));
  BESS_RETURN_IF_ERROR(made->Fill(rules));
  return made;
}

absl::Status AclClassifier::Fill(absl::Span<const AclRule> rules) {
  if (const auto field = ChooseListed(rules)) {
    std::vector<uint32_t> numbers(rules.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    return MakeLists(rules, numbers, *field);
  }
  const Parts parts(rules);
  if (!parts.HaveShortLists()) return MakeBitmaps(rules);
  const auto& [with_source, others] = parts;
  BESS_RETURN_IF_ERROR(MakeLists(with_source.rules, with_source.numbers, kSource));
  return MakeLists(others.rules, others.numbers, kDestination);
}

// The address that leaves fewer rules to compare, if it leaves few.
std::optional<AclClassifier::Field> AclClassifier::ChooseListed(absl::Span<const AclRule> rules) {
  const size_t source = LongestList(rules, &AclRule::source);
  const size_t destination = LongestList(rules, &AclRule::destination);
  if (std::min(source, destination) > kMaxListed) return std::nullopt;
  return source <= destination ? kSource : kDestination;
}

absl::Status AclClassifier::MakeLists(absl::Span<const AclRule> rules,
                                      absl::Span<const uint32_t> numbers, Field field) {
  listed_.push_back(field);
  ListClasses classes;
  BESS_RETURN_IF_ERROR(AddAddresses(rules, field, classes));
  std::vector<RuleLists::Entry> entries;
  for (uint32_t i = 0; i < classes.size(); ++i) {
    entries.clear();
    for (const uint32_t rule : classes.Sorted(i)) {
      entries.push_back({AclPattern(rules[rule]), numbers[rule]});
    }
    Simplify(entries, field == kSource ? AclKey::kSource : AclKey::kDestination, i != 0);
    lists_[field].Add(entries);
  }
  return absl::OkStatus();
}

absl::Status AclClassifier::MakeBitmaps(absl::Span<const AclRule> rules) {
  classes_.assign(kFields, BitmapClasses(rules_));
  for (const Field field : {kSource, kDestination}) {
    BESS_RETURN_IF_ERROR(AddAddresses(rules, field, classes_[field]));
    const AddressTables& tables = addresses_[field];
    if (tables.four != nullptr || tables.six != nullptr) asked_.push_back(field);
  }
  AddPorts(rules, kSourcePort, &AclRule::source_port);
  AddPorts(rules, kDestinationPort, &AclRule::destination_port);
  AddEstablished(rules);
  DecideClasses();
  return absl::OkStatus();
}

template <typename Classes>
absl::Status AclClassifier::AddAddresses(absl::Span<const AclRule> rules, Field field,
                                         Classes& classes) {
  const auto condition = field == kSource ? &AclRule::source : &AclRule::destination;
  for (uint32_t i = 0; i < rules.size(); ++i) {
    if (std::holds_alternative<std::monostate>(rules[i].*condition)) classes.Set(0, i);
  }
  AddressTables& tables = addresses_[field];
  BESS_RETURN_IF_ERROR(AddFamily<Ipv4Prefix>(rules, condition, tables.four, classes));
  return AddFamily<Ipv6Prefix>(rules, condition, tables.six, classes);
}

// From the shortest prefix to the longest, so that the class around one is there before it is.
template <typename Prefix, size_t kBytes, typename Classes>
absl::Status AclClassifier::AddFamily(absl::Span<const AclRule> rules,
                                      AnyPrefix AclRule::*condition,
                                      std::unique_ptr<PrefixTable<kBytes>>& table,
                                      Classes& classes) {
  auto prefixes = PrefixesOf<Prefix>(rules, condition);
  if (prefixes.empty()) return absl::OkStatus();
  std::sort(prefixes.begin(), prefixes.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.length, a.first.address, a.second) <
           std::tie(b.first.length, b.first.address, b.second);
  });
  using Table = PrefixTable<kBytes>;
  BESS_ASSIGN_OR_RETURN(
      table, Table::Create(static_cast<uint32_t>(prefixes.size()) * Table::kGroupsOfOne));
  uint32_t current = 0;
  for (size_t i = 0; i < prefixes.size(); ++i) {
    const auto& [prefix, rule] = prefixes[i];
    if (i == 0 || !(prefix == prefixes[i - 1].first)) {
      const auto bytes = ToBytes(prefix);
      uint32_t around = 0;
      table->Find({&bytes.address, 1}, &around);
      current = classes.Add(around == Table::kNone ? 0 : around);
      table->Add(bytes, current);
    }
    classes.Set(current, rule);
  }
  return absl::OkStatus();
}

void AclClassifier::AddPorts(absl::Span<const AclRule> rules, Field field,
                             uint16_t AclRule::*condition) {
  BitmapClasses& classes = classes_[field];
  std::vector<uint32_t>& ports = ports_[field - kSourcePort];
  for (uint32_t i = 0; i < rules.size(); ++i) {
    if (rules[i].*condition == 0) classes.Set(0, i);
  }
  for (uint32_t i = 0; i < rules.size(); ++i) {
    const uint16_t port = rules[i].*condition;
    if (port == 0) continue;
    ports.resize(UINT16_MAX + 1);
    if (ports[port] == 0) ports[port] = classes.Add(0);
    classes.Set(ports[port], i);
  }
  if (!ports.empty()) asked_.push_back(field);
}

void AclClassifier::AddEstablished(absl::Span<const AclRule> rules) {
  BitmapClasses& classes = classes_[kEstablished];
  for (uint32_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].established) classes.Set(0, i);
  }
  const uint32_t all = classes.Add(0);
  bool asked = false;
  for (uint32_t i = 0; i < rules.size(); ++i) {
    classes.Set(all, i);
    asked |= rules[i].established;
  }
  if (asked) asked_.push_back(kEstablished);
}

// With conditions on one field only, its class alone decides.
void AclClassifier::DecideClasses() {
  if (asked_.size() != 1) return;
  const Field field = asked_[0];
  std::vector<uint32_t> first(classes_[field].size());
  ClassesOf classes;
  for (uint32_t i = 0; i < first.size(); ++i) {
    classes[field][0] = i;
    first[i] = First(classes, 0);
  }
  first_ = std::move(first);
}

// --- Matching -----------------------------------------------------------------------------------

void AclClassifier::Match(absl::Span<const AclKey> keys, uint32_t* rules) const {
  for (size_t at = 0; at < keys.size(); at += kChunk) {
    const auto chunk = keys.subspan(at, kChunk);
    has_lists() ? MatchLists(chunk, rules + at) : MatchBitmaps(chunk, rules + at);
  }
}

void AclClassifier::MatchLists(absl::Span<const AclKey> keys, uint32_t* rules) const {
  std::fill_n(rules, keys.size(), kNoRule);
  for (const Field field : listed_) {
    uint32_t lists[kChunk];
    ClassifyAddresses(keys, field, lists);
    for (size_t i = 0; i < keys.size(); ++i) {
      rules[i] = std::min(rules[i], lists_[field].First(lists[i], keys[i]));
    }
  }
}

void AclClassifier::MatchBitmaps(absl::Span<const AclKey> keys, uint32_t* rules) const {
  ClassesOf classes;
  Classify(keys, classes);
  if (first_.empty()) {
    for (size_t i = 0; i < keys.size(); ++i) rules[i] = First(classes, i);
  } else {
    for (size_t i = 0; i < keys.size(); ++i) rules[i] = first_[classes[asked_[0]][i]];
  }
}

void AclClassifier::Classify(absl::Span<const AclKey> keys, ClassesOf& classes) const {
  for (const Field field : asked_) {
    uint32_t* const out = classes[field];
    if (field == kSource || field == kDestination) {
      ClassifyAddresses(keys, field, out);
      continue;
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      out[i] = field == kSourcePort        ? ports_[0][keys[i].source_port()]
               : field == kDestinationPort ? ports_[1][keys[i].destination_port()]
                                           : keys[i].is_established();
    }
  }
}

void AclClassifier::ClassifyAddresses(absl::Span<const AclKey> keys, Field field,
                                      uint32_t* classes) const {
  const size_t word = field == kSource ? AclKey::kSource : AclKey::kDestination;
  std::fill_n(classes, keys.size(), 0);
  const AddressTables& tables = addresses_[field];
  const auto is_ipv4 = [](const AclKey& key) { return key.is_ipv4(); };
  const auto is_ipv6 = [](const AclKey& key) { return key.is_ipv6(); };
  Replace(tables.four.get(), keys, word, is_ipv4, classes);
  Replace(tables.six.get(), keys, word, is_ipv6, classes);
}

uint32_t AclClassifier::First(const ClassesOf& classes, size_t key) const {
  if (asked_.empty()) return rules_ == 0 ? kNoRule : 0;
  const uint32_t words = classes_[0].summary_words();
  for (uint32_t word = 0; word < words; ++word) {
    uint64_t candidates = ~uint64_t{0};
    for (const Field field : asked_) {
      candidates &= classes_[field].summary(classes[field][key], word);
    }
    for (; candidates != 0; candidates &= candidates - 1) {
      const auto block = word * kWordBits + static_cast<uint32_t>(std::countr_zero(candidates));
      const uint32_t rule = FirstInBlock(classes, key, block);
      if (rule != kNoRule) return rule;
    }
  }
  return kNoRule;
}

uint32_t AclClassifier::FirstInBlock(const ClassesOf& classes, size_t key, uint32_t block) const {
  BitmapClasses::Block left = classes_[asked_[0]].block(classes[asked_[0]][key], block);
  for (size_t i = 1; i < asked_.size(); ++i) {
    const Field field = asked_[i];
    const BitmapClasses::Block& other = classes_[field].block(classes[field][key], block);
    for (size_t word = 0; word < left.words.size(); ++word) left.words[word] &= other.words[word];
  }
  for (uint32_t word = 0; word < left.words.size(); ++word) {
    if (left.words[word] == 0) continue;
    return block * BitmapClasses::kBlockBits + word * kWordBits +
           static_cast<uint32_t>(std::countr_zero(left.words[word]));
  }
  return kNoRule;
}

}  // namespace bess
