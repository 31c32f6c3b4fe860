// SPDX-License-Identifier: Apache-2.0
#include "core/base/zeroed_array.h"

#include <sys/mman.h>

#include "core/base/status.h"

namespace bess {

absl::StatusOr<ZeroPages> ZeroPages::Create(size_t bytes) {
  ZeroPages pages;
  if (bytes == 0) return pages;
  void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    return Error(ENOMEM, "no address space for a table of ", bytes, " bytes");
  }
  pages.start_ = start;
  pages.bytes_ = bytes;
  return pages;
}

ZeroPages::~ZeroPages() {
  if (start_ != nullptr) munmap(start_, bytes_);
}

}  // namespace bess
