// SPDX-License-Identifier: Apache-2.0
#include "core/match/mask_search.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/base/status.h"

namespace bess {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

const MaskedRule* ToRule(KeyTable::Value value) { return std::bit_cast<const MaskedRule*>(value); }

std::unique_ptr<const MaskedRule> Own(KeyTable::Value value) {
  return std::unique_ptr<const MaskedRule>(ToRule(value));
}

bool Better(const MaskedRule& rule, const MaskedRule* than) {
  if (than == nullptr || rule.priority > than->priority) return true;
  return rule.priority == than->priority && rule.age < than->age;
}

}  // namespace

// The rules with one set of masks, and how many there are of each priority.
struct MaskSearch::Mask {
  Mask(Host& host, const Key& mask, const KeyFields& all, uint32_t its_age)
      : table(KeyTable::Create(host, mask, all.words())),
        fields(all.FieldsIn(mask)),
        age(its_age) {}
  ~Mask() {
    table->ForEach([](const Key&, KeyTable::Value value) { Own(value).reset(); });
  }

  int64_t top() const { return priorities.rbegin()->first; }

  std::unique_ptr<KeyTable> table;
  uint32_t fields;
  uint32_t age;
  std::map<int64_t, uint64_t> priorities;
};

MaskSearch::MaskSearch(Host& host, const KeyFields& fields, uint64_t max_rules)
    : host_(host), fields_(fields), max_rules_(max_rules) {}

MaskSearch::~MaskSearch() = default;

void MaskSearch::Find(const KeyBatch& keys, uint32_t n, const MaskedRule** best) const {
  int64_t priorities[kBatchSize];
  std::fill_n(best, n, nullptr);
  std::fill_n(priorities, n, kLowest);
  int64_t least = kLowest;
  for (const Entry& entry : *list_.Get()) {
    if (least > entry.top) return;
    KeyTable::Value found[kBatchSize];
    if (!entry.mask->table->Find(keys, n, found)) continue;
    const uint64_t lacking = keys.any_absent ? Lacking(keys, entry.fields) : 0;
    for (uint32_t i = 0; i < n; ++i) {
      if (found[i] == KeyTable::kNone || (lacking >> i & 1) != 0) continue;
      const MaskedRule* rule = ToRule(found[i]);
      if (!Better(*rule, best[i])) continue;
      best[i] = rule;
      priorities[i] = rule->priority;
    }
    least = *std::min_element(priorities, priorities + n);
  }
}

absl::StatusOr<MaskSearch::Mask*> MaskSearch::FindOrMake(const Key& mask) {
  const auto it = masks_.find(mask);
  if (it != masks_.end()) return it->second.get();
  if (masks_.size() >= kMaxMasks) {
    return Error(ENOSPC, "there is no room for rules with other masks than those in use: at most ",
                 kMaxMasks, " different sets of masks");
  }
  return masks_.emplace(mask, std::make_shared<Mask>(host_, mask, fields_, next_age_++))
      .first->second.get();
}

absl::Status MaskSearch::Set(const Key& key, const Key& mask, const MaskedRule& rule) {
  BESS_ASSIGN_OR_RETURN(Mask * found, FindOrMake(mask));
  if (found->table->size() >= max_rules_ && found->table->Get(key) == KeyTable::kNone) {
    return Error(ENOSPC, "the table is full: at most ", max_rules_, " rules with equal masks");
  }
  const bool fresh = found->priorities.empty();
  const int64_t top = fresh ? kLowest : found->top();
  auto added = std::make_unique<MaskedRule>(rule);
  added->age = found->age;
  const auto value = std::bit_cast<KeyTable::Value>(added.release());
  const KeyTable::Value old = found->table->Set(key, value);
  Count(*found, rule.priority, true);
  if (old != KeyTable::kNone) {
    Count(*found, ToRule(old)->priority, false);
    host_.Retire([old] { Own(old).reset(); });
  }
  if (fresh || found->top() != top) Publish();
  return absl::OkStatus();
}

absl::Status MaskSearch::Remove(const Key& key, const Key& mask) {
  const auto it = masks_.find(mask);
  const KeyTable::Value old =
      it == masks_.end() ? KeyTable::kNone : it->second->table->Set(key, KeyTable::kNone);
  if (old == KeyTable::kNone) return Error(ENOENT, "there is no rule with these values and masks");
  Mask& mask_rules = *it->second;
  const int64_t top = mask_rules.top();
  Count(mask_rules, ToRule(old)->priority, false);
  const bool last = mask_rules.priorities.empty();
  const bool changed = last || mask_rules.top() != top;
  if (last) masks_.erase(it);
  if (changed) Publish();
  host_.Retire([old] { Own(old).reset(); });
  return absl::OkStatus();
}

void MaskSearch::ForEach(
    absl::FunctionRef<void(const Key&, const Key& mask, const MaskedRule&)> visit) const {
  for (const auto& [mask, rules] : masks_) {
    rules->table->ForEach(
        [&](const Key& key, KeyTable::Value value) { visit(key, mask, *ToRule(value)); });
  }
}

void MaskSearch::Count(Mask& mask, int64_t priority, bool more) {
  uint64_t& count = mask.priorities[priority];
  count += more ? 1 : uint64_t{0} - 1;
  if (count == 0) mask.priorities.erase(priority);
}

// For when masks came, went, or changed their highest priority. A worker that still has the old
// list finds at least the rules there were before.
void MaskSearch::Publish() {
  List list;
  for (const auto& [key, mask] : masks_) list.push_back({mask, mask->top(), mask->fields});
  std::sort(list.begin(), list.end(), [](const Entry& a, const Entry& b) {
    return std::pair(b.top, a.mask->age) < std::pair(a.top, b.mask->age);
  });
  list_.Swap(host_, std::make_unique<const List>(std::move(list)));
}

}  // namespace bess
