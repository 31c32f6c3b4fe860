// SPDX-License-Identifier: Apache-2.0
//
// A traffic class as it is wanted: a policy with its parameters, and a place in a worker's tree.
// Plain data; class_tree.h holds them together, scheduler.h runs them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/tc/class_state.h"

namespace bess {

// How a class chooses among its children. A leaf has none: it is a task.
enum class TcPolicy : uint8_t { kPriority, kWeightedFair, kRoundRobin, kRateLimit, kLeaf };

// What a class counts: times run, CPU cycles, packets, bits.
enum class TcResource : uint8_t { kCount, kCycle, kPacket, kBit };
inline constexpr size_t kNumTcResources = 4;
using TcUsage = std::array<uint64_t, kNumTcResources>;  // by resource

inline constexpr int64_t kMaxTcPriority = 0xFFFFFFFE;  // the next is reserved
inline constexpr int64_t kMaxTcShare = 0x7FFFFFFF;
inline constexpr int64_t kMaxTcAmount = 1'000'000'000'000'000;  // of a limit or a burst

std::string_view Name(TcPolicy policy);
std::string_view Name(TcResource resource);
// EINVAL naming the text and what is possible.
absl::StatusOr<TcPolicy> ParseTcPolicy(std::string_view text);
absl::StatusOr<TcResource> ParseTcResource(std::string_view text);

struct TcParams {
  TcPolicy policy = TcPolicy::kLeaf;
  TcResource resource = TcResource::kCount;  // of weighted_fair and rate_limit
  int64_t limit = 0;      // of rate_limit, a second, 0..kMaxTcAmount; 0: no limit
  int64_t max_burst = 0;  // of rate_limit: what may pile up unused, 0..kMaxTcAmount
};

// Where a class hangs: under a parent, at a worker's root, or, with neither, nowhere yet.
struct TcPlace {
  std::string parent;
  std::optional<uint32_t> worker;
  std::optional<int64_t> priority;  // under a priority class, 0..kMaxTcPriority, lower first
  std::optional<int64_t> share;     // under a weighted_fair class, 1..kMaxTcShare

  bool attached() const { return worker.has_value() || !parent.empty(); }
};

struct TrafficClass {
  TcParams params;
  TcPlace place;
  std::string module;  // of a leaf: whose task it is
  uint32_t task = 0;   // of a leaf
  // Lives as long as any plan runs the class: an edit leaves credit and statistics alone.
  std::shared_ptr<ClassState> state = std::make_shared<ClassState>();

  bool is_leaf() const { return params.policy == TcPolicy::kLeaf; }
};

std::string LeafName(std::string_view module, uint32_t task);
// What ListTcs calls the class above several roots of a worker.
std::string DefaultRootName(uint32_t worker);

}  // namespace bess
