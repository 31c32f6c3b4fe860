// SPDX-License-Identifier: Apache-2.0
//
// A sorted map from names to shared objects whose copies share what they have in common. Copying
// costs a pointer for some dozens of entries, and so does finding out where two copies differ; an
// edit copies a few dozen entries. Nothing that is shared ever changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bess {

template <typename T>
class SharedMap {
 public:
  using value_type = std::pair<std::string, std::shared_ptr<const T>>;

 private:
  // Some neighbours, in order; never empty.
  using Chunk = std::vector<value_type>;
  static constexpr size_t kMaxChunk = 64;

 public:
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = SharedMap::value_type;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    const_iterator() = default;
    reference operator*() const { return (**chunk_)[at_]; }
    pointer operator->() const { return &**this; }
    const_iterator& operator++() {
      if (++at_ == (*chunk_)->size()) SkipChunk();
      return *this;
    }
    const_iterator operator++(int) { return std::exchange(*this, std::next(*this)); }
    bool operator==(const const_iterator&) const = default;

   private:
    friend class SharedMap;
    using ChunkPosition = typename std::vector<std::shared_ptr<const Chunk>>::const_iterator;

    const_iterator(ChunkPosition chunk, size_t at) : chunk_(chunk), at_(at) {}
    void SkipChunk() {
      ++chunk_;
      at_ = 0;
    }

    ChunkPosition chunk_;
    size_t at_ = 0;
  };
  using iterator = const_iterator;

  const_iterator begin() const { return {chunks_.begin(), 0}; }
  const_iterator end() const { return {chunks_.end(), 0}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  const_iterator find(std::string_view name) const {
    if (chunks_.empty()) return end();
    const auto chunk = chunks_.begin() + ChunkOf(name);
    const auto at = Lower(**chunk, name);
    if (at == (*chunk)->end() || at->first != name) return end();
    return {chunk, static_cast<size_t>(at - (*chunk)->begin())};
  }
  bool contains(std::string_view name) const { return find(name) != end(); }

  // Puts `value` there, in place of what there was.
  void Set(std::string_view name, std::shared_ptr<const T> value) {
    if (chunks_.empty()) {
      chunks_.push_back(
          std::make_shared<const Chunk>(Chunk{{std::string(name), std::move(value)}}));
      size_ = 1;
      return;
    }
    const auto index = ChunkOf(name);
    Chunk copy = *chunks_[static_cast<size_t>(index)];
    const auto at = copy.begin() + (Lower(copy, name) - copy.cbegin());
    if (at != copy.end() && at->first == name) {
      at->second = std::move(value);
    } else {
      copy.emplace(at, name, std::move(value));
      ++size_;
    }
    Replace(index, std::move(copy));
  }

  // Whether there was one of that name.
  bool Erase(std::string_view name) {
    if (!contains(name)) return false;
    const auto index = ChunkOf(name);
    Chunk copy = *chunks_[static_cast<size_t>(index)];
    copy.erase(Lower(copy, name));
    --size_;
    Replace(index, std::move(copy));
    return true;
  }

  void clear() {
    chunks_.clear();
    size_ = 0;
  }

  // One is a copy of the other, and neither was edited since; equal maps may be told apart.
  bool Shares(const SharedMap& other) const { return chunks_ == other.chunks_; }

  // Calls visit(name, old or nullptr, new or nullptr) for each name whose objects are not the same
  // one, in order. Costs what differs, and a comparison of pointers for each chunk.
  template <typename Visit>
  static void ForEachDifference(const SharedMap& before, const SharedMap& after, Visit visit) {
    auto old = before.begin();
    auto now = after.begin();
    while (old != before.end() || now != after.end()) {
      if (SameChunkBegins(before, old, after, now)) {
        old.SkipChunk();
        now.SkipChunk();
        continue;
      }
      const int order = old == before.end()  ? 1
                        : now == after.end() ? -1
                                             : old->first.compare(now->first);
      const T* from = order <= 0 ? old->second.get() : nullptr;
      const T* to = order >= 0 ? now->second.get() : nullptr;
      if (from != to) visit(order <= 0 ? old->first : now->first, from, to);
      if (order <= 0) ++old;
      if (order >= 0) ++now;
    }
  }

 private:
  static auto Lower(const Chunk& chunk, std::string_view name) {
    return std::lower_bound(chunk.begin(), chunk.end(), name,
                            [](const value_type& a, std::string_view b) { return a.first < b; });
  }

  static bool SameChunkBegins(const SharedMap& before, const const_iterator& old,
                              const SharedMap& after, const const_iterator& now) {
    return old != before.end() && now != after.end() && old.at_ == 0 && now.at_ == 0 &&
           *old.chunk_ == *now.chunk_;
  }

  // Where the name is, or would have to be; there must be a chunk.
  std::ptrdiff_t ChunkOf(std::string_view name) const {
    const auto behind = std::upper_bound(
        chunks_.begin(), chunks_.end(), name,
        [](std::string_view a, const auto& chunk) { return a < chunk->front().first; });
    return std::max<std::ptrdiff_t>(behind - chunks_.begin(), 1) - 1;
  }

  void Replace(std::ptrdiff_t index, Chunk chunk) {
    const auto at = chunks_.begin() + index;
    if (chunk.empty()) {
      chunks_.erase(at);
      return;
    }
    if (chunk.size() > kMaxChunk) {
      const auto middle = chunk.begin() + static_cast<std::ptrdiff_t>(chunk.size() / 2);
      Chunk rest(std::make_move_iterator(middle), std::make_move_iterator(chunk.end()));
      chunk.erase(middle, chunk.end());
      *at = std::make_shared<const Chunk>(std::move(chunk));
      chunks_.insert(at + 1, std::make_shared<const Chunk>(std::move(rest)));
      return;
    }
    *at = std::make_shared<const Chunk>(std::move(chunk));
  }

  std::vector<std::shared_ptr<const Chunk>> chunks_;
  size_t size_ = 0;
};

}  // namespace bess
