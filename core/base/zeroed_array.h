// SPDX-License-Identifier: Apache-2.0
//
// A large array of zeros that takes memory only where it has been written: address space is
// reserved, and the kernel adds pages as they are touched. For tables that are big, sparse, and
// must not move because readers are in them.
//
//   BESS_ASSIGN_OR_RETURN(auto slots, ZeroedArray<std::atomic<uint64_t>>::Create(1 << 24));
//   slots[7].store(1);
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"

namespace bess {

// Pages that read as zeros, unmapped at the end.
class ZeroPages {
 public:
  // ENOMEM when there is not so much address space.
  static absl::StatusOr<ZeroPages> Create(size_t bytes);

  ZeroPages() = default;
  ~ZeroPages();
  ZeroPages(ZeroPages&& other) noexcept { *this = std::move(other); }
  ZeroPages& operator=(ZeroPages&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  void* start() const { return start_; }

 private:
  void* start_ = nullptr;
  size_t bytes_ = 0;
};

// T must be what all bytes zero make of it, and need no destructor.
template <typename T>
class ZeroedArray {
 public:
  static_assert(std::is_trivially_destructible_v<T>);

  static absl::StatusOr<ZeroedArray> Create(size_t size) {
    absl::StatusOr<ZeroPages> pages = ZeroPages::Create(size * sizeof(T));
    if (!pages.ok()) return pages.status();
    ZeroedArray array;
    array.pages_ = *std::move(pages);
    return array;
  }

  // The size is not remembered: whoever made the array knows.
  T& operator[](size_t index) const { return static_cast<T*>(pages_.start())[index]; }

 private:
  ZeroPages pages_;
};

}  // namespace bess
