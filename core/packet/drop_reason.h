// SPDX-License-Identifier: Apache-2.0
//
// Why a packet ended anywhere but in a port or a Sink. Every drop names one of these; the ledger
// counts them per module, and operators read the names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bess {

enum class DropReason : uint8_t {
  kDeadEnd,         // left by a gate that is connected to nothing
  kNoGate,          // the module chose a gate number it does not have
  kNoBuffers,       // the packet pool was empty
  kTruncated,       // shorter than the headers it claims or the bytes asked for
  kMalformed,       // a header field contradicts the packet
  kUnsupported,     // well formed, but not what this module handles
  kTtlExpired,      // TTL or hop limit reached zero
  kDenied,          // a rule said drop
  kNoMatch,         // no rule or table entry matched
  kNoMapping,       // NAT: no mapping for an inbound packet
  kPortsExhausted,  // NAT: no external port left
  kTableFull,       // a state table is at its cap
  kNoRoom,          // no headroom or tailroom for what had to be added
  kTooLong,         // longer than the buffer, port or template allows
  kQueueFull,       // a queue was full
  kTxFull,          // the port did not take it
  kLoopFull,        // the bounded buffer of a graph cycle was full
  kOverload,        // the worker ran out of batches: the graph multiplies packets too fast
  kModuleRemoved,   // was held inside a module, or on its way to one, that was removed
  kNumReasons,
};

inline constexpr size_t kNumDropReasons = static_cast<size_t>(DropReason::kNumReasons);

// The name operators see, such as "ttl_expired".
std::string_view DropReasonName(DropReason reason);

using DropCounts = std::array<uint64_t, kNumDropReasons>;

}  // namespace bess
