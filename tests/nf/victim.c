// SPDX-License-Identifier: Apache-2.0
//
// A network function for chaos: it exchanges packets as fast as it can until something befalls it.
// Half of what it gets it sends back; the rest it frees, or keeps if it is a hoarder.
#include <string.h>

#include "nf/bessnf.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int hoards = strcmp(argv[2], "hoard") == 0;
  struct BessNf* nf = bess_nf_attach(argv[1], NULL);
  if (nf == NULL) return 1;
  struct BessNfPacket packets[32];
  for (;;) {
    const int n = bess_nf_receive(nf, 0, packets, 32);
    if (n < 0) return 1;
    const uint32_t sent = bess_nf_send(nf, 0, packets, (uint32_t)n / 2);
    if (!hoards) bess_nf_free(nf, 0, packets + sent, (uint32_t)n - sent);
  }
}
