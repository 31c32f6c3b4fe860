// SPDX-License-Identifier: Apache-2.0
//
// Open addressing: an entry lies in the first slot that was free from the one its hash names on.
// A slot belongs to a key for good once it has one; taking an entry out only marks it. Readers
// thus need no locks: a value that is not kNone says that the key beside it will not change.
#include "core/match/table.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "core/base/mix_hash.h"
#include "core/base/prefetch.h"
#include "core/graph/versioned.h"

namespace bess {
namespace {

constexpr KeyTable::Value kGone = 1;
constexpr size_t kFewestSlots = 64;

// A power of two of bytes, so that none lies in more cache lines than it must.
template <uint32_t kWords>
struct alignas(std::bit_ceil(8 * (kWords + 1))) Slot {
  std::atomic<KeyTable::Value> value{KeyTable::kNone};
  std::array<uint64_t, kWords> key;
};

template <uint32_t kWords>
using Words = std::array<uint64_t, kWords>;

// In line, where == of arrays is a call.
template <size_t kWords>
bool Same(const std::array<uint64_t, kWords>& a, const std::array<uint64_t, kWords>& b) {
  uint64_t difference = 0;
  for (size_t w = 0; w < kWords; ++w) difference |= a[w] ^ b[w];
  return difference == 0;
}

// A bit for the hash of each key that is in the table, 8 bits a slot: nearly all keys that are not
// there are seen not to be without a branch that depends on where others lie. Of large tables it
// would itself not be in the cache, and those are made for keys that are there.
class Filter {
 public:
  explicit Filter(size_t slots)
      : words_(slots <= kMaxSlots ? std::make_unique<Word[]>(slots / 8) : nullptr),
        shift_(64 - static_cast<uint32_t>(std::countr_zero(slots * 8))) {}

  bool used() const { return words_ != nullptr; }
  // Thread: control; before the slot gets its value.
  void Add(uint64_t hash) const {
    if (!used()) return;
    Word& word = words_[Bit(hash) / 64];
    word.store(word.load(std::memory_order_relaxed) | uint64_t{1} << Bit(hash) % 64,
               std::memory_order_relaxed);
  }
  // Which of the hashes may be those of keys, a bit each. Thread: any.
  uint64_t Pick(const uint64_t* hashes, uint32_t n) const {
    uint64_t picked = 0;
    for (uint32_t i = 0; i < n; ++i) {
      const uint64_t bit = Bit(hashes[i]);
      picked |= (words_[bit / 64].load(std::memory_order_relaxed) >> bit % 64 & 1) << i;
    }
    return picked;
  }

 private:
  using Word = std::atomic<uint64_t>;
  static constexpr size_t kMaxSlots = 4096;

  // The slot comes from the low bits, this from the high ones.
  uint64_t Bit(uint64_t hash) const { return hash >> shift_; }

  std::unique_ptr<Word[]> words_;
  uint32_t shift_;
};

template <uint32_t kWords>
class Slots {
 public:
  Slots() : Slots(kFewestSlots) {}
  // `count` must be a power of two.
  explicit Slots(size_t count)
      : mask_(count - 1), slots_(std::make_unique<Slot<kWords>[]>(count)), filter_(count) {}

  size_t count() const { return mask_ + 1; }

  void Prefetch(uint64_t hash) const { bess::Prefetch(&slots_[hash & mask_]); }

  // One load of the value decides: a free slot may get another key at any moment. Thread: any.
  KeyTable::Value Find(uint64_t hash, const Words<kWords>& key) const {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot<kWords>& slot = slots_[at];
      const KeyTable::Value value = slot.value.load(std::memory_order_acquire);
      if (value == KeyTable::kNone) return KeyTable::kNone;
      if (Same(slot.key, key)) return value == kGone ? KeyTable::kNone : value;
    }
  }

  // The slot of the key, or the free one where it would have to go. Thread: control.
  Slot<kWords>& SlotFor(uint64_t hash, const Words<kWords>& key) const {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      Slot<kWords>& slot = slots_[at];
      const KeyTable::Value value = slot.value.load(std::memory_order_relaxed);
      if (value == KeyTable::kNone || Same(slot.key, key)) return slot;
    }
  }

  const Filter& filter() const { return filter_; }

  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t i = 0; i < count(); ++i) {
      const KeyTable::Value value = slots_[i].value.load(std::memory_order_relaxed);
      if (value != KeyTable::kNone && value != kGone) visit(slots_[i].key, value);
    }
  }

 private:
  size_t mask_;
  std::unique_ptr<Slot<kWords>[]> slots_;
  Filter filter_;
};

template <size_t kWords>
uint64_t Hash(const std::array<uint64_t, kWords>& key) {
  uint64_t hash = 0;
  for (const uint64_t word : key) hash = MixHash(hash, word);
  return hash;
}

