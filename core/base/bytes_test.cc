// SPDX-License-Identifier: Apache-2.0
#include "core/base/bytes.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

TEST(BytesTest, BigEndianLiesInNetworkOrder) {
  Be32 v{0x01020304u};
  uint8_t bytes[4];
  std::memcpy(bytes, &v, sizeof(bytes));
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[3], 4);
  EXPECT_EQ(v.value(), 0x01020304u);
}

TEST(BytesTest, RawRoundTrip) {
  Be16 v{uint16_t{0x1234}};
  EXPECT_EQ(v.raw(), 0x3412);
  EXPECT_EQ(Be16::FromRaw(v.raw()), v);
}

TEST(BytesTest, NeedsNoAlignment) {
  static_assert(alignof(Be64) == 1);
  char buffer[16] = {};
  StoreUnaligned<uint64_t>(buffer + 3, 0x1122334455667788u);
  EXPECT_EQ(LoadUnaligned<uint64_t>(buffer + 3), 0x1122334455667788u);
}

}  // namespace
}  // namespace bess
