// SPDX-License-Identifier: Apache-2.0
//
// The exchange of packets: our ends of the rings.
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "nf/attachment.h"

// Looks that a wait takes before it sleeps, some 40 cycles each, and after how many of them it
// offers the core to others; and vain looks of bess_nf_receive before it asks whether the switch is
// still there.
enum { kSpins = 512, kSpinsPerYield = 32, kVainLooks = 1 << 16 };

// Slots that are asked for before they are wanted: a burst; and those of a cache line.
enum { kFetchedAhead = 64, kSlotsInLine = 64 / sizeof(struct BessNfDescriptor) };

static const char kGone[] = "the switch has ended the attachment";

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Counters have one writer, and readers that may be other threads.
static void count(uint64_t* counter, uint64_t n) {
  __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

// --- rings --------------------------------------------------------------------------------------

static void look(struct Incoming* ring) {
  ring->head = __atomic_load_n(ring->their_head, __ATOMIC_ACQUIRE);
}

static uint32_t available(struct Incoming* ring) {
  if (ring->head == ring->tail) look(ring);
  return ring->head - ring->tail;
}

// Asks for the slots of the next burst, or for news of it, so that they come while the caller
// works.
static void fetch_ahead(struct Incoming* ring) {
  if (ring->head - ring->tail < kFetchedAhead) look(ring);
  const uint32_t there = ring->head - ring->tail;
  const uint32_t ahead = there < kFetchedAhead ? there : kFetchedAhead;
  for (uint32_t i = 0; i < ahead; i += kSlotsInLine) {
    __builtin_prefetch(&ring->slots[(ring->tail + i) & ring->mask]);
  }
}

static uint64_t take(struct Incoming* ring) { return ring->slots[ring->tail++ & ring->mask]; }

static void give_slots_back(const struct Incoming* ring) {
  __atomic_store_n(ring->our_tail, ring->tail, __ATOMIC_RELEASE);
}

static uint32_t room(struct Outgoing* ring, uint32_t wanted) {
  const uint32_t slots = ring->mask + 1;
  if (slots - (ring->head - ring->tail) < wanted) {
    ring->tail = __atomic_load_n(ring->their_tail, __ATOMIC_ACQUIRE);
  }
  return slots - (ring->head - ring->tail);
}

static void put(struct Outgoing* ring, uint64_t descriptor) {
  __atomic_store_n(&ring->slots[ring->head++ & ring->mask], descriptor, __ATOMIC_RELAXED);
}

// Shows the switch what was put. Either it sees that before it sleeps, or we see that it does.
static void publish(struct SendQueue* to) {
  __atomic_store_n(to->ring.our_head, to->ring.head, __ATOMIC_SEQ_CST);
  const uint32_t sleeps = __atomic_load_n(to->their_sleeps, __ATOMIC_SEQ_CST);
  if (sleeps == to->rung) return;
  to->rung = sleeps;
  eventfd_write(to->doorbell, 1);
}

// --- packets ------------------------------------------------------------------------------------

// Where the buffers lie; copied by who works on many packets, so that it stays in registers while
// packets and slots are written.
struct Buffers {
  uint8_t* data;
  uint64_t stride;
  uint32_t size;
  uint32_t count;
  uint32_t generation;
};

static struct Buffers buffers_of(const struct BessNf* nf) {
  return (struct Buffers){.data = nf->data,
                          .stride = nf->geometry.stride,
                          .size = nf->geometry.buffer_size,
                          .count = nf->geometry.buffers,
                          .generation = nf->generation};
}

// Which buffer a packet is in; none that there is if it is of an earlier attachment.
static uint32_t buffer_of(struct Buffers buffers, const struct BessNfPacket* packet) {
  return packet->buffer - buffers.generation;
}

static uint8_t* start_of(struct Buffers buffers, uint32_t buffer) {
  return buffers.data + buffer * buffers.stride;
}

// A descriptor as one word: the buffer, the offset in it, and the length (BessNfDescriptor).
static struct BessNfPacket packet_of(struct Buffers buffers, uint64_t descriptor) {
  const uint32_t buffer = (uint32_t)descriptor;
  const uint16_t offset = (uint16_t)(descriptor >> 32);
  return (struct BessNfPacket){.data = start_of(buffers, buffer) + offset,
                               .length = (uint32_t)(descriptor >> 48),
                               .buffer = buffer + buffers.generation};
}

// Takes `n` of those that are there, and returns how many bytes they have. The ring is copied for
// the same reason as the buffers' place.
static uint64_t take_packets(const struct BessNf* nf, struct Incoming* ring,
                             struct BessNfPacket* packets, uint32_t n) {
  const struct Buffers buffers = buffers_of(nf);
  struct Incoming copy = *ring;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < n; ++i) {
    packets[i] = packet_of(buffers, take(&copy));
    bytes += packets[i].length;
  }
  fetch_ahead(&copy);
  *ring = copy;
  give_slots_back(ring);
  return bytes;
}

