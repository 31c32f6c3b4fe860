// SPDX-License-Identifier: Apache-2.0
#include "core/packet/snapshot.h"

#include <algorithm>
#include <cstring>

namespace bess {

void PacketSnapshot::Take(Packet& packet, uint64_t now, uint32_t most) {
  time = now;
  total_length = packet.total_length();
  length = 0;
  for (rte_mbuf* part = packet.mbuf(); part != nullptr && length < most; part = part->next) {
    const uint32_t n = std::min<uint32_t>(part->data_len, most - length);
    std::memcpy(bytes.data() + length, rte_pktmbuf_mtod(part, const uint8_t*), n);
    length += n;
  }
  std::memcpy(metadata.data(), packet.metadata(), kMetadataSize);
}

}  // namespace bess
