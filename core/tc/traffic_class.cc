// SPDX-License-Identifier: Apache-2.0
#include "core/tc/traffic_class.h"

#include "core/base/status.h"

namespace bess {
namespace {

constexpr std::string_view kPolicies[] = {"priority", "weighted_fair", "round_robin", "rate_limit",
                                          "leaf"};
constexpr std::string_view kResources[] = {"count", "cycle", "packet", "bit"};

template <typename Enum, size_t N>
absl::StatusOr<Enum> Parse(const std::string_view (&names)[N], std::string_view field,
                           std::string_view text) {
  std::string known;
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
    absl::StrAppend(&known, i == 0 ? "'" : ", '", AbslView(names[i]), "'");
  }
  return Error(EINVAL, "'", field, "' must be one of ", known, ", not '", text, "'");
}

}  // namespace

std::string_view Name(TcPolicy policy) { return kPolicies[static_cast<size_t>(policy)]; }

std::string_view Name(TcResource resource) { return kResources[static_cast<size_t>(resource)]; }

absl::StatusOr<TcPolicy> ParseTcPolicy(std::string_view text) {
  return Parse<TcPolicy>(kPolicies, "policy", text);
}

absl::StatusOr<TcResource> ParseTcResource(std::string_view text) {
  return Parse<TcResource>(kResources, "resource", text);
}

std::string LeafName(std::string_view module, uint32_t task) {
  return absl::StrCat("!leaf_", AbslView(module), ":", task);
}

std::string DefaultRootName(uint32_t worker) { return absl::StrCat("!default_rr_", worker); }

}  // namespace bess
