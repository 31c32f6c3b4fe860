// SPDX-License-Identifier: Apache-2.0
#include "core/packet/packet_pool.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <rte_errno.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memory.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/packet/segments.h"

namespace bess {
namespace {

constexpr uint32_t kMinPackets = 1024;
constexpr uint32_t kMaxPackets = 4 << 20;
constexpr uint32_t kCacheSize = RTE_MEMPOOL_CACHE_MAX_SIZE;
constexpr size_t kHugePage = size_t{2} << 20;

size_t RoundUp(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

struct Mapping {
  int fd = -1;
  void* address = MAP_FAILED;
};

// Ordinary memory, however many hugetlb pages are free: whoever maps it may punch a hole (no seal
// forbids that which lets them write). A hole in ordinary memory reads as zeros. One in hugetlb
// pages gives the page back for good, and when no other is free who touches it next dies of SIGBUS.
//
// It is mapped at `place`, instead of what is there, unless that is nullptr.
Mapping MapMemfd(const std::string& name, size_t size, void* place) {
  Mapping mapping;
  mapping.fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (mapping.fd < 0) return mapping;
  if (ftruncate(mapping.fd, static_cast<off_t>(size)) == 0) {
    const int flags = MAP_SHARED | (place == nullptr ? 0 : MAP_FIXED);
    mapping.address = mmap(place, size, PROT_READ | PROT_WRITE, flags, mapping.fd, 0);
  }
  if (mapping.address == MAP_FAILED) {
    close(mapping.fd);
    mapping.fd = -1;
  }
  return mapping;
}

// Whether the fast path may put them straight back: all of `pool`, alone, unshared, with their own
// buffers. One word has refcnt and nb_segs, between data_off and port; the next one the flags. What
// is wrong with any of them is gathered first and looked at once.
bool AllOrdinary(Packet* const* packets, uint32_t n, const rte_mempool* pool) {
  typedef uint64_t Words __attribute__((vector_size(16)));
  constexpr uint64_t kForeign = RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
  constexpr uint64_t kCounts = 0x0000'ffff'ffff'0000;
  constexpr Words kOneEach = {0x0000'0001'0001'0000, 0};
  Words odd = {};
  uint64_t strange = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const rte_mbuf* mbuf = packets[i]->mbuf();
    const auto* bytes = reinterpret_cast<const uint8_t*>(mbuf);
    odd |= LoadUnaligned<Words>(bytes + offsetof(rte_mbuf, rearm_data)) ^ kOneEach;
    strange |= std::bit_cast<uint64_t>(mbuf->pool) ^ std::bit_cast<uint64_t>(pool);
  }
  return ((odd[0] & kCounts) | (odd[1] & kForeign) | strange) == 0;
}
static_assert(offsetof(rte_mbuf, refcnt) == offsetof(rte_mbuf, rearm_data) + 2);
static_assert(offsetof(rte_mbuf, nb_segs) == offsetof(rte_mbuf, rearm_data) + 4);
static_assert(offsetof(rte_mbuf, ol_flags) == offsetof(rte_mbuf, rearm_data) + 8);

}  // namespace

void FreePackets(Packet* const* packets, uint32_t n) {
  if (n == 0) return;
  rte_mempool* pool = packets[0]->mbuf()->pool;
  if (pool != nullptr && AllOrdinary(packets, n, pool)) [[likely]] {
    rte_mempool_put_bulk(pool, reinterpret_cast<void* const*>(packets), n);
    return;
  }
  for (uint32_t i = 0; i < n; ++i) {
    if (packets[i]->mbuf()->pool == nullptr) {
      PacketPool::FreeToHeap(packets[i]);
    } else {
      rte_pktmbuf_free(packets[i]->mbuf());
    }
  }
}

absl::StatusOr<std::unique_ptr<PacketPool>> PacketPool::Create(std::string_view name, Kind kind,
                                                               uint32_t packets,
                                                               uint32_t data_room) {
  if (packets < kMinPackets || packets > kMaxPackets) {
    return Error(EINVAL, "a packet pool holds ", kMinPackets, "..", kMaxPackets, " packets, not ",
                 packets);
  }
  if (data_room < kMinDataRoom || data_room > kMaxDataRoom) {
    return Error(EINVAL, "a packet buffer holds ", kMinDataRoom, "..", kMaxDataRoom, " bytes, not ",
                 data_room);
  }
  std::unique_ptr<PacketPool> pool(new PacketPool(name, static_cast<uint16_t>(data_room)));
  BESS_RETURN_IF_ERROR(kind == Kind::kShareable ? pool->CreateShareable(packets)
                                                : pool->CreatePlain(packets));
  pool->capacity_ = pool->mempool_->populated_size;
  return pool;
}

std::unique_ptr<PacketPool> PacketPool::CreateOnHeap(uint32_t packets, uint16_t data_room) {
  std::unique_ptr<PacketPool> pool(new PacketPool("heap", data_room));
  pool->capacity_ = packets;
  return pool;
}

// Behind what DPDK keeps of a pool of mbufs.
struct PacketPool::Private {
  rte_pktmbuf_pool_private settings;
  PacketPool* owner;
};

absl::Status PacketPool::CreatePlain(uint32_t packets) {
  const uint32_t element = uint32_t{sizeof(Packet)} + kHeadroom + data_room_;
  BESS_RETURN_IF_ERROR(CreateEmpty(packets, element, 0));
  const int added = rte_mempool_populate_default(mempool_);
  // ENOBUFS says that the memory left is in pieces that are too small.
  if (added < 0) return CannotCreate(packets, added == -ENOBUFS ? ENOMEM : -added);
  rte_mempool_obj_iter(mempool_, rte_pktmbuf_init, nullptr);
  return absl::OkStatus();
}

absl::Status PacketPool::CreateShareable(uint32_t packets) {
  buffers_size_ = RoundUp(size_t{packets} * stride(), kHugePage);
  BESS_RETURN_IF_ERROR(MapBuffers());
  BESS_RETURN_IF_ERROR(CreateEmpty(packets, sizeof(Packet), RTE_MEMPOOL_F_NO_IOVA_CONTIG));
  return AddHeaders(packets);
}

absl::Status PacketPool::CreateEmpty(uint32_t packets, uint32_t element, unsigned flags) {
  // DPDK's names stay with them; ours may change, and the next pool may have the old one.
  static std::atomic<uint32_t> made{0};
  const std::string name = absl::StrCat("pool", made.fetch_add(1, std::memory_order_relaxed));
  mempool_ = rte_mempool_create_empty(name.c_str(), packets, element, kCacheSize, sizeof(Private),
                                      SOCKET_ID_ANY, flags);
  if (mempool_ == nullptr) return CannotCreate(packets, rte_errno);
  rte_mempool_set_ops_byname(mempool_, rte_mbuf_best_mempool_ops(), nullptr);
  rte_pktmbuf_pool_private settings = {};
  settings.mbuf_data_room_size = static_cast<uint16_t>(kHeadroom + data_room_);
  settings.mbuf_priv_size = sizeof(Packet) - sizeof(rte_mbuf);
  rte_pktmbuf_pool_init(mempool_, &settings);
  static_cast<Private*>(rte_mempool_get_priv(mempool_))->owner = this;
  return absl::OkStatus();
}

absl::Status PacketPool::CannotCreate(uint32_t packets, int error) const {
  return Error(error, "cannot create packet pool '", name_, "' of ", packets,
               " packets: ", rte_strerror(error));
}

absl::Status PacketPool::MapBuffers() {
  const Mapping mapping = MapMemfd(name_, buffers_size_, buffers_);
  if (mapping.fd < 0) {
    return Error(ENOMEM, "cannot map ", buffers_size_ >> 20,
                 " MB of packet buffers: ", std::strerror(errno),
                 "; fewer packets (--buffers) need less");
  }
  madvise(mapping.address, buffers_size_, MADV_HUGEPAGE);
  if (memfd_ >= 0) close(memfd_);
  memfd_ = mapping.fd;
  buffers_ = static_cast<uint8_t*>(mapping.address);
  if (fcntl(memfd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return Error(errno, "cannot seal the packet buffers: ", std::strerror(errno));
  }
  return absl::OkStatus();
}

absl::Status PacketPool::Renew(std::string_view name) {
  BESS_RETURN_IF_ERROR(MapBuffers());
  name_ = name;
  return absl::OkStatus();
}

absl::Status PacketPool::AddHeaders(uint32_t packets) {
  const size_t header = rte_mempool_calc_obj_size(sizeof(Packet), mempool_->flags, nullptr);
  headers_size_ = RoundUp(header * (size_t{packets} + 1), kHugePage);
  headers_ =
      mmap(nullptr, headers_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (headers_ == MAP_FAILED) {
    headers_ = nullptr;
    return Error(ENOMEM, "cannot map ", headers_size_ >> 20,
                 " MB of packet headers: ", std::strerror(errno));
  }
  madvise(headers_, headers_size_, MADV_HUGEPAGE);
  const int added = rte_mempool_populate_virt(mempool_, static_cast<char*>(headers_), headers_size_,
                                              kHugePage, nullptr, nullptr);
  if (added < 0 || static_cast<uint32_t>(added) < packets) {
    return Error(ENOMEM, "cannot fill packet pool '", name_, "': ", rte_strerror(-added));
  }
  const auto bind = [](rte_mempool* pool, void* self, void* object, unsigned i) {
    rte_pktmbuf_init(pool, nullptr, object, i);
    auto* mbuf = static_cast<rte_mbuf*>(object);
    const auto* owner = static_cast<PacketPool*>(self);
    mbuf->buf_addr = owner->buffers_ + size_t{i} * owner->stride();
    mbuf->buf_iova = rte_mem_virt2iova(mbuf->buf_addr);
  };
  rte_mempool_obj_iter(mempool_, bind, this);
  return absl::OkStatus();
}

PacketPool::~PacketPool() {
  rte_mempool_free(mempool_);
  if (headers_ != nullptr) munmap(headers_, headers_size_);
  if (buffers_ != nullptr) munmap(buffers_, buffers_size_);
  if (memfd_ >= 0) close(memfd_);
}

uint32_t PacketPool::in_use() const {
  if (mempool_ == nullptr) return heap_in_use_.load(std::memory_order_relaxed);
  return rte_mempool_in_use_count(mempool_);
}

// An odd number of cache lines, so that the first lines of buffers spread over all cache sets.
uint32_t PacketPool::stride() const {
  constexpr uint32_t kLine = RTE_CACHE_LINE_SIZE;
  return ((kHeadroom + uint32_t{data_room_} + kLine - 1) / kLine | 1) * kLine;
}

Packet* PacketPool::AllocLong(uint32_t length) {
  const uint32_t count = length == 0 ? 1 : (length + data_room_ - 1) / data_room_;
  Packet* segments[kMaxPacketSegments];
  if (length > kMaxPacketLength || !Alloc(segments, count, 0)) return nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t left = length - i * data_room_;
    segments[i]->Append(static_cast<uint16_t>(std::min<uint32_t>(left, data_room_)));
    if (i > 0) AddSegment(*segments[0], segments[i]);
  }
  return segments[0];
}

Packet* PacketPool::Copy(const Packet& packet) {
  Packet* copy = AllocLong(packet.total_length());
  if (copy == nullptr) return nullptr;
  size_t at = 0;
  for (Packet* segment = copy; segment != nullptr; segment = segment->next()) {
    ReadBytes(packet, at, {segment->data(), segment->length()});
    at += segment->length();
  }
  std::memcpy(copy->metadata(), packet.metadata(), kMetadataSize);
  return copy;
}

PacketPool& PacketPool::Of(Packet& packet) {
  rte_mempool* pool = packet.mbuf()->pool;
  if (pool == nullptr) return *std::bit_cast<PacketPool*>(packet.mbuf()->buf_iova);
  return *static_cast<Private*>(rte_mempool_get_priv(pool))->owner;
}

// --- heap packets -------------------------------------------------------------------------------
// One heap block: Packet, headroom, data, tailroom. `buf_iova` keeps the owner, which no device
// will ever read.

namespace {

Packet* NewHeapPacket(PacketPool* owner, uint16_t length, uint16_t tailroom) {
  void* block = nullptr;
  const size_t buffer = size_t{kHeadroom} + length + tailroom;
  if (posix_memalign(&block, RTE_CACHE_LINE_SIZE, sizeof(Packet) + buffer) != 0) {
    std::abort();  // heap packets are for tests, where nothing could go on
  }
  std::memset(block, 0, sizeof(Packet));
  auto* packet = static_cast<Packet*>(block);
  rte_mbuf* mbuf = packet->mbuf();
  mbuf->buf_addr = static_cast<uint8_t*>(block) + sizeof(Packet);
  mbuf->buf_iova = std::bit_cast<uint64_t>(owner);
  mbuf->buf_len = static_cast<uint16_t>(buffer);
  mbuf->refcnt = 1;
  mbuf->nb_segs = 1;
  packet->Reset(length);
  return packet;
}

}  // namespace

bool PacketPool::AllocOnHeap(Packet** out, uint32_t n, uint16_t length) {
  if (heap_in_use_.load(std::memory_order_relaxed) + n > capacity_) return false;
  for (uint32_t i = 0; i < n; ++i) {
    out[i] = NewHeapPacket(this, length, static_cast<uint16_t>(data_room_ - length));
  }
  heap_in_use_.fetch_add(n, std::memory_order_relaxed);
  return true;
}

Packet* PacketPool::Make(std::string_view bytes, uint16_t tailroom) {
  Packet* packet = NewHeapPacket(this, static_cast<uint16_t>(bytes.size()), tailroom);
  std::memcpy(packet->data(), bytes.data(), bytes.size());
  heap_in_use_.fetch_add(1, std::memory_order_relaxed);
  return packet;
}

Packet* PacketPool::MakeChain(absl::Span<const std::string_view> segments) {
  Packet* head = Make(segments[0]);
  for (const std::string_view bytes : segments.subspan(1)) AddSegment(*head, Make(bytes));
  return head;
}

void PacketPool::FreeToHeap(Packet* packet) {
  while (packet != nullptr) {
    Packet* segment = std::exchange(packet, packet->next());
    Of(*segment).heap_in_use_.fetch_sub(1, std::memory_order_relaxed);
    free(segment);
  }
}

}  // namespace bess
