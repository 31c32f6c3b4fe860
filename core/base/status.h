// SPDX-License-Identifier: Apache-2.0
//
// Errors of the control path. A BESS client sees a positive errno and a text; inside, both travel
// in an absl::Status whose payload keeps the exact errno.
//
//   return Error(EINVAL, "'gate' must be 0..", kMaxGates - 1, ", not ", gate);
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace bess {

// An error with the errno BESS clients know; the absl code is the nearest one.
absl::Status ErrnoStatus(int code, std::string_view text);

// The errno of a status: as given to ErrnoStatus, else the nearest to its absl code; 0 when ok.
int StatusErrno(const absl::Status& status);

// Debian's abseil has a string_view of its own; everything else passes through.
template <typename T>
const T& AbslView(const T& value) {
  return value;
}
inline absl::string_view AbslView(const std::string_view& text) {
  return {text.data(), text.size()};
}

template <typename... Parts>
absl::Status Error(int code, const Parts&... parts) {
  return ErrnoStatus(code, absl::StrCat(AbslView(parts)...));
}

}  // namespace bess

// Leaves the function with the error of `expr`, if it has one.
#define BESS_RETURN_IF_ERROR(expr)                                \
  do {                                                            \
    if (absl::Status bess_status_ = (expr); !bess_status_.ok()) { \
      return bess_status_;                                        \
    }                                                             \
  } while (false)

#define BESS_CONCAT_INNER_(a, b) a##b
#define BESS_CONCAT_(a, b) BESS_CONCAT_INNER_(a, b)

// BESS_ASSIGN_OR_RETURN(auto value, MayFail());
#define BESS_ASSIGN_OR_RETURN(lhs, expr) \
  BESS_ASSIGN_OR_RETURN_IMPL_(BESS_CONCAT_(bess_statusor_, __LINE__), lhs, expr)
#define BESS_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr) \
  auto statusor = (expr);                                \
  if (!statusor.ok()) return statusor.status();          \
  lhs = *std::move(statusor)