// Whether a packet may be sent from a place in its buffer.
static int is_sound(struct Buffers buffers, uint64_t offset, uint32_t length) {
  return length - BESS_NF_MIN_LENGTH <= buffers.size - BESS_NF_MIN_LENGTH &&
         offset <= buffers.size - length;
}

static int is_gone(const struct BessNf* nf) {
  struct pollfd connection = {.fd = nf->connection, .events = POLLIN};
  if (poll(&connection, 1, 0) <= 0) return 0;
  bess_nf_fail(ECONNRESET, kGone);
  return 1;
}

// Says why there is no such queue to receive from: an NF that is not attached has none.
static int fail_without(const struct BessNf* nf) {
  const int attached = nf->connection >= 0;
  bess_nf_fail(attached ? EINVAL : ECONNRESET, attached ? "the port has fewer queues" : kGone);
  return -1;
}

int bess_nf_receive(struct BessNf* nf, uint32_t queue, struct BessNfPacket* packets, uint32_t max) {
  if (queue >= nf->geometry.to_nf_queues) return fail_without(nf);
  struct ReceiveQueue* from = &nf->receive[queue];
  uint32_t n = available(&from->ring);
  if (n == 0) return ++from->vain % kVainLooks == 0 && is_gone(nf) ? -1 : 0;
  if (n > max) n = max;
  const uint64_t bytes = take_packets(nf, &from->ring, packets, n);
  count(&from->received, n);
  count(&from->received_bytes, bytes);
  return (int)n;
}

// Gives freed buffers back, but keeps as many as are likely to be wanted soon.
static void return_idle(struct BessNf* nf, struct SendQueue* to) {
  if (to->idle_count <= nf->geometry.fresh_slots) return;
  uint32_t n = to->idle_count - nf->geometry.fresh_slots / 2;
  const uint32_t free_slots = room(&to->ring, n);
  if (n > free_slots) n = free_slots;
  for (uint32_t i = 0; i < n; ++i) {
    put(&to->ring, to->idle[--to->idle_count]);  // of length 0
  }
  if (n > 0) publish(to);
}

struct Tally {
  uint32_t sent;
  uint32_t refused;
  uint64_t bytes;
};

// There must be room for all, of which those of an earlier attachment need none. The buffers of
// those that must not be sent are given back.
static struct Tally put_packets(const struct BessNf* nf, struct Outgoing* ring,
                                const struct BessNfPacket* packets, uint32_t n) {
  const struct Buffers buffers = buffers_of(nf);
  struct Outgoing copy = *ring;
  uint64_t bytes = 0;
  uint32_t refused = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t buffer = buffer_of(buffers, &packets[i]), length = packets[i].length;
    if (buffer >= buffers.count) continue;
    const uint64_t offset = (uint64_t)(packets[i].data - start_of(buffers, buffer));
    if (is_sound(buffers, offset, length)) {
      put(&copy, buffer | offset << 32 | (uint64_t)length << 48);
      bytes += length;
    } else {
      put(&copy, buffer);
      ++refused;
    }
  }
  const struct Tally tally = {
      .sent = copy.head - ring->head - refused, .refused = refused, .bytes = bytes};
  *ring = copy;
  return tally;
}

uint32_t bess_nf_send(struct BessNf* nf, uint32_t queue, const struct BessNfPacket* packets,
                      uint32_t n) {
  if (queue >= nf->geometry.from_nf_queues) return 0;
  struct SendQueue* to = &nf->send[queue];
  const uint32_t free_slots = room(&to->ring, n);
  if (n > free_slots) n = free_slots;
  if (n == 0) return 0;
  const struct Tally tally = put_packets(nf, &to->ring, packets, n);
  publish(to);
  count(&to->sent, tally.sent);
  count(&to->sent_bytes, tally.bytes);
  if (tally.refused > 0) count(&to->refused, tally.refused);
  return n;
}

uint32_t bess_nf_alloc(struct BessNf* nf, uint32_t queue, struct BessNfPacket* packets,
                       uint32_t n) {
  if (queue >= nf->geometry.from_nf_queues) return 0;
  struct SendQueue* to = &nf->send[queue];
  uint32_t made = 0;
  const struct Buffers buffers = buffers_of(nf);
  const uint64_t begin = (uint64_t)nf->geometry.headroom << 32;
  while (made < n && to->idle_count > 0) {
    packets[made++] = packet_of(buffers, to->idle[--to->idle_count] | begin);
  }
  uint32_t fresh = made < n ? available(&to->fresh) : 0;
  if (fresh > n - made) fresh = n - made;
  if (fresh > 0) take_packets(nf, &to->fresh, packets + made, fresh);
  made += fresh;
  count(&to->allocated, made);
  return made;
}

