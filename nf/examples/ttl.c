// SPDX-License-Identifier: Apache-2.0
//
// A router's first duty: counts the TTL of IPv4 packets down, and drops those that have come to
// their end. Others pass as they are.
#include "nf/examples/filter.h"

enum { kEthernet = 14, kIpv4 = 20, kTtl = 8, kChecksum = 10 };

static int count_down(struct BessNfPacket* packet) {
  const uint8_t* ether_type = packet->data + 12;
  if (packet->length < kEthernet + kIpv4 || ether_type[0] != 0x08 || ether_type[1] != 0) return 1;
  uint8_t* ip = packet->data + kEthernet;
  if (ip[kTtl] <= 1) return 0;
  --ip[kTtl];
  // The header's sum is one less in its high byte, so the checksum is one more (RFC 1624).
  uint32_t sum = ((uint32_t)ip[kChecksum] << 8 | ip[kChecksum + 1]) + 0x100u;
  sum = (sum & 0xffff) + (sum >> 16);
  ip[kChecksum] = (uint8_t)(sum >> 8);
  ip[kChecksum + 1] = (uint8_t)sum;
  return 1;
}

int main(int argc, char** argv) { return run_filter(argc, argv, "ttl", count_down, NULL); }
