// SPDX-License-Identifier: Apache-2.0
#include "core/base/clock.h"
#include "core/control/rpcs.h"

namespace bess::rpc {
namespace {

uint64_t HeldBy(const ModuleEntry& entry) {
  uint64_t held = entry.module->held();
  for (const auto& [ogate, out] : entry.out) held += out.edge->held();
  return held;
}

void Describe(const std::string& name, const ModuleEntry& entry, const LedgerTotals& totals,
              uint64_t held, native::ModuleLedger* out) {
  out->set_name(name);
  out->set_mclass(std::string(entry.module->info().name));
  out->set_created(totals.created);
  out->set_consumed(totals.consumed);
  out->set_held(held);
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    if (totals.dropped[i] == 0) continue;
    auto& drop = *out->add_drops();
    drop.set_reason(std::string(DropReasonName(static_cast<DropReason>(i))));
    drop.set_packets(totals.dropped[i]);
  }
}

void Describe(const LedgerTotals& totals, uint64_t held, native::LedgerTotals* out) {
  out->set_created(totals.created);
  out->set_consumed(totals.consumed);
  out->set_dropped(totals.all_dropped());
  out->set_held(held);
  for (size_t i = 0; i < kNumDropReasons; ++i) {
    if (totals.dropped[i] == 0) continue;
    const std::string reason(DropReasonName(static_cast<DropReason>(i)));
    (*out->mutable_dropped_by_reason())[reason] = totals.dropped[i];
  }
  out->set_unaccounted(
      static_cast<int64_t>(totals.created - totals.consumed - totals.all_dropped() - held));
}

}  // namespace

absl::Status GetLedger(Engine& engine, const native::GetLedgerRequest& request,
                       native::GetLedgerResponse* response) {
  const auto plan = engine.plan();
  const Graph& graph = *plan->graph;
  for (const std::string& name : request.modules()) {
    if (graph.Find(name) == nullptr) return Error(ENOENT, "there is no module '", name, "'");
  }
  const auto wanted = [&](const std::string& name) {
    const auto& names = request.modules();
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  };
  LedgerTotals all = engine.departed();
  uint64_t all_held = 0;
  for (const auto& [name, entry] : graph.modules) {
    const LedgerTotals totals = entry->module->totals();
    const uint64_t held = HeldBy(*entry);
    all += totals;
    all_held += held;
    if (wanted(name)) Describe(name, *entry, totals, held, response->add_modules());
  }
  Describe(all, all_held, response->mutable_totals());
  response->set_timestamp(WallSeconds());
  return absl::OkStatus();
}

}  // namespace bess::rpc
