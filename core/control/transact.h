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

// Into the response of a call that commits.
template <typename Response>
void Fill(const CommitResult& result, Response* response) {
  response->set_version(result.version);
  response->mutable_changes()->Assign(result.changes.begin(), result.changes.end());
  response->mutable_warnings()->Assign(result.warnings.begin(), result.warnings.end());
}

}  // namespace bess
