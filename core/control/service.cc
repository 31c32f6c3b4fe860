// SPDX-License-Identifier: Apache-2.0
#include "core/control/service.h"

#include <utility>

#include "bess/service.grpc.pb.h"
#include "core/control/live_service.h"
#include "core/control/rpcs.h"
#include "native/observe.grpc.pb.h"
#include "native/scheduler.grpc.pb.h"

namespace bess {
namespace {

using grpc::ServerContext;

void SetError(int code, std::string_view text, pb::Error* error) {
  error->set_code(code);
  error->set_errmsg(std::string(text));
}

// BESS clients look at response.error: unset means success, its code is a positive errno.
template <typename Request, typename Response>
grpc::Status Answer(Engine& engine, absl::Status (*rpc)(Engine&, const Request&, Response*),
                    const Request* request, Response* response) {
  absl::Status status;
  try {
    status = rpc(engine, *request, response);
  } catch (const std::bad_alloc&) {
    status = Error(ENOMEM, "out of memory");
  }
  if (!status.ok()) {
    response->Clear();
    SetError(StatusErrno(status), std::string(status.message()), response->mutable_error());
  }
  return grpc::Status::OK;
}

// One line an RPC.
#define BESS_RPC(name, request_type, response_type)                                               \
  grpc::Status name(ServerContext*, const pb::request_type* request, pb::response_type* response) \
      override {                                                                                  \
    return Answer(engine_, &rpc::name, request, response);                                        \
  }

class ControlService final : public pb::BESSControl::Service {
 public:
  ControlService(Engine& engine, std::function<void()> shutdown)
      : engine_(engine), shutdown_(std::move(shutdown)) {}

  grpc::Status KillBess(ServerContext*, const pb::EmptyRequest*, pb::EmptyResponse*) override {
    shutdown_();
    return grpc::Status::OK;
  }

  BESS_RPC(GetVersion, EmptyRequest, VersionResponse)
  BESS_RPC(ResetAll, EmptyRequest, EmptyResponse)
  BESS_RPC(PauseAll, EmptyRequest, EmptyResponse)
  BESS_RPC(ResumeAll, EmptyRequest, EmptyResponse)
  BESS_RPC(DumpMempool, DumpMempoolRequest, DumpMempoolResponse)
  BESS_RPC(ImportPlugin, ImportPluginRequest, EmptyResponse)
  BESS_RPC(UnloadPlugin, UnloadPluginRequest, EmptyResponse)
  BESS_RPC(ListPlugins, EmptyRequest, ListPluginsResponse)

  BESS_RPC(PauseWorker, PauseWorkerRequest, EmptyResponse)
  BESS_RPC(ResumeWorker, ResumeWorkerRequest, EmptyResponse)
  BESS_RPC(ResetWorkers, EmptyRequest, EmptyResponse)
  BESS_RPC(ListWorkers, EmptyRequest, ListWorkersResponse)
  BESS_RPC(AddWorker, AddWorkerRequest, EmptyResponse)
  BESS_RPC(DestroyWorker, DestroyWorkerRequest, EmptyResponse)

  BESS_RPC(CheckSchedulingConstraints, EmptyRequest, CheckSchedulingConstraintsResponse)
  BESS_RPC(ResetTcs, EmptyRequest, EmptyResponse)
  BESS_RPC(ListTcs, ListTcsRequest, ListTcsResponse)
  BESS_RPC(AddTc, AddTcRequest, EmptyResponse)
  BESS_RPC(UpdateTcParams, UpdateTcParamsRequest, EmptyResponse)
  BESS_RPC(UpdateTcParent, UpdateTcParentRequest, EmptyResponse)
  BESS_RPC(GetTcStats, GetTcStatsRequest, GetTcStatsResponse)

