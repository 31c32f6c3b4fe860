// SPDX-License-Identifier: Apache-2.0
//
// The gRPC service bess.native.Live: transactions, wanted states, history, table updates.
#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "core/control/engine.h"

namespace bess {

// The engine must outlive the service.
std::unique_ptr<grpc::Service> MakeLiveService(Engine& engine);

}  // namespace bess
