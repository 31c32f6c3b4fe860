// SPDX-License-Identifier: Apache-2.0
#include "core/port/nf_domain.h"

#include <algorithm>

namespace bess {
namespace {

constexpr uint64_t kLine = RTE_CACHE_LINE_SIZE;

}  // namespace

NfDomain::NfDomain(PacketPool& pool)
    : pool_(pool),
      packets_(pool.capacity()),
      owners_(std::make_unique<std::atomic<uint32_t>[]>(pool.capacity())) {
  const auto remember = [](rte_mempool*, void* self, void* object, unsigned i) {
    static_cast<NfDomain*>(self)->packets_[i] = Packet::FromMbuf(static_cast<rte_mbuf*>(object));
  };
  rte_mempool_obj_iter(pool.mempool(), remember, this);
  book_.pool_ = pool.mempool();
  book_.start_ = static_cast<uint8_t*>(packets_[0]->mbuf()->buf_addr);
  book_.reciprocal_ = (uint64_t{1} << NfBook::kReciprocalBits) / (stride() / kLine) + 1;
  book_.packets_ = packets_.data();
  book_.owners_ = owners_.get();
}

uint32_t NfDomain::NewOwner() {
  static std::atomic<uint32_t> last{0};
  const uint32_t owner = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return owner == 0 ? NewOwner() : owner;
}

uint32_t NfDomain::Reclaim(uint32_t owner) {
  uint32_t reclaimed = 0;
  for (uint32_t buffer = 0; buffer < buffers(); ++buffer) {
    if (!book_.TakeBack(buffer, owner, /*contended=*/false)) continue;
    FreePackets(&packets_[buffer], 1);
    ++reclaimed;
  }
  return reclaimed;
}

}  // namespace bess
