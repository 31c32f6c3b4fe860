// SPDX-License-Identifier: Apache-2.0
#include "core/base/status.h"

#include <gtest/gtest.h>

namespace bess {
namespace {

TEST(StatusTest, KeepsTheExactErrno) {
  for (int code : {EINVAL, ENOENT, EEXIST, EBUSY, ENODEV, ENOTSUP, ENOSPC, ENOMEM, EPERM}) {
    EXPECT_EQ(StatusErrno(Error(code, "text ", 7)), code);
  }
  EXPECT_EQ(Error(EINVAL, "got ", 7).message(), "got 7");
}

TEST(StatusTest, ForeignStatusesMapToTheNearest) {
  EXPECT_EQ(StatusErrno(absl::OkStatus()), 0);
  EXPECT_EQ(StatusErrno(absl::NotFoundError("x")), ENOENT);
  EXPECT_EQ(StatusErrno(absl::InternalError("x")), EINVAL);
}

absl::StatusOr<int> Half(int v) {
  if (v % 2 != 0) return Error(EINVAL, v, " is odd");
  return v / 2;
}

absl::StatusOr<int> Quarter(int v) {
  BESS_ASSIGN_OR_RETURN(const int half, Half(v));
  BESS_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(StatusTest, AssignOrReturnPassesErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().message(), "3 is odd");
}

}  // namespace
}  // namespace bess