void bess_nf_free(struct BessNf* nf, uint32_t queue, const struct BessNfPacket* packets,
                  uint32_t n) {
  if (queue >= nf->geometry.from_nf_queues) return;
  struct SendQueue* to = &nf->send[queue];
  const struct Buffers buffers = buffers_of(nf);
  const uint32_t before = to->idle_count;
  for (uint32_t i = 0; i < n && to->idle_count < nf->geometry.loans; ++i) {
    const uint32_t buffer = buffer_of(buffers, &packets[i]);
    if (buffer < buffers.count) to->idle[to->idle_count++] = buffer;
  }
  count(&to->freed, to->idle_count - before);
  return_idle(nf, to);
}

uint8_t* bess_nf_prepend(const struct BessNf* nf, struct BessNfPacket* packet, uint32_t n) {
  const struct Buffers buffers = buffers_of(nf);
  const uint32_t buffer = buffer_of(buffers, packet);
  if (buffer >= buffers.count) return NULL;
  if ((uint64_t)(packet->data - start_of(buffers, buffer)) < n) return NULL;
  packet->data -= n;
  packet->length += n;
  return packet->data;
}

uint8_t* bess_nf_append(const struct BessNf* nf, struct BessNfPacket* packet, uint32_t n) {
  const struct Buffers buffers = buffers_of(nf);
  const uint32_t buffer = buffer_of(buffers, packet);
  if (buffer >= buffers.count) return NULL;
  const uint64_t end =
      (uint64_t)(packet->data - start_of(buffers, buffer)) + (uint64_t)packet->length;
  if (end > buffers.size || buffers.size - end < n) return NULL;
  packet->length += n;
  return packet->data + packet->length - n;
}

// --- waiting ------------------------------------------------------------------------------------

int bess_nf_sleep(struct BessNf* nf, uint32_t queue) {
  if (queue >= nf->geometry.to_nf_queues) return fail_without(nf);
  struct ReceiveQueue* from = &nf->receive[queue];
  char rings[64];
  while (recv(from->doorbell, rings, sizeof(rings), MSG_DONTWAIT) > 0) {
  }
  // Before the last look: either it finds the packets, or who brings them sees that we sleep.
  __atomic_store_n(from->our_sleeps, ++from->sleeps, __ATOMIC_SEQ_CST);
  from->ring.head = __atomic_load_n(from->ring.their_head, __ATOMIC_SEQ_CST);
  return from->ring.head != from->ring.tail;
}

int bess_nf_doorbell(const struct BessNf* nf, uint32_t queue) {
  return queue < nf->geometry.to_nf_queues ? nf->receive[queue].doorbell : -1;
}
int bess_nf_connection(const struct BessNf* nf) { return nf->connection; }

static int sleep_until_rung(struct BessNf* nf, struct ReceiveQueue* from, int timeout) {
  struct pollfd fds[] = {{.fd = from->doorbell, .events = POLLIN},
                         {.fd = nf->connection, .events = POLLIN}};
  count(&from->slept, 1);
  const int ready = poll(fds, 2, timeout);
  if (ready <= 0) {
    if (ready < 0) bess_nf_fail(errno, "interrupted");
    return ready;
  }
  if (available(&from->ring) > 0) return 1;
  if (fds[1].revents == 0) return 0;
  return is_gone(nf) ? -1 : 0;
}

static int64_t now_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int bess_nf_wait(struct BessNf* nf, uint32_t queue, int timeout) {
  if (queue >= nf->geometry.to_nf_queues) return fail_without(nf);
  struct ReceiveQueue* from = &nf->receive[queue];
  for (int i = 1; i <= kSpins; ++i) {
    if (available(&from->ring) > 0) return 1;
    // NFs that share the core run meanwhile, and packets gather.
    if (i % kSpinsPerYield == 0) {
      sched_yield();
    } else {
      relax();
    }
  }
  const int64_t end = timeout > 0 ? now_milliseconds() + timeout : 0;
  for (;;) {
    if (bess_nf_sleep(nf, queue)) return 1;
    const int ready = sleep_until_rung(nf, from, timeout);
    if (ready != 0 || timeout == 0) return ready;
    // A ring of the bell that was meant for an earlier sleep, or the time is over.
    if (timeout > 0) {
      const int64_t left = end - now_milliseconds();
      if (left <= 0) return 0;
      timeout = (int)left;
    }
  }
}

// --- statistics ---------------------------------------------------------------------------------

static void add(uint64_t* sum, const uint64_t* counter) {
  *sum += __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void bess_nf_statistics(const struct BessNf* nf, struct BessNfStats* statistics) {
  memset(statistics, 0, sizeof(*statistics));
  for (uint32_t q = 0; q < BESS_NF_MAX_QUEUES; ++q) {
    const struct ReceiveQueue* from = &nf->receive[q];
    const struct SendQueue* to = &nf->send[q];
    add(&statistics->received, &from->received);
    add(&statistics->received_bytes, &from->received_bytes);
    add(&statistics->sleeps, &from->slept);
    add(&statistics->sent, &to->sent);
    add(&statistics->sent_bytes, &to->sent_bytes);
    add(&statistics->refused, &to->refused);
    add(&statistics->allocated, &to->allocated);
    add(&statistics->freed, &to->freed);
  }
  statistics->attachments = nf->attachments;
}
