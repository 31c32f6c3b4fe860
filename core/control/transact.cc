// SPDX-License-Identifier: Apache-2.0
#include "core/control/transact.h"

#include <utility>

#include "core/control/rpcs.h"

namespace bess {
namespace {

using Result = native::TransactResponse::Result;

template <typename Response>
void Take(Response&, Result*) {}
void Take(pb::CreateModuleResponse& response, Result* result) { result->set_name(response.name()); }
void Take(pb::CreatePortResponse& response, Result* result) { result->set_name(response.name()); }
void Take(pb::ConfigureGateHookResponse& response, Result* result) {
  result->set_name(response.name());
}
void Take(pb::CommandResponse& response, Result* result) {
  if (response.has_data()) result->mutable_data()->Swap(response.mutable_data());
}

template <typename Request, typename Response>
absl::Status Run(absl::Status (*rpc)(Engine&, const Request&, Response*), Engine& engine,
                 const Request& request, Result* result) {
  Response response;
  BESS_RETURN_IF_ERROR(rpc(engine, request, &response));
  Take(response, result);
  return absl::OkStatus();
}

absl::Status RunOperation(Engine& engine, const native::Operation& op, Result* result) {
  switch (op.request_case()) {
    case native::Operation::kAddWorker:
      return Run(rpc::AddWorker, engine, op.add_worker(), result);
    case native::Operation::kDestroyWorker:
      return Run(rpc::DestroyWorker, engine, op.destroy_worker(), result);
    case native::Operation::kCreatePort:
      return Run(rpc::CreatePort, engine, op.create_port(), result);
    case native::Operation::kDestroyPort:
      return Run(rpc::DestroyPort, engine, op.destroy_port(), result);
    case native::Operation::kSetPortConf:
      return Run(rpc::SetPortConf, engine, op.set_port_conf(), result);
    case native::Operation::kCreateModule:
      return Run(rpc::CreateModule, engine, op.create_module(), result);
    case native::Operation::kDestroyModule:
      return Run(rpc::DestroyModule, engine, op.destroy_module(), result);
    case native::Operation::kConnectModules:
      return Run(rpc::ConnectModules, engine, op.connect_modules(), result);
    case native::Operation::kDisconnectModules:
      return Run(rpc::DisconnectModules, engine, op.disconnect_modules(), result);
    case native::Operation::kModuleCommand:
      return Run(rpc::ModuleCommand, engine, op.module_command(), result);
    case native::Operation::kConfigureGateHook:
      return Run(rpc::ConfigureGateHook, engine, op.configure_gate_hook(), result);
    case native::Operation::kConfigureResumeHook:
      return Run(rpc::ConfigureResumeHook, engine, op.configure_resume_hook(), result);
    case native::Operation::kAddTc:
      return Run(rpc::AddTc, engine, op.add_tc(), result);
    case native::Operation::kUpdateTcParams:
      return Run(rpc::UpdateTcParams, engine, op.update_tc_params(), result);
    case native::Operation::kUpdateTcParent:
      return Run(rpc::UpdateTcParent, engine, op.update_tc_parent(), result);
    case native::Operation::kRemoveClass:
      return Run(rpc::RemoveClass, engine, op.remove_class(), result);
    case native::Operation::kMoveClass:
      return Run(rpc::MoveClass, engine, op.move_class(), result);
    case native::Operation::kUpdateClass:
      return Run(rpc::UpdateClass, engine, op.update_class(), result);
    case native::Operation::REQUEST_NOT_SET:
      break;
  }
  return Error(EINVAL, "an operation without a request");
}

}  // namespace

absl::Status Transact(Engine& engine, const native::TransactRequest& request,
                      native::TransactResponse* response, Problems* problems) {
  if (request.operations().empty())
    return Error(EINVAL, "'operations' is empty: what is to be done?");
  Transaction transaction(engine);
  BESS_RETURN_IF_ERROR(transaction.Expect(request.expected_version()));
  for (int i = 0; i < request.operations_size(); ++i) {
    const absl::Status status =
        RunOperation(engine, request.operations(i), response->add_results());
    if (!status.ok()) problems->push_back({absl::StrCat("operations[", i, "]"), status});
  }
  if (!problems->empty()) return problems->front().status;
  const std::string comment =
      request.comment().empty()
          ? absl::StrCat("Transact ", request.operations_size(), " operations")
          : request.comment();
  BESS_ASSIGN_OR_RETURN(CommitResult result, transaction.CommitWith({.comment = comment,
                                                                     .dry_run = request.dry_run(),
                                                                     .strict = request.strict()}));
  Fill(result, response);
  return absl::OkStatus();
}

}  // namespace bess
