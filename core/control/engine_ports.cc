// SPDX-License-Identifier: Apache-2.0
//
// The engine's ports. A device is made when an edit asks for it, since modules that use it come
// next, and given back once the transaction that takes it away is through and nobody uses it.
#include <utility>

#include "core/base/parse.h"
#include "core/control/engine.h"

namespace bess {
namespace {

// An empty or all-zero address asks for no change.
absl::StatusOr<std::optional<MacAddress>> WantedMac(const std::string& text) {
  if (text.empty()) return std::nullopt;
  BESS_ASSIGN_OR_RETURN(const MacAddress mac, ParseMac(text));
  if (mac == MacAddress{}) return std::nullopt;
  return mac;
}

}  // namespace

absl::StatusOr<std::string> Engine::CreatePort(const PortRequest& request) {
  Transaction transaction(*this);
  BESS_ASSIGN_OR_RETURN(const std::string name, ports_.Create(request));
  draft_->new_ports.push_back(name);
  BESS_RETURN_IF_ERROR(transaction.Commit(absl::StrCat("CreatePort ", name)));
  return name;
}

absl::Status Engine::DestroyPort(std::string_view name) {
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(ports_.CheckFree(name));
  draft_->old_ports.emplace_back(name);
  draft_->port_confs.erase(std::string(name));
  return transaction.Commit(absl::StrCat("DestroyPort ", AbslView(name)));
}

absl::Status Engine::ResetPorts() {
  Transaction transaction(*this);
  std::vector<std::string> names;
  ports_.VisitAll([&](const Port& port, const auto&) { names.push_back(port.name()); });
  for (const std::string& name : names) BESS_RETURN_IF_ERROR(DestroyPort(name));
  return transaction.Commit("ResetPorts");
}

absl::Status Engine::ConfigurePort(const std::string& name, const pb::PortConf& conf) {
  PortChange change{.admin_up = conf.admin_up()};
  BESS_ASSIGN_OR_RETURN(change.mac, WantedMac(conf.mac_addr()));
  if (conf.mtu() != 0) change.mtu = conf.mtu();
  Transaction transaction(*this);
  PortSettings now;
  BESS_RETURN_IF_ERROR(
      ports_.Visit(name, [&](const Port& port, const auto&) { now = port.settings(); }));
  BESS_RETURN_IF_ERROR(ports_.Configure(name, change));
  PortChange& back = draft_->old_settings.emplace_back(name, PortChange()).second;
  back.admin_up = now.admin_up;
  if (change.mac) back.mac = now.mac;
  if (change.mtu) back.mtu = now.mtu;
  pb::PortConf& wanted = draft_->port_confs[name];
  if (change.mac) wanted.set_mac_addr(conf.mac_addr());
  if (change.mtu) wanted.set_mtu(conf.mtu());
  wanted.set_admin_up(conf.admin_up());
  return transaction.Commit(absl::StrCat("SetPortConf ", name));
}

}  // namespace bess
