// SPDX-License-Identifier: Apache-2.0
#include "core/graph/topology.h"

#include <algorithm>
#include <utility>

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

// Each entry is looked at once: they lie scattered in memory.
void SortByNumber(std::vector<const ModuleEntry*>& modules) {
  std::vector<std::pair<uint32_t, const ModuleEntry*>> numbered;
  numbered.reserve(modules.size());
  for (const ModuleEntry* module : modules) numbered.emplace_back(module->number, module);
  std::sort(numbered.begin(), numbered.end());
  for (size_t i = 0; i < modules.size(); ++i) modules[i] = numbered[i].second;
}

}  // namespace

Topology::Topology(std::vector<const ModuleEntry*> all, std::vector<uint32_t>& places)
    : modules(std::move(all)) {
  for (uint32_t i = 0; i < modules.size(); ++i) places[modules[i]->number] = i;
  std::vector<uint32_t> next(modules.size() + 1);  // in a row of `up`
  for (const ModuleEntry* module : modules) {
    for (const auto& [ogate, gate] : module->out) {
      const uint32_t to = places[gate.to_number];
      down.Add({to, &gate, ogate});
      ++next[to + 1];
    }
    down.EndRow();
  }
  for (size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  std::vector<uint32_t> senders(next.back()), begins = next;
  for (uint32_t i = 0; i < modules.size(); ++i) {
    for (const Connection& connection : down[i]) senders[next[connection.to]++] = i;
  }
  for (size_t i = 0; i < modules.size(); ++i) {
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

std::vector<std::vector<const ModuleEntry*>> ConnectedGroups(
    std::vector<const ModuleEntry*> modules, std::vector<uint32_t>& places) {
  SortByNumber(modules);
  for (uint32_t i = 0; i < modules.size(); ++i) places[modules[i]->number] = i;
  Groups joined(modules.size());
  for (uint32_t i = 0; i < modules.size(); ++i) {
    for (const auto& [ogate, gate] : modules[i]->out) joined.Join(i, places[gate.to_number]);
  }
  std::vector<std::vector<const ModuleEntry*>> groups;
  std::vector<uint32_t> group_of(modules.size());
  for (uint32_t i = 0; i < modules.size(); ++i) {
    const uint32_t first = joined.Find(i);
    if (first == i) {
      group_of[i] = static_cast<uint32_t>(groups.size());
      groups.emplace_back();
    }
    groups[group_of[first]].push_back(modules[i]);
  }
  return groups;
}

}  // namespace bess
