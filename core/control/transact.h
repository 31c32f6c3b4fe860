// SPDX-License-Identifier: Apache-2.0
//
// A list of ordinary requests as one commit.
#pragma once

#include "core/control/engine.h"

namespace bess {

// Carries the operations out and commits. What is wrong with operations goes to `problems`, and the
// first of them is returned; nothing has changed then.
absl::Status Transact(Engine& engine, const native::TransactRequest& request,
                      native::TransactResponse* response, Problems* problems);

}  // namespace bess
