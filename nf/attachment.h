// SPDX-License-Identifier: Apache-2.0
//
// The inside of the library: what an attached NF consists of.
#pragma once

#include <stdint.h>

#include "nf/bessnf.h"
#include "nf/wire.h"

// A ring that the switch fills and we empty.
struct Incoming {
  const uint32_t* their_head;
  const uint64_t* slots;
  uint32_t* our_tail;
  uint32_t mask;
  uint32_t head;  // as last seen
  uint32_t tail;
};

// A ring that we fill and the switch empties.
struct Outgoing {
  const uint32_t* their_tail;
  uint64_t* slots;
  uint32_t* our_head;
  uint32_t mask;
  uint32_t head;
  uint32_t tail;  // as last seen
};

// A queue to the NF.
struct ReceiveQueue {
  struct Incoming ring;
  uint32_t* our_sleeps;
  uint32_t sleeps;
  int doorbell;
  uint32_t vain;  // looks in a row that found nothing
  uint64_t received;
  uint64_t received_bytes;
  uint64_t slept;
} __attribute__((aligned(64)));

// A queue from the NF.
struct SendQueue {
  struct Outgoing ring;
  const uint32_t* their_sleeps;
  uint32_t rung;  // for which of these
  int doorbell;
  struct Incoming fresh;
  uint32_t* idle;  // freed buffers that are here still: the next to be allocated, or given back
  uint32_t idle_count;
  uint64_t sent;
  uint64_t sent_bytes;
  uint64_t refused;
  uint64_t allocated;
  uint64_t freed;
} __attribute__((aligned(64)));

struct BessNf {
  char* path;
  char name[sizeof(((struct BessNfRequest*)0)->name)];
  uint32_t fresh;
  uint64_t attachments;
  uint32_t generation;  // in the upper 8 bits: what the buffers of this attachment have there
  int connection;       // -1 while it is not attached
  struct BessNfGeometry geometry;  // all 0 while it is not attached: there are no queues, then
  uint8_t* data;
  uint8_t* switch_memory;
  uint8_t* nf_memory;
  uint64_t data_size;
  struct ReceiveQueue receive[BESS_NF_MAX_QUEUES];
  struct SendQueue send[BESS_NF_MAX_QUEUES];
};

// Remembers what this thread has to say in bess_nf_error, and sets errno.
void bess_nf_fail(int error, const char* text);
