// SPDX-License-Identifier: Apache-2.0
#include "core/base/copy_small.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace bess {
namespace {

TEST(CopySmallTest, CopiesExactlyThatMany) {
  for (size_t n = 0; n <= kMaxCopySmall; ++n) {
    // The source is a heap block of exactly n bytes: ASan sees any overrun.
    auto from = std::make_unique<uint8_t[]>(n);
    for (size_t i = 0; i < n; ++i) from[i] = static_cast<uint8_t>('A' + i);
    std::string to(kMaxCopySmall + 2, '.'), expected = to;
    for (size_t i = 0; i < n; ++i) expected[i + 1] = static_cast<char>(from[i]);
    CopySmall(reinterpret_cast<uint8_t*>(to.data()) + 1, from.get(), n);
    EXPECT_EQ(to, expected) << n;
  }
}

}  // namespace
}  // namespace bess
