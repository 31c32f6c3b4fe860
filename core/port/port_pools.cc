// SPDX-License-Identifier: Apache-2.0
#include "core/port/port_pools.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace bess {

PortPools::PlainPool& PortPools::PlainPool::operator=(PlainPool&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(pool_, other.pool_);
  return *this;
}

PortPools::PlainPool::~PlainPool() {
  if (pool_ != nullptr) owner_->idle_.push_back(std::move(pool_));
}

absl::StatusOr<PortPools::PlainPool> PortPools::TakePlain(uint32_t packets) {
  const auto fits = [packets](const std::unique_ptr<PacketPool>& pool) {
    return pool->capacity() >= packets && pool->capacity() - pool->in_use() >= packets / 2;
  };
  if (auto it = std::find_if(idle_.begin(), idle_.end(), fits); it != idle_.end()) {
    std::unique_ptr<PacketPool> pool = std::move(*it);
    idle_.erase(it);
    return PlainPool(this, std::move(pool));
  }
  absl::MutexLock lock(&made_mutex_);
  BESS_ASSIGN_OR_RETURN(
      auto pool, PacketPool::Create(absl::StrCat("plain", made_.size()), PacketPool::Kind::kPlain,
                                    packets, shareable_.data_room()));
  made_.push_back(pool.get());
  return PlainPool(this, std::move(pool));
}

void PortPools::VisitAll(const std::function<void(const PacketPool&)>& visit) const {
  visit(shareable_);
  absl::MutexLock lock(&made_mutex_);
  for (const PacketPool* pool : made_) visit(*pool);
}

}  // namespace bess
