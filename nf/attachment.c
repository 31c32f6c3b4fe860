// SPDX-License-Identifier: Apache-2.0
//
// How an NF comes to be attached, and how it ends.
#include "nf/attachment.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// The empty buffers that an NF gets if it does not say, and how many milliseconds an attempt to
// attach may take.
enum { kDefaultFresh = 64, kPatience = 5000 };

static _Thread_local char last_error[256];

const char* bess_nf_error(void) { return last_error; }

void bess_nf_fail(int error, const char* text) {
  snprintf(last_error, sizeof(last_error), "%s", text);
  errno = error;
}

static int fail_at(const struct BessNf* nf, const char* what) {
  const int error = errno;
  char text[sizeof(last_error)];
  snprintf(text, sizeof(text), "%s at %.100s: %s", what, nf->path, strerror(error));
  bess_nf_fail(error, text);
  return -1;
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// --- messages -----------------------------------------------------------------------------------

// Bounds the time that the next call at the connection waits.
static void limit(const struct BessNf* nf, int64_t end) {
  int64_t left = end - milliseconds();
  if (left < 1) left = 1;  // 0 is for ever
  const struct timeval time = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
  setsockopt(nf->connection, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
  setsockopt(nf->connection, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

// Whether such a call, which failed, is to be made again: a signal came, and what is bounded the
// kernel does not restart.
static int again(int64_t end) {
  if (errno == EINTR && milliseconds() < end) return 1;
  if (errno == EINTR || errno == EAGAIN) errno = ETIMEDOUT;
  return 0;
}

static int connect_to_port(struct BessNf* nf, int64_t end) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = strlen(nf->path);
  if (length == 0 || length >= sizeof(address.sun_path)) {
    errno = EINVAL;
    return fail_at(nf, "no socket can be");
  }
  memcpy(address.sun_path, nf->path, length);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  if (nf->path[0] == '@') {
    address.sun_path[0] = '\0';
    --size;
  }
  nf->connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (nf->connection < 0) return fail_at(nf, "cannot make a socket");
  do {
    limit(nf, end);
    if (connect(nf->connection, (struct sockaddr*)&address, size) == 0) return 0;
  } while (again(end));
  return fail_at(nf, "cannot connect");
}

static int send_request(struct BessNf* nf, uint32_t kind, int64_t end) {
  struct BessNfRequest request = {
      .magic = BESS_NF_MAGIC, .version = BESS_NF_VERSION, .kind = kind, .fresh = nf->fresh};
  memcpy(request.name, nf->name, sizeof(request.name));
  do {
    limit(nf, end);
    if (send(nf->connection, &request, sizeof(request), MSG_NOSIGNAL) >= 0) return 0;
  } while (again(end));
  // A switch that refuses has answered and closed already; its answer says why.
  return errno == EPIPE ? 0 : fail_at(nf, "cannot ask");
}

static int check_welcome(const struct BessNfWelcome* welcome, ssize_t length, size_t descriptors) {
  if (length != (ssize_t)sizeof(*welcome) || welcome->magic != BESS_NF_MAGIC) {
    bess_nf_fail(EPROTO, "this is no NFPort");
  } else if (welcome->error != 0) {
    bess_nf_fail((int)welcome->error, welcome->text);
  } else if (welcome->version != BESS_NF_VERSION) {
    bess_nf_fail(EPROTONOSUPPORT, "the switch speaks another version");
  } else if (welcome->geometry.from_nf_queues > BESS_NF_MAX_QUEUES ||
             welcome->geometry.to_nf_queues > BESS_NF_MAX_QUEUES) {
    bess_nf_fail(EPROTO, "the switch has too many queues");
  } else if (welcome->geometry.buffers > BESS_NF_MAX_BUFFERS) {
    bess_nf_fail(EPROTO, "the switch has too many buffers");
  } else if (descriptors != BESS_NF_FIXED_DESCRIPTORS + welcome->geometry.to_nf_queues +
                                welcome->geometry.from_nf_queues) {
    bess_nf_fail(EPROTO, "the switch sent too few or too many descriptors");
  } else {
    return 0;
  }
  return -1;
}

// A switch that refuses may have closed before it read the request. The kernel tells that first,
// and the answer only then.
static ssize_t hear(const struct BessNf* nf, struct msghdr* message, int64_t end) {
  int told = 0;
  for (;;) {
    limit(nf, end);
    const ssize_t length = recvmsg(nf->connection, message, MSG_CMSG_CLOEXEC);
    if (length >= 0) return length;
    if (errno == ECONNRESET && !told) {
      told = 1;
    } else if (!again(end)) {
      return length;
    }
  }
}

// Receives the welcome and its descriptors, as many as its geometry says; -1 for an error.
static int receive_welcome(struct BessNf* nf, int* descriptors, int64_t end) {
  struct BessNfWelcome welcome;
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(BESS_NF_MAX_DESCRIPTORS * sizeof(int))];
  } control;
  struct iovec data = {.iov_base = &welcome, .iov_len = sizeof(welcome)};
  struct msghdr message = {.msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};
  const ssize_t length = hear(nf, &message, end);
  if (length <= 0) {
    if (length == 0) errno = ECONNRESET;
    return fail_at(nf, "no welcome");
  }
  const struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  size_t count = 0;
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
    count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors, CMSG_DATA(header), count * sizeof(int));
  }
  welcome.text[sizeof(welcome.text) - 1] = '\0';
  if (check_welcome(&welcome, length, count) == 0) {
    nf->geometry = welcome.geometry;
    return 0;
  }
  for (size_t i = 0; i < count; ++i) close(descriptors[i]);
  return -1;
}

