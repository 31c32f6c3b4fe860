// SPDX-License-Identifier: Apache-2.0
#include "core/graph/topology.h"

#include <algorithm>

namespace bess {
namespace {

// Union by the lesser, with halved paths.
class Groups {
 public:
  explicit Groups(size_t size) : parent_(size) {
    for (uint32_t i = 0; i < size; ++i) parent_[i] = i;
  }
  uint32_t Find(uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Find(a);
    b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parent_;
};

bool IsAttentive(const Hooks& hooks) {
  return std::any_of(hooks.begin(), hooks.end(),
                     [](const auto& hook) { return hook->hclass().attentive; });
}

bool HasAttentiveHooks(const ModuleEntry& entry) {
  const auto in = [](const auto& gate) { return IsAttentive(gate.second); };
  const auto out = [](const auto& gate) { return IsAttentive(gate.second.hooks); };
  return std::any_of(entry.in_hooks.begin(), entry.in_hooks.end(), in) ||
         std::any_of(entry.out.begin(), entry.out.end(), out);
}

}  // namespace

Site::Site(const ModuleEntry& of)
    : entry(&of),
      module(of.module.get()),
      process(module->mclass().process),
      brake(module->brake()),
      number(of.number),
      max_workers(module->info().max_workers),
      holds_packets(module->info().holds_packets),
      igates_alike(module->info().igates_alike),
      has_tasks(!module->tasks().empty()),
      has_attributes(!module->attributes().empty()),
      in_hooks(!of.in_hooks.empty()),
      attentive(HasAttentiveHooks(of)),
      choosy(module->numa_nodes() != kAllNumaNodes),
      minds_workers(module->mclass().minds_workers) {}

void Survey::Add(const ModuleEntry& entry) {
  sites.emplace_back(entry);
  for (const auto& [ogate, gate] : entry.out) {
    down.Add({.to_number = gate.to_number,
              .ogate = ogate,
              .igate = gate.igate,
              .gate = &gate,
              .edge = gate.edge.get(),
              .hooked = !gate.hooks.empty()});
  }
  down.EndRow();
}

void Survey::Add(const Survey& from, size_t begin, size_t end) {
  sites.insert(sites.end(), from.sites.begin() + begin, from.sites.begin() + end);
  down.Add(from.down, begin, end);
}

Topology::Topology(Survey survey, std::vector<uint32_t>& places) : Survey(std::move(survey)) {
  for (uint32_t i = 0; i < size(); ++i) places[sites[i].number] = i;
  std::vector<uint32_t> next(size() + 1);  // in a row of `up`
  for (Connection& connection : down.all()) {
    connection.to = places[connection.to_number];
    ++next[connection.to + 1];
  }
  for (size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  std::vector<uint32_t> senders(next.back()), begins = next;
  for (uint32_t i = 0; i < size(); ++i) {
    for (const Connection& connection : down[i]) senders[next[connection.to]++] = i;
  }
  for (size_t i = 0; i < size(); ++i) {
    for (uint32_t at = begins[i]; at < begins[i + 1]; ++at) up.Add(senders[at]);
    up.EndRow();
  }
}

// Takes out who has nobody upstream until nobody is left, or only cycles and what is behind them.
bool Topology::HasCycle() const {
  std::vector<size_t> upstream(size());
  std::vector<uint32_t> ready;
  for (uint32_t i = 0; i < size(); ++i) {
    upstream[i] = up[i].size();
    if (upstream[i] == 0) ready.push_back(i);
  }
  for (size_t at = 0; at < ready.size(); ++at) {
    for (const Connection& connection : down[ready[at]]) {
      if (--upstream[connection.to] == 0) ready.push_back(connection.to);
    }
  }
  return ready.size() < size();
}

std::vector<Topology> ConnectedParts(Survey survey, std::vector<uint32_t>& places) {
  const auto& sites = survey.sites;
  for (uint32_t i = 0; i < sites.size(); ++i) places[sites[i].number] = i;
  Groups joined(sites.size());
  for (uint32_t i = 0; i < sites.size(); ++i) {
    for (const auto& connection : survey.down[i]) joined.Join(i, places[connection.to_number]);
  }
  uint32_t count = 0;
  std::vector<uint32_t> part_of(sites.size());
  for (uint32_t i = 0; i < sites.size(); ++i) {
    const uint32_t first = joined.Find(i);
    part_of[i] = first == i ? count++ : part_of[first];
  }
  std::vector<Survey> parts(count);
  if (count == 1) {
    parts[0] = std::move(survey);
  } else {
    for (uint32_t i = 0; i < sites.size(); ++i) parts[part_of[i]].Add(survey, i, i + 1);
  }
  std::vector<Topology> topologies;
  topologies.reserve(parts.size());
  for (Survey& part : parts) topologies.emplace_back(std::move(part), places);
  return topologies;
}

}  // namespace bess
