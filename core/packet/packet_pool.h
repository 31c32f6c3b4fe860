// SPDX-License-Identifier: Apache-2.0
//
// Where packets come from and go back to.
//
// A shareable pool keeps its data buffers in a sealed memfd that network functions may map, and
// its packet headers in memory of the daemon alone. Each header is bound to its buffer for good.
// The mbufs are not flagged "external": a header whose buf_addr points elsewhere is, to every
// driver that only reads buf_addr, a plain mbuf, and freeing it costs what freeing a plain one
// costs. (What such an mbuf must never see is rte_pktmbuf_attach; nobody here calls it.) The memfd
// is never of hugetlb pages, which a peer could give away; see MapMemfd.
//
// A plain pool keeps header and buffer together, for drivers that use the pool's own memory as
// their ring memory (net_af_xdp). A heap pool needs no EAL: tests make packets with it whose
// bytes end exactly at the end of a heap block, so that ASan sees every overrun.
#pragma once

#include <rte_mempool.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/packet/batch.h"
#include "core/packet/packet.h"

namespace bess {

// Bytes a buffer holds behind its headroom: the data room, a property of each pool.
inline constexpr uint16_t kMinDataRoom = 2048;
inline constexpr uint16_t kDefaultDataRoom = 2048;
inline constexpr uint16_t kMaxDataRoom = 16384;
// Bytes of the longest packet that any port lets in: more than an IP packet of 64 KB and its
// headers, 64 of the smallest buffers.
inline constexpr uint32_t kMaxPacketSegments = 64;
inline constexpr uint32_t kMaxPacketLength = kMaxPacketSegments * kMinDataRoom;

// Frees packets of any pools, all their segments. Thread: any; fast on a registered worker.
void FreePackets(Packet* const* packets, uint32_t n);
inline void FreeBatch(Batch& batch) {
  if (!batch.empty()) FreePackets(batch.begin(), batch.size());
  batch.clear();
}

class PacketPool {
 public:
  enum class Kind { kShareable, kPlain };

  // Needs an initialised EAL. `packets` is the capacity, 1,024 .. 4,194,304, and `data_room` the
  // bytes of each, kMinDataRoom .. kMaxDataRoom; EINVAL for others.
  static absl::StatusOr<std::unique_ptr<PacketPool>> Create(std::string_view name, Kind kind,
                                                            uint32_t packets,
                                                            uint32_t data_room = kDefaultDataRoom);
  // A pool on the heap that may have at most `packets` out at once.
  static std::unique_ptr<PacketPool> CreateOnHeap(uint32_t packets = 1 << 20,
                                                  uint16_t data_room = kDefaultDataRoom);

  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // Writes `n` packets of `length` (0..data_room()) uninitialised bytes to `out`, or none.
  bool Alloc(Packet** out, uint32_t n, uint16_t length) {
    if (mempool_ == nullptr) return AllocOnHeap(out, n, length);
    if (rte_mempool_get_bulk(mempool_, reinterpret_cast<void**>(out), n) != 0) return false;
    for (uint32_t i = 0; i < n; ++i) out[i]->Reset(length);
    return true;
  }

  // A packet of `length` uninitialised bytes in as few segments as this pool needs for it; nullptr
  // when the pool has not that many buffers, or the length is more than kMaxPacketLength.
  Packet* AllocLong(uint32_t length);

  // A copy of data and metadata, in as few segments as this pool needs for it; nullptr when the
  // pool has not that many buffers, or the packet is longer than kMaxPacketLength.
  Packet* Copy(const Packet& packet);

  // The pool that a packet is from.
  static PacketPool& Of(Packet& packet);

  // Heap pools: a packet of exactly these bytes with nothing behind them but `tailroom`; and one
  // of several segments (at least one), each as exact.
  Packet* Make(std::string_view bytes, uint16_t tailroom = 0);
  Packet* MakeChain(absl::Span<const std::string_view> segments);

  // The packets of a shareable pool, all of which must be free, get new memory under a new name.
  // Whoever maps the old memory has it to itself, and what it took is free when the last one goes.
  // On errors the pool stays as it was.
  absl::Status Renew(std::string_view name);

  const std::string& name() const { return name_; }
  uint32_t capacity() const { return capacity_; }
  uint16_t data_room() const { return data_room_; }
  // Bytes from one buffer to the next: what a packet takes of the pool's memory.
  uint32_t stride() const;
  uint32_t in_use() const;
  // The memfd of the data buffers; -1 when the pool is not shareable.
  int memfd() const { return memfd_; }
  rte_mempool* mempool() const { return mempool_; }

 private:
  struct Private;

  PacketPool(std::string_view name, uint16_t data_room) : name_(name), data_room_(data_room) {}
  friend void FreePackets(Packet* const* packets, uint32_t n);

  absl::Status CreateShareable(uint32_t packets);
  absl::Status CreatePlain(uint32_t packets);
  absl::Status CreateEmpty(uint32_t packets, uint32_t element, unsigned flags);
  absl::Status CannotCreate(uint32_t packets, int error) const;
  absl::Status MapBuffers();
  absl::Status AddHeaders(uint32_t packets);
  bool AllocOnHeap(Packet** out, uint32_t n, uint16_t length);
  static void FreeToHeap(Packet* packet);

  std::string name_;
  const uint16_t data_room_;
  rte_mempool* mempool_ = nullptr;
  uint32_t capacity_ = 0;
  int memfd_ = -1;
  uint8_t* buffers_ = nullptr;  // data buffers, stride() apart
  size_t buffers_size_ = 0;
  void* headers_ = nullptr;
  size_t headers_size_ = 0;
  std::atomic<uint32_t> heap_in_use_{0};
};

}  // namespace bess