template <uint32_t kWords>
class SlotTable final : public KeyTable {
 public:
  SlotTable(Host& host, const Key& mask) : host_(host), mask_(Cut(mask)) {}

  bool Find(const KeyBatch& keys, uint32_t n, Value* values) const override {
    const Slots<kWords>& slots = *slots_.Get();
    uint64_t masked[kWords][kBatchSize];
    uint64_t hashes[kBatchSize] = {};
    for (uint32_t w = 0; w < kWords; ++w) {
      for (uint32_t i = 0; i < n; ++i) {
        masked[w][i] = keys.words[w][i] & mask_[w];
        hashes[i] = MixHash(hashes[i], masked[w][i]);
      }
    }
    const auto find = [&](uint32_t i) {
      Words<kWords> key;
      for (uint32_t w = 0; w < kWords; ++w) key[w] = masked[w][i];
      return values[i] = slots.Find(hashes[i], key);
    };
    Value any = kNone;
    if (slots.filter().used()) {
      std::fill_n(values, n, kNone);
      uint64_t picked = slots.filter().Pick(hashes, n);
      for (; picked != 0; picked &= picked - 1)
        any |= find(static_cast<uint32_t>(std::countr_zero(picked)));
      return any != kNone;
    }
    for (uint32_t i = 0; i < n; ++i) slots.Prefetch(hashes[i]);
    for (uint32_t i = 0; i < n; ++i) any |= find(i);
    return any != kNone;
  }

  Value Get(const Key& key) const override {
    const Words<kWords> words = Masked(key);
    return slots_.Get()->Find(Hash(words), words);
  }

  Value Set(const Key& key, Value value) override {
    const Words<kWords> words = Masked(key);
    const uint64_t hash = Hash(words);
    Slot<kWords>* slot = &slots_.Get()->SlotFor(hash, words);
    const Value old = slot->value.load(std::memory_order_relaxed);
    if (Public(old) == kNone && value == kNone) return kNone;
    if (old == kNone && 2 * (used_ + 1) > slots_.Get()->count()) {
      Rebuild();
      slot = &slots_.Get()->SlotFor(hash, words);
    }
    if (old == kNone) {
      slots_.Get()->filter().Add(hash);
      slot->key = words;
      ++used_;
    }
    size_ += (value != kNone ? 1 : 0);
    size_ -= (Public(old) != kNone ? 1 : 0);
    slot->value.store(value != kNone ? value : kGone, std::memory_order_release);
    return Public(old);
  }

  void ForEach(absl::FunctionRef<void(const Key&, Value)> visit) const override {
    slots_.Get()->ForEach([&](const Words<kWords>& words, Value value) {
      Key key;
      std::copy(words.begin(), words.end(), key.words.begin());
      visit(key, value);
    });
  }

  size_t size() const override { return size_; }

 private:
  static Value Public(Value value) { return value == kGone ? kNone : value; }

  static Words<kWords> Cut(const Key& key) {
    Words<kWords> words;
    std::copy_n(key.words.begin(), kWords, words.begin());
    return words;
  }
  Words<kWords> Masked(const Key& key) const {
    Words<kWords> words = Cut(key);
    for (uint32_t w = 0; w < kWords; ++w) words[w] &= mask_[w];
    return words;
  }

  // A new array without what is gone, at most a quarter full: as many keys again have to come
  // before the next, so that each pays for a few slots.
  void Rebuild() {
    auto larger =
        std::make_unique<Slots<kWords>>(std::max(kFewestSlots, std::bit_ceil(4 * (size_ + 1))));
    slots_.Get()->ForEach([&](const Words<kWords>& words, Value value) {
      Slot<kWords>& slot = larger->SlotFor(Hash(words), words);
      larger->filter().Add(Hash(words));
      slot.key = words;
      slot.value.store(value, std::memory_order_relaxed);
    });
    slots_.Swap(host_, std::move(larger));
    used_ = size_;
  }

  Host& host_;
  const Words<kWords> mask_;
  Versioned<Slots<kWords>> slots_;
  size_t size_ = 0;  // entries
  size_t used_ = 0;  // slots that have a key
};

template <uint32_t kWords>
std::unique_ptr<KeyTable> Make(Host& host, const Key& mask, uint32_t words) {
  if constexpr (kWords < kMaxKeyWords) {
    if (words > kWords) return Make<kWords + 1>(host, mask, words);
  }
  return std::make_unique<SlotTable<kWords>>(host, mask);
}

}  // namespace

std::unique_ptr<KeyTable> KeyTable::Create(Host& host, const Key& mask, uint32_t words) {
  return Make<1>(host, mask, words);
}

}  // namespace bess
