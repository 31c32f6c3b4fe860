// SPDX-License-Identifier: Apache-2.0
//
// What the examples that look at one packet after the other share: the loop around them.
#pragma once

#include <errno.h>
#include <stdio.h>

#include "nf/bessnf.h"

enum { kBurst = 64 };

// Says what becomes of a packet: 1 to send it, 0 to drop it.
typedef int (*Filter)(struct BessNfPacket* packet);

static inline void filter_burst(struct BessNf* nf, Filter filter) {
  struct BessNfPacket packets[kBurst];
  struct BessNfPacket dropped[kBurst];
  const int n = bess_nf_receive(nf, 0, packets, kBurst);
  uint32_t kept = 0;
  uint32_t lost = 0;
  for (int i = 0; i < n; ++i) {
    if (filter(&packets[i])) {
      packets[kept++] = packets[i];
    } else {
      dropped[lost++] = packets[i];
    }
  }
  const uint32_t sent = bess_nf_send(nf, 0, packets, kept);
  bess_nf_free(nf, 0, packets + sent, kept - sent);
  bess_nf_free(nf, 0, dropped, lost);
}

// Attaches to the socket that the command line names, and filters until it is ended. After each
// burst, and at least once a second, it calls `rest` if there is one.
static inline int run_filter(int argc, char** argv, const char* name, Filter filter,
                             void (*rest)(void)) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
    return 2;
  }
  const struct BessNfOptions options = {.name = name, .fresh = 0};
  struct BessNf* nf = bess_nf_attach(argv[1], &options);
  while (nf != NULL) {
    const int ready = bess_nf_wait(nf, 0, 1000);
    if (ready > 0) filter_burst(nf, filter);
    if (rest != NULL) rest();
    if (ready < 0 && errno == ECONNRESET && bess_nf_reattach(nf, -1) != 0) break;
  }
  fprintf(stderr, "%s\n", bess_nf_error());
  return 1;
}