// --- memory -------------------------------------------------------------------------------------

static uint8_t* map(int descriptor, uint64_t size, int protection) {
  struct stat found;
  if (fstat(descriptor, &found) != 0 || (uint64_t)found.st_size < size) {
    bess_nf_fail(EPROTO, "the switch's memory is smaller than it says");
    return NULL;
  }
  void* start = mmap(NULL, (size_t)size, protection, MAP_SHARED, descriptor, 0);
  if (start != MAP_FAILED) return start;
  bess_nf_fail(errno, "cannot map the switch's memory");
  return NULL;
}

static int map_all(struct BessNf* nf, const int* descriptors) {
  struct stat data;
  if (fstat(descriptors[0], &data) != 0) return -1;
  nf->data_size = (uint64_t)data.st_size;
  const struct BessNfGeometry* g = &nf->geometry;
  if (nf->data_size < (uint64_t)g->buffers * g->stride) {
    bess_nf_fail(EPROTO, "the packet memory is smaller than the switch says");
    return -1;
  }
  nf->data = map(descriptors[0], nf->data_size, PROT_READ | PROT_WRITE);
  nf->switch_memory = map(descriptors[1], bess_nf_switch_memory_size(g), PROT_READ);
  nf->nf_memory = map(descriptors[2], bess_nf_nf_memory_size(g), PROT_READ | PROT_WRITE);
  return nf->data != NULL && nf->switch_memory != NULL && nf->nf_memory != NULL ? 0 : -1;
}

static struct Incoming incoming(struct BessNf* nf, uint64_t producer, uint64_t consumer,
                                uint32_t slots) {
  uint8_t* theirs = nf->switch_memory + producer;
  return (struct Incoming){
      .their_head = (const uint32_t*)theirs,
      .slots = (const uint64_t*)(theirs + sizeof(struct BessNfProducerLine)),
      .our_tail = (uint32_t*)(nf->nf_memory + consumer),
      .mask = slots - 1,
  };
}

static struct Outgoing outgoing(struct BessNf* nf, uint64_t producer, uint64_t consumer,
                                uint32_t slots) {
  uint8_t* ours = nf->nf_memory + producer;
  return (struct Outgoing){
      .their_tail = (const uint32_t*)(nf->switch_memory + consumer),
      .slots = (uint64_t*)(ours + sizeof(struct BessNfProducerLine)),
      .our_head = (uint32_t*)ours,
      .mask = slots - 1,
  };
}

static void lay_out_receive(struct BessNf* nf, uint32_t q) {
  const struct BessNfGeometry* g = &nf->geometry;
  const uint64_t consumer = bess_nf_to_nf_consumer(g, q);
  struct ReceiveQueue* queue = &nf->receive[q];
  queue->ring = incoming(nf, bess_nf_to_nf_producer(g, q), consumer, g->to_nf_slots);
  queue->our_sleeps =
      (uint32_t*)(nf->nf_memory + consumer + offsetof(struct BessNfConsumerPart, sleeps));
  queue->sleeps = 0;
}

static int lay_out_send(struct BessNf* nf, uint32_t q) {
  const struct BessNfGeometry* g = &nf->geometry;
  struct SendQueue* queue = &nf->send[q];
  queue->ring = outgoing(nf, bess_nf_from_nf_producer(g, q), bess_nf_from_nf_consumer(g, q),
                         g->from_nf_slots);
  queue->fresh =
      incoming(nf, bess_nf_fresh_producer(g, q), bess_nf_fresh_consumer(g, q), g->fresh_slots);
  queue->their_sleeps = (const uint32_t*)(nf->switch_memory + bess_nf_from_nf_consumer(g, q) +
                                          offsetof(struct BessNfConsumerPart, sleeps));
  queue->rung = 0;
  queue->idle_count = 0;
  // All that the NF can ever have fits here, so freeing never fails.
  queue->idle = malloc(g->loans * sizeof(*queue->idle));
  return queue->idle != NULL ? 0 : -1;
}

