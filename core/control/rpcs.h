// SPDX-License-Identifier: Apache-2.0
//
// The control API without its transport: one function an RPC, from request to response. The
// gRPC service (service.cc) adds only the wire. An error goes to the client as response.error;
// a function that returns one has changed nothing.
#pragma once

#include "absl/status/status.h"
#include "bess/command.pb.h"
#include "bess/hook.pb.h"
#include "bess/module.pb.h"
#include "bess/port.pb.h"
#include "bess/system.pb.h"
#include "bess/traffic_class.pb.h"
#include "bess/worker.pb.h"
#include "core/control/engine.h"
#include "native/observe.pb.h"
#include "native/scheduler.pb.h"

namespace bess::rpc {

// system_rpcs.cc
absl::Status GetVersion(Engine&, const pb::EmptyRequest&, pb::VersionResponse*);
absl::Status ResetAll(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status PauseAll(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status ResumeAll(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status DumpMempool(Engine&, const pb::DumpMempoolRequest&, pb::DumpMempoolResponse*);

// plugin_rpcs.cc
absl::Status ImportPlugin(Engine&, const pb::ImportPluginRequest&, pb::EmptyResponse*);
absl::Status UnloadPlugin(Engine&, const pb::UnloadPluginRequest&, pb::EmptyResponse*);
absl::Status ListPlugins(Engine&, const pb::EmptyRequest&, pb::ListPluginsResponse*);

// worker_rpcs.cc
absl::Status PauseWorker(Engine&, const pb::PauseWorkerRequest&, pb::EmptyResponse*);
absl::Status ResumeWorker(Engine&, const pb::ResumeWorkerRequest&, pb::EmptyResponse*);
absl::Status ResetWorkers(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status ListWorkers(Engine&, const pb::EmptyRequest&, pb::ListWorkersResponse*);
absl::Status AddWorker(Engine&, const pb::AddWorkerRequest&, pb::EmptyResponse*);
absl::Status DestroyWorker(Engine&, const pb::DestroyWorkerRequest&, pb::EmptyResponse*);
absl::Status CheckSchedulingConstraints(Engine&, const pb::EmptyRequest&,
                                        pb::CheckSchedulingConstraintsResponse*);

// tc_rpcs.cc
absl::Status ResetTcs(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status ListTcs(Engine&, const pb::ListTcsRequest&, pb::ListTcsResponse*);
absl::Status AddTc(Engine&, const pb::AddTcRequest&, pb::EmptyResponse*);
absl::Status UpdateTcParams(Engine&, const pb::UpdateTcParamsRequest&, pb::EmptyResponse*);
absl::Status UpdateTcParent(Engine&, const pb::UpdateTcParentRequest&, pb::EmptyResponse*);
absl::Status GetTcStats(Engine&, const pb::GetTcStatsRequest&, pb::GetTcStatsResponse*);

// sched_rpcs.cc
absl::Status RemoveClass(Engine&, const native::RemoveClassRequest&, native::RemoveClassResponse*);
absl::Status MoveClass(Engine&, const native::MoveClassRequest&, native::MoveClassResponse*);
absl::Status UpdateClass(Engine&, const native::UpdateClassRequest&, native::UpdateClassResponse*);
absl::Status GetWorkerUsage(Engine&, const native::GetWorkerUsageRequest&,
                            native::GetWorkerUsageResponse*);

// port_rpcs.cc
absl::Status ListDrivers(Engine&, const pb::EmptyRequest&, pb::ListDriversResponse*);
absl::Status GetDriverInfo(Engine&, const pb::GetDriverInfoRequest&, pb::GetDriverInfoResponse*);
absl::Status ResetPorts(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status ListPorts(Engine&, const pb::EmptyRequest&, pb::ListPortsResponse*);
absl::Status CreatePort(Engine&, const pb::CreatePortRequest&, pb::CreatePortResponse*);
absl::Status DestroyPort(Engine&, const pb::DestroyPortRequest&, pb::EmptyResponse*);
absl::Status SetPortConf(Engine&, const pb::SetPortConfRequest&, pb::CommandResponse*);
absl::Status GetPortConf(Engine&, const pb::GetPortConfRequest&, pb::GetPortConfResponse*);
absl::Status GetPortStats(Engine&, const pb::GetPortStatsRequest&, pb::GetPortStatsResponse*);
absl::Status GetLinkStatus(Engine&, const pb::GetLinkStatusRequest&, pb::GetLinkStatusResponse*);

// module_rpcs.cc
absl::Status ListMclass(Engine&, const pb::EmptyRequest&, pb::ListMclassResponse*);
absl::Status GetMclassInfo(Engine&, const pb::GetMclassInfoRequest&, pb::GetMclassInfoResponse*);
absl::Status ResetModules(Engine&, const pb::EmptyRequest&, pb::EmptyResponse*);
absl::Status ListModules(Engine&, const pb::EmptyRequest&, pb::ListModulesResponse*);
absl::Status CreateModule(Engine&, const pb::CreateModuleRequest&, pb::CreateModuleResponse*);
absl::Status DestroyModule(Engine&, const pb::DestroyModuleRequest&, pb::EmptyResponse*);
absl::Status GetModuleInfo(Engine&, const pb::GetModuleInfoRequest&, pb::GetModuleInfoResponse*);
absl::Status ConnectModules(Engine&, const pb::ConnectModulesRequest&, pb::EmptyResponse*);
absl::Status DisconnectModules(Engine&, const pb::DisconnectModulesRequest&, pb::EmptyResponse*);
absl::Status ModuleCommand(Engine&, const pb::CommandRequest&, pb::CommandResponse*);

// hook_rpcs.cc
absl::Status ListGateHookClass(Engine&, const pb::EmptyRequest&, pb::ListGateHookClassResponse*);
absl::Status GetGateHookClassInfo(Engine&, const pb::GetGateHookClassInfoRequest&,
                                  pb::GetGateHookClassInfoResponse*);
absl::Status ConfigureGateHook(Engine&, const pb::ConfigureGateHookRequest&,
                               pb::ConfigureGateHookResponse*);
absl::Status ListGateHooks(Engine&, const pb::EmptyRequest&, pb::ListGateHooksResponse*);
absl::Status GateHookCommand(Engine&, const pb::GateHookCommandRequest&, pb::CommandResponse*);
absl::Status ConfigureResumeHook(Engine&, const pb::ConfigureResumeHookRequest&,
                                 pb::CommandResponse*);

// ledger_rpcs.cc
absl::Status GetLedger(Engine&, const native::GetLedgerRequest&, native::GetLedgerResponse*);

// nf_rpcs.cc
absl::Status ListNfs(Engine&, const native::ListNfsRequest&, native::ListNfsResponse*);

}  // namespace bess::rpc
