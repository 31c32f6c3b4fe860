// SPDX-License-Identifier: Apache-2.0
//
// Passes everything on, and says each second what it saw: packets and bytes by kind.
#include <time.h>

#include "nf/examples/filter.h"

enum { kIpv4, kIpv6, kArp, kOther, kKinds };

static struct {
  const char* name;
  uint64_t packets;
  uint64_t bytes;
} seen[kKinds] = {{.name = "ipv4"}, {.name = "ipv6"}, {.name = "arp"}, {.name = "other"}};

static int kind_of(const struct BessNfPacket* packet) {
  if (packet->length < 14) return kOther;
  switch (packet->data[12] << 8 | packet->data[13]) {
    case 0x0800:
      return kIpv4;
    case 0x86dd:
      return kIpv6;
    case 0x0806:
      return kArp;
    default:
      return kOther;
  }
}

static int count(struct BessNfPacket* packet) {
  const int kind = kind_of(packet);
  ++seen[kind].packets;
  seen[kind].bytes += packet->length;
  return 1;
}

static void report(void) {
  static time_t last;
  const time_t now = time(NULL);
  if (now == last) return;
  last = now;
  for (int i = 0; i < kKinds; ++i) {
    printf("%s %llu packets %llu bytes\n", seen[i].name, (unsigned long long)seen[i].packets,
           (unsigned long long)seen[i].bytes);
  }
  fflush(stdout);
}

int main(int argc, char** argv) { return run_filter(argc, argv, "monitor", count, report); }