static int attach(struct BessNf* nf, int64_t end) {
  int descriptors[BESS_NF_MAX_DESCRIPTORS];
  if (connect_to_port(nf, end) != 0 || send_request(nf, BESS_NF_ATTACH, end) != 0) return -1;
  if (receive_welcome(nf, descriptors, end) != 0) return -1;
  const int mapped = map_all(nf, descriptors);
  for (uint32_t i = 0; i < BESS_NF_FIXED_DESCRIPTORS; ++i) close(descriptors[i]);
  const int* bell = descriptors + BESS_NF_FIXED_DESCRIPTORS;
  for (uint32_t q = 0; q < nf->geometry.to_nf_queues; ++q) nf->receive[q].doorbell = *bell++;
  for (uint32_t q = 0; q < nf->geometry.from_nf_queues; ++q) nf->send[q].doorbell = *bell++;
  if (mapped != 0) return -1;
  for (uint32_t q = 0; q < nf->geometry.to_nf_queues; ++q) lay_out_receive(nf, q);
  for (uint32_t q = 0; q < nf->geometry.from_nf_queues; ++q) {
    if (lay_out_send(nf, q) != 0) return -1;
  }
  // Never 0, so a packet that was only zeroed is of no attachment.
  nf->generation = (uint32_t)(nf->attachments++ % 255 + 1) * BESS_NF_MAX_BUFFERS;
  return 0;
}

static void unmap(uint8_t** start, uint64_t size) {
  if (*start != NULL) munmap(*start, (size_t)size);
  *start = NULL;
}

static void hang_up(int* doorbell) {
  if (*doorbell >= 0) close(*doorbell);
  *doorbell = -1;
}

// Counters stay: they count from the first attachment.
static void clear_receive(struct ReceiveQueue* queue) {
  hang_up(&queue->doorbell);
  queue->ring = (struct Incoming){0};
  queue->our_sleeps = NULL;
}

static void clear_send(struct SendQueue* queue) {
  hang_up(&queue->doorbell);
  queue->ring = (struct Outgoing){0};
  queue->fresh = (struct Incoming){0};
  queue->their_sleeps = NULL;
  free(queue->idle);
  queue->idle = NULL;
  queue->idle_count = 0;
}

static void release(struct BessNf* nf) {
  for (uint32_t q = 0; q < BESS_NF_MAX_QUEUES; ++q) {
    clear_receive(&nf->receive[q]);
    clear_send(&nf->send[q]);
  }
  unmap(&nf->data, nf->data_size);
  unmap(&nf->switch_memory, bess_nf_switch_memory_size(&nf->geometry));
  unmap(&nf->nf_memory, bess_nf_nf_memory_size(&nf->geometry));
  memset(&nf->geometry, 0, sizeof(nf->geometry));
  if (nf->connection >= 0) close(nf->connection);
  nf->connection = -1;
}

// --- the public part ----------------------------------------------------------------------------

static struct BessNf* make(const char* path, const struct BessNfOptions* options) {
  struct BessNf* nf = NULL;
  if (posix_memalign((void**)&nf, 64, sizeof(*nf)) != 0) return NULL;
  memset(nf, 0, sizeof(*nf));
  nf->connection = -1;
  for (uint32_t q = 0; q < BESS_NF_MAX_QUEUES; ++q) {
    nf->receive[q].doorbell = -1;
    nf->send[q].doorbell = -1;
  }
  const char* name = options != NULL && options->name != NULL ? options->name : "nf";
  snprintf(nf->name, sizeof(nf->name), "%s", name);
  nf->fresh = options != NULL && options->fresh != 0 ? options->fresh : kDefaultFresh;
  nf->path = strdup(path);
  if (nf->path != NULL) return nf;
  free(nf);
  return NULL;
}

static void destroy(struct BessNf* nf) {
  const int error = errno;
  release(nf);
  free(nf->path);
  free(nf);
  errno = error;
}

struct BessNf* bess_nf_attach(const char* path, const struct BessNfOptions* options) {
  struct BessNf* nf = make(path, options);
  if (nf == NULL) return NULL;
  if (attach(nf, milliseconds() + kPatience) == 0) return nf;
  destroy(nf);
  return NULL;
}

// Whether it may well be otherwise in a moment: the switch is not there yet or ends just now, has
// made its socket but not opened it to us, is busy, or is short of something, as we may be.
static int may_pass(int error) {
  static const int passing[] = {ENOENT, ECONNREFUSED, ECONNRESET, EPIPE,  EACCES,
                                EBUSY,  ETIMEDOUT,    ENOMEM,     EMFILE, ENFILE};
  for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); ++i) {
    if (error == passing[i]) return 1;
  }
  return 0;
}

int bess_nf_reattach(struct BessNf* nf, int timeout) {
  const int64_t end = milliseconds() + timeout;
  const struct timespec rest = {.tv_nsec = 5000000};
  for (;;) {
    release(nf);
    const int64_t patience = milliseconds() + kPatience;
    if (attach(nf, timeout > 0 && end < patience ? end : patience) == 0) return 0;
    const int error = errno;
    if (!may_pass(error) || (timeout >= 0 && milliseconds() >= end)) {
      release(nf);
      errno = error;
      return -1;
    }
    nanosleep(&rest, NULL);
  }
}

void bess_nf_detach(struct BessNf* nf) {
  if (nf == NULL) return;
  if (nf->connection >= 0) send_request(nf, BESS_NF_DETACH, 0);
  destroy(nf);
}

uint32_t bess_nf_receive_queues(const struct BessNf* nf) { return nf->geometry.to_nf_queues; }
uint32_t bess_nf_send_queues(const struct BessNf* nf) { return nf->geometry.from_nf_queues; }
