// SPDX-License-Identifier: Apache-2.0
//
// A time inside a packet: a mark, so that other packets are not taken for stamped ones, and
// nanoseconds of the NanosecondClock; both in network order.
#pragma once

#include "absl/status/status.h"
#include "core/base/status.h"
#include "core/packet/packet_pool.h"
#include "core/packet/packet_view.h"

namespace bess {

struct TimeStamp {
  Be32 mark;
  Be64 nanoseconds;
};
static_assert(sizeof(TimeStamp) == 12);

inline constexpr uint32_t kTimeStampMark = 0x9d3c5e17;

// Whether an argument named 'offset' may be where stamps are: EINVAL beyond a buffer's usual room.
inline absl::Status CheckTimeStampOffset(uint64_t offset) {
  constexpr uint64_t kLast = kDefaultDataRoom - sizeof(TimeStamp);
  if (offset <= kLast) return absl::OkStatus();
  return Error(EINVAL, "'offset' must be 0..", kLast, " bytes, not ", offset);
}

// False, and nothing written, when the packet ends before the stamp would.
inline bool WriteTimeStamp(PacketView packet, size_t offset, uint64_t nanoseconds) {
  uint8_t* bytes = packet.MutableBytes(offset, sizeof(TimeStamp));
  if (bytes == nullptr) return false;
  StoreUnaligned(bytes, TimeStamp{Be32(kTimeStampMark), Be64(nanoseconds)});
  return true;
}

// 0 when there is none.
inline uint64_t ReadTimeStamp(PacketView packet, size_t offset) {
  const uint8_t* bytes = packet.Bytes(offset, sizeof(TimeStamp));
  if (bytes == nullptr) return 0;
  const auto stamp = LoadUnaligned<TimeStamp>(bytes);
  return stamp.mark.value() == kTimeStampMark ? stamp.nanoseconds.value() : 0;
}

}  // namespace bess
