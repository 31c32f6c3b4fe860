// SPDX-License-Identifier: Apache-2.0
//
// Writing to pipes whose readers may sleep, or go away.
#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"

namespace bess {

// For the calling thread, writing to a pipe without readers is an error and no signal.
void BlockBrokenPipeSignal();

enum class Written { kAll, kNobodyReads, kGaveUp };

// Writes all of `bytes`, in pieces the pipe has promised not to block on. When nobody has read for
// 0.1 s it asks `give_up`, and goes on waiting unless that says true. The descriptor may block or
// not.
Written WriteToPipe(int fd, std::string_view bytes, absl::FunctionRef<bool()> give_up);

// Whether the last reader of a pipe or FIFO has left.
bool HasNoReader(int fd);

}  // namespace bess
