// SPDX-License-Identifier: Apache-2.0
//
// What a switch and a network function (NF) of another process agree on: the messages by which an
// NF attaches, and the layout of the memory they share. Whoever changes the meaning of a byte here
// raises BESS_NF_VERSION.
//
// Attach. The NF connects to the port's SOCK_SEQPACKET socket and sends one request. The switch
// answers with one welcome: an error, or a geometry and these descriptors, in this order:
//
//   data memory     the packet buffers: buffer i lies at i * stride and has buffer_size bytes
//   switch memory   written by the switch, read-only for the NF
//   NF memory       written by the NF
//   a doorbell for each queue to the NF: a stream socket, only to be read from, that becomes
//                   readable when packets came while the NF said it sleeps
//   a doorbell for each queue from the NF: an eventfd, only to be written to, to which the NF adds
//   1
//                   when it has put something into the ring since the switch said it sleeps
//
// The connection stays open; its end is the end of the attachment, and before it the NF may say
// with a second request, of kind BESS_NF_DETACH, that it goes in good order.
//
// Rings. Each has one producer and one consumer. The producer's part, in memory that only the
// producer writes, is a line and the slots; the consumer's part is in its own memory. The
// indices count on for ever, modulo 2^32; slot i is at index i modulo the ring's size. Loads of the
// other's index acquire, stores of one's own release.
//
//   to-NF ring      packets for the NF. Their buffers are the NF's from then on.
//   from-NF ring    buffers the NF gives back: with a length, packets to send; with length 0,
//                   buffers it has no more use for. Any from-NF ring takes any buffer of the NF's.
//   fresh ring      empty buffers for packets that the NF makes, one ring for each from-NF ring.
//
// Sleep. The consumer of a to-NF or a from-NF ring who wants to be rung counts its sleeps up and
// looks at the ring once more. The producer looks at the count after it has stored its index, and
// rings once for each change. Both are sequentially consistent, so one of them sees the other.
//
// A descriptor that names a buffer the NF does not own, a length or an offset out of bounds, or an
// index that is ahead of its ring, ends the attachment.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BESS_NF_MAGIC 0x314e5342u  // "BSN1"
#define BESS_NF_VERSION 3u
#define BESS_NF_MAX_QUEUES 16u          // each way
#define BESS_NF_MAX_SLOTS 4096u         // of a ring
#define BESS_NF_MAX_BUFFERS (1u << 24)  // in the data memory
#define BESS_NF_MIN_LENGTH 14u          // bytes of a packet: an Ethernet header
#define BESS_NF_FIXED_DESCRIPTORS 3u    // before the doorbells
#define BESS_NF_MAX_DESCRIPTORS (BESS_NF_FIXED_DESCRIPTORS + 2 * BESS_NF_MAX_QUEUES)

// The kinds of requests.
#define BESS_NF_ATTACH 1u
#define BESS_NF_DETACH 2u

struct BessNfRequest {
  uint32_t magic;
  uint32_t version;
  uint32_t kind;
  uint32_t fresh;  // empty buffers the switch should keep ready in each fresh ring, 0..MAX_SLOTS
  char name[32];   // what the NF calls itself, for people; ends with a NUL
};

// All numbers of slots are powers of two.
struct BessNfGeometry {
  uint32_t to_nf_queues;    // 1..MAX_QUEUES
  uint32_t from_nf_queues;  // 1..MAX_QUEUES
  uint32_t to_nf_slots;     // of each ring
  uint32_t from_nf_slots;
  uint32_t fresh_slots;
  uint32_t loans;        // the most buffers the NF may have at a time
  uint32_t buffers;      // in the data memory, up to MAX_BUFFERS
  uint32_t stride;       // bytes from one buffer to the next
  uint32_t buffer_size;  // bytes of each that may be used
  uint32_t headroom;     // where to begin a packet, to leave room for more headers before it
};

struct BessNfWelcome {
  uint32_t magic;
  uint32_t version;
  uint32_t error;  // 0, or an errno: then there are no descriptors, and the text says why
  uint32_t reserved;
  struct BessNfGeometry geometry;
  char text[152];  // ends with a NUL
};

// One slot of a ring: one 64-bit word, to be read when the head has passed it.
struct BessNfDescriptor {
  uint32_t buffer;
  uint16_t offset;  // of the packet's first byte in its buffer
  uint16_t length;
};

struct BessNfProducerLine {
  uint32_t head;  // index of the next slot to fill
  uint32_t unused[15];
};

struct BessNfConsumerPart {
  uint32_t tail;  // index of the next slot to take
  uint32_t unused[15];
  uint32_t sleeps;  // how often the consumer went to sleep, each time for one ring of the doorbell;
                    // on a line of its own, since it seldom changes; unused for fresh rings
  uint32_t unused2[15];
};

// Bytes of a producer's part of a ring: its line and its slots.
static inline uint64_t bess_nf_producer_size(uint32_t slots) {
  return sizeof(struct BessNfProducerLine) + (uint64_t)slots * sizeof(struct BessNfDescriptor);
}

// Where the parts of ring `queue` begin in the memory of who writes them.
static inline uint64_t bess_nf_to_nf_producer(const struct BessNfGeometry* g, uint32_t queue) {
  return queue * bess_nf_producer_size(g->to_nf_slots);
}
static inline uint64_t bess_nf_fresh_producer(const struct BessNfGeometry* g, uint32_t queue) {
  return bess_nf_to_nf_producer(g, g->to_nf_queues) + queue * bess_nf_producer_size(g->fresh_slots);
}
static inline uint64_t bess_nf_from_nf_consumer(const struct BessNfGeometry* g, uint32_t queue) {
  return bess_nf_fresh_producer(g, g->from_nf_queues) + queue * sizeof(struct BessNfConsumerPart);
}
static inline uint64_t bess_nf_from_nf_producer(const struct BessNfGeometry* g, uint32_t queue) {
  return queue * bess_nf_producer_size(g->from_nf_slots);
}
static inline uint64_t bess_nf_to_nf_consumer(const struct BessNfGeometry* g, uint32_t queue) {
  return bess_nf_from_nf_producer(g, g->from_nf_queues) + queue * sizeof(struct BessNfConsumerPart);
}
static inline uint64_t bess_nf_fresh_consumer(const struct BessNfGeometry* g, uint32_t queue) {
  return bess_nf_to_nf_consumer(g, g->to_nf_queues) + queue * sizeof(struct BessNfConsumerPart);
}

// Bytes of the switch's and of the NF's memory.
static inline uint64_t bess_nf_switch_memory_size(const struct BessNfGeometry* g) {
  return bess_nf_from_nf_consumer(g, g->from_nf_queues);
}
static inline uint64_t bess_nf_nf_memory_size(const struct BessNfGeometry* g) {
  return bess_nf_fresh_consumer(g, g->from_nf_queues);
}

#ifdef __cplusplus
}
#endif
