// SPDX-License-Identifier: Apache-2.0
//
// The gRPC services of the daemon: bess.pb.BESSControl, as BESS clients know it, and
// bess.native.Observe.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <functional>
#include <memory>
#include <vector>

#include "core/control/engine.h"

namespace bess {

// `shutdown` is called once KillBess was asked for, while the reply is still on its way; it must
// only tell somebody. The engine must outlive the services.
std::vector<std::unique_ptr<grpc::Service>> MakeServices(Engine& engine,
                                                         std::function<void()> shutdown);

}  // namespace bess
