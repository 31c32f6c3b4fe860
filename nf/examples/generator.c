// SPDX-License-Identifier: Apache-2.0
//
// `generator SOCKET COUNT [LENGTH]` sends that many packets, each with its number in it, as fast as
// the switch takes them; 0 sends for ever.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nf/bessnf.h"

enum { kBurst = 64, kFresh = 512, kHeader = 42 };

// Ethernet, IPv4 (its checksum included) and UDP from 10.0.0.1:1000 to 10.0.0.2:2000, of 60 bytes.
static const uint8_t kTemplate[kHeader] = {
    0x02,      0,           0,         0,           0,  2,  0x02, 0, 0,  0,  0,    1,
    0x08,      0,                                                                         //
    0x45,      0,           0,         46,          0,  0,  0,    0, 64, 17, 0x66, 0xbd,  //
    10,        0,           0,         1,           10, 0,  0,    2,                      //
    1000 >> 8, 1000 & 0xff, 2000 >> 8, 2000 & 0xff, 0,  26, 0,    0};

// As many packets of a burst as there are buffers and room for.
static uint64_t send_burst(struct BessNf* nf, uint64_t number, uint64_t wanted, uint32_t length) {
  struct BessNfPacket packets[kBurst];
  const uint32_t n = bess_nf_alloc(nf, 0, packets, wanted < kBurst ? (uint32_t)wanted : kBurst);
  for (uint32_t i = 0; i < n; ++i) {
    const uint64_t id = number + i;
    uint8_t* bytes = bess_nf_append(nf, &packets[i], length);
    if (bytes == NULL) continue;
    memset(bytes, 0, length);
    memcpy(bytes, kTemplate, kHeader);
    memcpy(bytes + kHeader, &id, sizeof(id));
  }
  const uint32_t sent = bess_nf_send(nf, 0, packets, n);
  bess_nf_free(nf, 0, packets + sent, n - sent);
  return sent;
}

static int generate(struct BessNf* nf, uint64_t count, uint32_t length) {
  const struct timespec rest = {.tv_nsec = 20000};
  uint64_t sent = 0;
  while (count == 0 || sent < count) {
    const uint64_t now = send_burst(nf, sent, count == 0 ? kBurst : count - sent, length);
    sent += now;
    if (now > 0) continue;
    nanosleep(&rest, NULL);
    if (bess_nf_wait(nf, 0, 0) < 0) break;
  }
  printf("sent %llu\n", (unsigned long long)sent);
  return sent == count ? 0 : 1;
}

int main(int argc, char** argv) {
  const unsigned long length = argc > 3 ? strtoul(argv[3], NULL, 10) : 60;
  if (argc < 3 || length < kHeader + sizeof(uint64_t) || length > 1514) {
    fprintf(stderr, "usage: %s SOCKET COUNT [LENGTH, 50..1514]\n", argv[0]);
    return 2;
  }
  const struct BessNfOptions options = {.name = "generator", .fresh = kFresh};
  struct BessNf* nf = bess_nf_attach(argv[1], &options);
  if (nf == NULL) {
    fprintf(stderr, "%s\n", bess_nf_error());
    return 1;
  }
  const int status = generate(nf, strtoull(argv[2], NULL, 10), (uint32_t)length);
  bess_nf_detach(nf);
  return status;
}
