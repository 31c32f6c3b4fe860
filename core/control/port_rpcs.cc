// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"
#include "core/base/parse.h"
#include "core/control/rpcs.h"

namespace bess::rpc {
namespace {

void Describe(const PortStats& stats, pb::GetPortStatsResponse::Stat* out) {
  out->set_packets(stats.packets);
  out->set_dropped(stats.dropped);
  out->set_bytes(stats.bytes);
  for (const uint64_t n : stats.requested) out->add_requested_hist(n);
  for (const uint64_t n : stats.actual) out->add_actual_hist(n);
  for (const uint64_t n : stats.diff) out->add_diff_hist(n);
}

std::string MacOf(const Port& port) { return FormatMac(port.settings().mac); }

// To these requests clients expect ENOENT even when the name is missing.
absl::Status VisitNamed(Engine& engine, const std::string& name, const PortTable::Read& read) {
  if (name.empty()) return Error(ENOENT, "the port's name is missing");
  return engine.ports().Visit(name, read);
}

}  // namespace

absl::Status ListDrivers(Engine&, const pb::EmptyRequest&, pb::ListDriversResponse* response) {
  for (const auto& [name, driver] : DriverRegistry::Get().classes()) {
    response->add_driver_names(name);
  }
  return absl::OkStatus();
}

absl::Status GetDriverInfo(Engine&, const pb::GetDriverInfoRequest& request,
                           pb::GetDriverInfoResponse* response) {
  if (request.driver_name().empty()) return Error(EINVAL, "'driver_name' is missing");
  const auto driver = DriverRegistry::Get().Find(request.driver_name());
  if (driver == nullptr) {
    return Error(ENOENT, "there is no port driver '", request.driver_name(), "'");
  }
  response->set_name(std::string(driver->info.name));
  response->set_help(std::string(driver->info.help));
  return absl::OkStatus();
}

absl::Status ResetPorts(Engine& engine, const pb::EmptyRequest&, pb::EmptyResponse*) {
  return engine.ResetPorts();
}

absl::Status ListPorts(Engine& engine, const pb::EmptyRequest&, pb::ListPortsResponse* response) {
  engine.ports().VisitAll([&](const Port& port, const google::protobuf::Any& argument) {
    auto& out = *response->add_ports();
    out.set_name(port.name());
    out.set_driver(std::string(port.driver().info.name));
    out.set_mac_addr(MacOf(port));
    out.set_num_inc_q(port.shape().rx_queues);
    out.set_num_out_q(port.shape().tx_queues);
    out.set_size_inc_q(port.shape().rx_size);
    out.set_size_out_q(port.shape().tx_size);
    *out.mutable_driver_arg() = argument;
  });
  return absl::OkStatus();
}

absl::Status CreatePort(Engine& engine, const pb::CreatePortRequest& request,
                        pb::CreatePortResponse* response) {
  BESS_ASSIGN_OR_RETURN(const std::string name, engine.CreatePort({.name = request.name(),
                                                                   .driver = request.driver(),
                                                                   .rx_queues = request.num_inc_q(),
                                                                   .tx_queues = request.num_out_q(),
                                                                   .rx_size = request.size_inc_q(),
                                                                   .tx_size = request.size_out_q(),
                                                                   .argument = request.arg()}));
  response->set_name(name);
  return engine.ports().Visit(name, [&](const Port& port, const google::protobuf::Any&) {
    response->set_mac_addr(MacOf(port));
  });
}

absl::Status DestroyPort(Engine& engine, const pb::DestroyPortRequest& request,
                         pb::EmptyResponse*) {
  return engine.DestroyPort(request.name());
}

absl::Status SetPortConf(Engine& engine, const pb::SetPortConfRequest& request,
                         pb::CommandResponse*) {
  return engine.ConfigurePort(request.name(), request.conf());
}

absl::Status GetPortConf(Engine& engine, const pb::GetPortConfRequest& request,
                         pb::GetPortConfResponse* response) {
  return engine.ports().Visit(request.name(), [&](const Port& port, const auto&) {
    const PortSettings settings = port.settings();
    auto& conf = *response->mutable_conf();
    conf.set_mac_addr(FormatMac(settings.mac));
    conf.set_mtu(settings.mtu);
    conf.set_admin_up(settings.admin_up);
  });
}

absl::Status GetPortStats(Engine& engine, const pb::GetPortStatsRequest& request,
                          pb::GetPortStatsResponse* response) {
  return VisitNamed(engine, request.name(), [&](const Port& port, const auto&) {
    Describe(port.Stats(Direction::kReceive), response->mutable_inc());
    Describe(port.Stats(Direction::kSend), response->mutable_out());
    response->set_timestamp(WallSeconds());
  });
}

absl::Status GetLinkStatus(Engine& engine, const pb::GetLinkStatusRequest& request,
                           pb::GetLinkStatusResponse* response) {
  return VisitNamed(engine, request.name(), [&](const Port& port, const auto&) {
    const LinkStatus link = port.link();
    response->set_speed(link.speed);
    response->set_full_duplex(link.full_duplex);
    response->set_autoneg(link.autoneg);
    response->set_link_up(link.up);
  });
}

}  // namespace bess::rpc
