// SPDX-License-Identifier: Apache-2.0
//
// The smallest NF: `forwarder SOCKET` sends back what it gets. It may be ended at any time, by any
// signal: the switch notices, and takes its packets back.
#include <errno.h>
#include <stdio.h>

#include "nf/bessnf.h"

// One burst, from waiting for it to sending it; -1 when the switch is gone.
static int forward(struct BessNf* nf) {
  struct BessNfPacket packets[64];
  if (bess_nf_wait(nf, 0, -1) < 0) return -1;
  const int n = bess_nf_receive(nf, 0, packets, 64);
  if (n < 0) return -1;
  const uint32_t sent = bess_nf_send(nf, 0, packets, (uint32_t)n);
  bess_nf_free(nf, 0, packets + sent, (uint32_t)n - sent);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
    return 2;
  }
  const struct BessNfOptions options = {.name = "forwarder"};
  struct BessNf* nf = bess_nf_attach(argv[1], &options);
  // When the switch is restarted, it begins again.
  while (nf != NULL && (forward(nf) == 0 || errno == EINTR || bess_nf_reattach(nf, -1) == 0)) {
  }
  fprintf(stderr, "%s\n", bess_nf_error());
  return 1;
}