  BESS_RPC(ListDrivers, EmptyRequest, ListDriversResponse)
  BESS_RPC(GetDriverInfo, GetDriverInfoRequest, GetDriverInfoResponse)
  BESS_RPC(ResetPorts, EmptyRequest, EmptyResponse)
  BESS_RPC(ListPorts, EmptyRequest, ListPortsResponse)
  BESS_RPC(CreatePort, CreatePortRequest, CreatePortResponse)
  BESS_RPC(DestroyPort, DestroyPortRequest, EmptyResponse)
  BESS_RPC(SetPortConf, SetPortConfRequest, CommandResponse)
  BESS_RPC(GetPortConf, GetPortConfRequest, GetPortConfResponse)
  BESS_RPC(GetPortStats, GetPortStatsRequest, GetPortStatsResponse)
  BESS_RPC(GetLinkStatus, GetLinkStatusRequest, GetLinkStatusResponse)

  BESS_RPC(ListMclass, EmptyRequest, ListMclassResponse)
  BESS_RPC(GetMclassInfo, GetMclassInfoRequest, GetMclassInfoResponse)
  BESS_RPC(ResetModules, EmptyRequest, EmptyResponse)
  BESS_RPC(ListModules, EmptyRequest, ListModulesResponse)
  BESS_RPC(CreateModule, CreateModuleRequest, CreateModuleResponse)
  BESS_RPC(DestroyModule, DestroyModuleRequest, EmptyResponse)
  BESS_RPC(GetModuleInfo, GetModuleInfoRequest, GetModuleInfoResponse)
  BESS_RPC(ConnectModules, ConnectModulesRequest, EmptyResponse)
  BESS_RPC(DisconnectModules, DisconnectModulesRequest, EmptyResponse)
  BESS_RPC(ModuleCommand, CommandRequest, CommandResponse)

  BESS_RPC(ListGateHookClass, EmptyRequest, ListGateHookClassResponse)
  BESS_RPC(GetGateHookClassInfo, GetGateHookClassInfoRequest, GetGateHookClassInfoResponse)
  BESS_RPC(ConfigureGateHook, ConfigureGateHookRequest, ConfigureGateHookResponse)
  BESS_RPC(ListGateHooks, EmptyRequest, ListGateHooksResponse)
  BESS_RPC(GateHookCommand, GateHookCommandRequest, CommandResponse)
  BESS_RPC(ConfigureResumeHook, ConfigureResumeHookRequest, CommandResponse)

 private:
  Engine& engine_;
  const std::function<void()> shutdown_;
};

#undef BESS_RPC

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

class ObserveService final : public native::Observe::Service {
 public:
  explicit ObserveService(Engine& engine) : engine_(engine) {}

  grpc::Status GetLedger(ServerContext*, const native::GetLedgerRequest* request,
                         native::GetLedgerResponse* response) override {
    return ToGrpc(rpc::GetLedger(engine_, *request, response));
  }
  grpc::Status ListNfs(ServerContext*, const native::ListNfsRequest* request,
                       native::ListNfsResponse* response) override {
    return ToGrpc(rpc::ListNfs(engine_, *request, response));
  }

 private:
  Engine& engine_;
};

class SchedulerService final : public native::Scheduler::Service {
 public:
  explicit SchedulerService(Engine& engine) : engine_(engine) {}

  grpc::Status RemoveClass(ServerContext*, const native::RemoveClassRequest* request,
                           native::RemoveClassResponse* response) override {
    return ToGrpc(rpc::RemoveClass(engine_, *request, response));
  }
  grpc::Status MoveClass(ServerContext*, const native::MoveClassRequest* request,
                         native::MoveClassResponse* response) override {
    return ToGrpc(rpc::MoveClass(engine_, *request, response));
  }
  grpc::Status UpdateClass(ServerContext*, const native::UpdateClassRequest* request,
                           native::UpdateClassResponse* response) override {
    return ToGrpc(rpc::UpdateClass(engine_, *request, response));
  }
  grpc::Status GetWorkerUsage(ServerContext*, const native::GetWorkerUsageRequest* request,
                              native::GetWorkerUsageResponse* response) override {
    return ToGrpc(rpc::GetWorkerUsage(engine_, *request, response));
  }

 private:
  Engine& engine_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> MakeServices(Engine& engine,
                                                         std::function<void()> shutdown) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(std::make_unique<ControlService>(engine, std::move(shutdown)));
  services.push_back(std::make_unique<ObserveService>(engine));
  services.push_back(std::make_unique<SchedulerService>(engine));
  services.push_back(MakeLiveService(engine));
  return services;
}

}  // namespace bess
