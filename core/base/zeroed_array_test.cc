// SPDX-License-Identifier: Apache-2.0
#include "core/base/zeroed_array.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>

#include "core/base/status.h"

namespace bess {
namespace {

TEST(ZeroedArrayTest, HoldsZerosAndWhatIsWritten) {
  const auto array = ZeroedArray<uint64_t>::Create(1 << 20);
  ASSERT_TRUE(array.ok());
  EXPECT_EQ((*array)[0], 0u);
  EXPECT_EQ((*array)[(1 << 20) - 1], 0u);
  (*array)[(1 << 20) - 1] = 5;
  EXPECT_EQ((*array)[(1 << 20) - 1], 5u);
}

TEST(ZeroedArrayTest, MovesWithItsMemory) {
  auto from = ZeroedArray<uint32_t>::Create(100);
  ASSERT_TRUE(from.ok());
  (*from)[7] = 9;
  const uint32_t* place = &(*from)[7];
  const ZeroedArray<uint32_t> to = *std::move(from);
  EXPECT_EQ(&to[7], place);
  EXPECT_EQ(to[7], 9u);
}

TEST(ZeroedArrayTest, TakesMemoryOnlyWhereItIsWritten) {
  const auto array = ZeroedArray<uint8_t>::Create(size_t{1} << 40);
  ASSERT_TRUE(array.ok()) << "more than any test machine has";
  (*array)[size_t{1} << 39] = 1;
  EXPECT_EQ((*array)[size_t{1} << 39], 1u);
}

TEST(ZeroedArrayTest, SaysWhenThereIsNoAddressSpace) {
  const auto array = ZeroedArray<uint8_t>::Create(size_t{1} << 60);
  EXPECT_EQ(StatusErrno(array.status()), ENOMEM);
  EXPECT_EQ(array.status().message(), "no address space for a table of 1152921504606846976 bytes");
}

}  // namespace
}  // namespace bess
