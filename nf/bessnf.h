// SPDX-License-Identifier: Apache-2.0
//
// The library of network functions (NFs): attach to an NFPort of bessd, and exchange packets with
// it in bursts, through shared memory. It needs no rights, no huge pages and nothing but the C
// library.
//
//   struct BessNf* nf = bess_nf_attach("/tmp/bess_nf_nf0", NULL);
//   struct BessNfPacket packets[32];
//   while (bess_nf_wait(nf, 0, -1) > 0) {
//     int n = bess_nf_receive(nf, 0, packets, 32);
//     uint32_t sent = bess_nf_send(nf, 0, packets, n);
//     bess_nf_free(nf, 0, packets + sent, n - sent);
//   }
//
// Threads: each queue of each direction belongs to one thread at a time. Attaching, reattaching and
// detaching are for one thread while no other uses the NF. Statistics are for any.
//
// A packet received is the NF's until it is sent or freed, each once. The NF may change its bytes,
// its start and its length.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BESS_NF_EXPORT __attribute__((visibility("default")))
#else
#define BESS_NF_EXPORT
#endif

struct BessNf;

struct BessNfPacket {
  uint8_t* data;    // the first byte
  uint32_t length;  // bytes
  uint32_t buffer;  // which buffer it is in, of which attachment; not to be changed
};

struct BessNfOptions {
  const char* name;  // what the NF is called in the switch's log; at most 31 bytes. NULL: "nf"
  uint32_t fresh;    // empty buffers the switch keeps ready for each queue; 0: 64
};

// Since the NF was first attached.
struct BessNfStats {
  uint64_t received;        // packets
  uint64_t received_bytes;  //
  uint64_t sent;            // packets that the switch's ring took
  uint64_t sent_bytes;      //
  uint64_t refused;         // packets that send freed: too short, or out of their buffer
  uint64_t allocated;       // buffers
  uint64_t freed;           // buffers
  uint64_t sleeps;          // how often bess_nf_wait went to sleep
  uint64_t attachments;     // how often it was attached
};

// Attaches to the NFPort at a socket's path; a leading '@' means the abstract namespace. `options`
// may be NULL. Returns NULL, with errno and bess_nf_error(), when it cannot be: ENOENT or
// ECONNREFUSED when there is no port, EPERM when the port does not admit this user, EBUSY when
// another NF is attached, EPROTONOSUPPORT when the switch speaks another version, ETIMEDOUT when
// whoever listens there has not answered within 5 seconds.
BESS_NF_EXPORT struct BessNf* bess_nf_attach(const char* path, const struct BessNfOptions* options);
// Attaches again after the switch or the port was gone, and tries for that long, in milliseconds;
// forever below 0. 0 is for one attempt, which is bounded as bess_nf_attach. It goes on trying when
// there is no port or none that answers, when it is not open to this user or another NF is
// attached, and when either side is short of memory or descriptors. 0, or -1 with errno.
//
// Packets that the NF still had are gone in any case: their bytes must not be touched any more. To
// send or free them does nothing.
BESS_NF_EXPORT int bess_nf_reattach(struct BessNf* nf, int timeout);
// Gives everything back. NULL is fine.
BESS_NF_EXPORT void bess_nf_detach(struct BessNf* nf);
// What the last call of this thread that failed has to say.
BESS_NF_EXPORT const char* bess_nf_error(void);

// Queues to the NF, to be received from; and from the NF, to send to. 1 to 16 each, and 0 while the
// NF is not attached. A queue that is not there gives nothing and takes nothing: who would receive
// from it or wait for it gets -1 with errno EINVAL, or ECONNRESET while the NF is not attached.
BESS_NF_EXPORT uint32_t bess_nf_receive_queues(const struct BessNf* nf);
BESS_NF_EXPORT uint32_t bess_nf_send_queues(const struct BessNf* nf);

// Up to `max` packets that wait in a queue, without waiting. -1 with errno ECONNRESET when the
// switch has ended the attachment; this is noticed after a while of finding nothing.
BESS_NF_EXPORT int bess_nf_receive(struct BessNf* nf, uint32_t queue, struct BessNfPacket* packets,
                                   uint32_t max);
// Takes the first packets of the `n` and returns how many; the others stay the NF's, since the
// queue is full. Packets of an earlier attachment are taken like others, but go nowhere: they count
// as neither sent nor refused. A switch that has slept since the last time is woken, which takes a
// system call.
BESS_NF_EXPORT uint32_t bess_nf_send(struct BessNf* nf, uint32_t queue,
                                     const struct BessNfPacket* packets, uint32_t n);
// Up to `n` packets of length 0 with room for headers before them, and how many there are.
BESS_NF_EXPORT uint32_t bess_nf_alloc(struct BessNf* nf, uint32_t queue,
                                      struct BessNfPacket* packets, uint32_t n);
// Gives back packets that are not to be sent.
BESS_NF_EXPORT void bess_nf_free(struct BessNf* nf, uint32_t queue,
                                 const struct BessNfPacket* packets, uint32_t n);

// Makes the packet longer, at the front or at the end, and returns where the new bytes begin; NULL,
// and nothing is changed, when its buffer has no room for them or is of an earlier attachment.
BESS_NF_EXPORT uint8_t* bess_nf_prepend(const struct BessNf* nf, struct BessNfPacket* packet,
                                        uint32_t n);
BESS_NF_EXPORT uint8_t* bess_nf_append(const struct BessNf* nf, struct BessNfPacket* packet,
                                       uint32_t n);

// Waits until a queue has packets: looks for some microseconds, offering the core to other threads
// now and then, and sleeps after that. 1 when it has, 0 when `timeout` milliseconds are over (below
// 0: never), -1 with errno ECONNRESET when the switch has ended the attachment, or EINTR.
BESS_NF_EXPORT int bess_nf_wait(struct BessNf* nf, uint32_t queue, int timeout);

// For event loops: a descriptor that becomes readable when packets come after bess_nf_sleep
// returned 0, which says that none are there yet. Another becomes readable when the attachment
// ends. -1 for a queue that is not there.
BESS_NF_EXPORT int bess_nf_sleep(struct BessNf* nf, uint32_t queue);
BESS_NF_EXPORT int bess_nf_doorbell(const struct BessNf* nf, uint32_t queue);
BESS_NF_EXPORT int bess_nf_connection(const struct BessNf* nf);

BESS_NF_EXPORT void bess_nf_statistics(const struct BessNf* nf, struct BessNfStats* statistics);

#ifdef __cplusplus
}
#endif
