// SPDX-License-Identifier: Apache-2.0
#include "core/base/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"

namespace bess {
namespace {

constexpr char kErrnoUrl[] = "bess/errno";

int NearestErrno(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kNotFound:
      return ENOENT;
    case absl::StatusCode::kAlreadyExists:
      return EEXIST;
    case absl::StatusCode::kPermissionDenied:
      return EPERM;
    case absl::StatusCode::kResourceExhausted:
      return ENOSPC;
    case absl::StatusCode::kUnimplemented:
      return ENOTSUP;
    case absl::StatusCode::kFailedPrecondition:
      return EBUSY;
    default:
      return EINVAL;
  }
}

}  // namespace

absl::Status ErrnoStatus(int code, std::string_view text) {
  absl::Status status(absl::ErrnoToStatusCode(code), AbslView(text));
  status.SetPayload(kErrnoUrl, absl::Cord(absl::StrCat(code)));
  return status;
}

int StatusErrno(const absl::Status& status) {
  const auto payload = status.GetPayload(kErrnoUrl);
  int code = 0;
  if (payload && absl::SimpleAtoi(std::string(*payload), &code)) return code;
  return NearestErrno(status.code());
}

}  // namespace bess
