// SPDX-License-Identifier: Apache-2.0
//
// The engine's ports. A device is made when an edit asks for it, since modules that use it come
// next, and given back once the transaction that takes it away is through and nobody uses it.
#include <algorithm>
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

absl::StatusOr<PortChange> ChangeOf(const pb::PortConf& conf) {
  PortChange change{.admin_up = conf.admin_up()};
  BESS_ASSIGN_OR_RETURN(change.mac, WantedMac(conf.mac_addr()));
  if (conf.mtu() != 0) change.mtu = conf.mtu();
  return change;
}

// Adds what a client asks for to what was asked for before.
void Note(const pb::PortConf& conf, const PortChange& change, pb::PortConf* asked) {
  if (change.mac) asked->set_mac_addr(conf.mac_addr());
  if (change.mtu) asked->set_mtu(conf.mtu());
  asked->set_admin_up(conf.admin_up());
}

}  // namespace

bool Engine::Leaves(std::string_view port) const {
  const auto& old = draft_->old_ports;
  return std::find(old.begin(), old.end(), port) != old.end();
}

absl::StatusOr<std::string> Engine::CreatePort(const PortRequest& request) {
  Transaction transaction(*this);
  if (Leaves(request.name)) {
    return Error(EBUSY, "port '", request.name,
                 "' is given back when the transaction is through; another one, or Apply, can make "
                 "it anew");
  }
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

absl::Status Engine::ChangePort(const std::string& name, const PortChange& change) {
  PortSettings now;
  BESS_RETURN_IF_ERROR(
      ports_.Visit(name, [&](const Port& port, const auto&) { now = port.settings(); }));
  BESS_RETURN_IF_ERROR(ports_.Configure(name, change));
  PortChange& back = draft_->old_settings.emplace_back(name, PortChange()).second;
  back.admin_up = now.admin_up;
  if (change.mac) back.mac = now.mac;
  if (change.mtu) back.mtu = now.mtu;
  return absl::OkStatus();
}

absl::Status Engine::ReplacePortConf(const std::string& name,
                                     const std::optional<pb::PortConf>& conf) {
  Transaction transaction(*this);
  BESS_ASSIGN_OR_RETURN(const PortSettings made, ports_.SettingsWhenMade(name));
  PortChange wanted{.admin_up = made.admin_up};
  if (conf) {
    BESS_ASSIGN_OR_RETURN(wanted, ChangeOf(*conf));
  }
  PortChange change = wanted;
  const pb::PortConf& asked = draft_->port_confs[name];
  if (!change.mac && !asked.mac_addr().empty()) change.mac = made.mac;
  if (!change.mtu && asked.mtu() != 0) change.mtu = made.mtu;
  BESS_RETURN_IF_ERROR(ChangePort(name, change));
  draft_->port_confs.erase(name);
  if (conf) Note(*conf, wanted, &draft_->port_confs[name]);
  return transaction.Commit(absl::StrCat("SetPortConf ", name));
}

absl::Status Engine::ConfigurePort(const std::string& name, const pb::PortConf& conf) {
  BESS_ASSIGN_OR_RETURN(const PortChange change, ChangeOf(conf));
  Transaction transaction(*this);
  BESS_RETURN_IF_ERROR(ChangePort(name, change));
  Note(conf, change, &draft_->port_confs[name]);
  return transaction.Commit(absl::StrCat("SetPortConf ", name));
}

}  // namespace bess
