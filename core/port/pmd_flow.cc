// SPDX-License-Identifier: Apache-2.0
#include "core/port/pmd_flow.h"

#include <rte_ethdev.h>

#include <numeric>

#include "core/base/status.h"

namespace bess {
namespace {

using Pattern = std::vector<rte_flow_item_type>;

struct FlowProfile {
  uint32_t interface;
  std::vector<Pattern> patterns;  // from the outside in; one rule each
  uint64_t hash;                  // of the innermost header
};

const std::vector<FlowProfile>& Profiles() {
  constexpr auto kEth = RTE_FLOW_ITEM_TYPE_ETH;
  constexpr auto kIp = RTE_FLOW_ITEM_TYPE_IPV4;
  constexpr auto kUdp = RTE_FLOW_ITEM_TYPE_UDP;
  constexpr auto kGtpu = RTE_FLOW_ITEM_TYPE_GTPU;
  constexpr auto kPsc = RTE_FLOW_ITEM_TYPE_GTP_PSC;
  // Uplink is known by the subscriber's address as source, downlink by it as destination. Between
  // two UPFs both directions travel in tunnels, of which the endpoint id tells subscribers apart.
  static const std::vector<FlowProfile> profiles = {
      {3,
       {{kEth, kIp, kUdp, kGtpu, kIp}, {kEth, kIp, kUdp, kGtpu, kPsc, kIp}},
       RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_L3_SRC_ONLY},
      {6, {{kEth, kIp}}, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_L3_DST_ONLY},
      {9, {{kEth, kIp, kUdp, kGtpu}, {kEth, kIp, kUdp, kGtpu, kPsc}}, RTE_ETH_RSS_GTPU},
  };
  return profiles;
}

const FlowProfile* Find(uint32_t interface) {
  for (const FlowProfile& profile : Profiles()) {
    if (profile.interface == interface) return &profile;
  }
  return nullptr;
}

rte_flow* Install(uint16_t device, const Pattern& pattern, const rte_flow_action_rss& rss,
                  rte_flow_error* error) {
  std::vector<rte_flow_item> items;
  for (const rte_flow_item_type type : pattern) items.push_back({.type = type});
  items.push_back({.type = RTE_FLOW_ITEM_TYPE_END});
  const rte_flow_action actions[] = {{.type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rss},
                                     {.type = RTE_FLOW_ACTION_TYPE_END}};
  rte_flow_attr attributes{};
  attributes.ingress = 1;
  return rte_flow_create(device, &attributes, items.data(), actions, error);
}

}  // namespace

bool IsFlowProfile(uint32_t profile) { return Find(profile) != nullptr; }

absl::Status InstallFlowProfile(uint16_t device, uint32_t number, uint32_t queues,
                                std::vector<rte_flow*>* rules) {
  const FlowProfile* profile = Find(number);
  if (profile == nullptr) {
    return Error(EINVAL, "'flow_profiles' are 3, 6 and 9, not ", number);
  }
  std::vector<uint16_t> all(queues);
  std::iota(all.begin(), all.end(), uint16_t{0});
  rte_flow_action_rss rss{};
  rss.types = profile->hash;
  rss.queue_num = queues;
  rss.queue = all.data();
  for (const Pattern& pattern : profile->patterns) {
    rte_flow_error error{};
    rte_flow* rule = Install(device, pattern, rss, &error);
    if (rule == nullptr) {
      return Error(ENOTSUP, "the device cannot do flow profile ", number, ": ",
                   error.message == nullptr ? "no reason given" : error.message);
    }
    rules->push_back(rule);
  }
  return absl::OkStatus();
}

}  // namespace bess
