// SPDX-License-Identifier: Apache-2.0
#include "core/port/port_pools.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace bess {
namespace {

absl::Status CheckDomain(std::string_view name) {
  constexpr size_t kMaxName = 16;
  const auto fits = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  };
  if (name.size() <= kMaxName && std::all_of(name.begin(), name.end(), fits)) {
    return absl::OkStatus();
  }
  return Error(EINVAL, "'domain' has at most ", kMaxName, " letters, digits, '_' and '-', unlike '",
               name, "'");
}

}  // namespace

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

absl::StatusOr<NfDomain*> PortPools::Domain(std::string_view name) {
  BESS_RETURN_IF_ERROR(CheckDomain(name));
  if (const auto it = domains_.find(name); it != domains_.end()) return it->second.domain.get();
  if (shareable_.memfd() < 0) return Error(ENOTSUP, "these packets cannot be shared");
  Tenant tenant;
  if (!name.empty()) {
    BESS_ASSIGN_OR_RETURN(
        tenant.pool,
        PacketPool::Create(absl::StrCat("domain_", AbslView(name)), PacketPool::Kind::kShareable,
                           shareable_.capacity(), shareable_.data_room()));
    absl::MutexLock lock(&made_mutex_);
    made_.push_back(tenant.pool.get());
  }
  tenant.domain = std::make_unique<NfDomain>(tenant.pool ? *tenant.pool : shareable_);
  return domains_.emplace(name, std::move(tenant)).first->second.domain.get();
}

void PortPools::VisitAll(const std::function<void(const PacketPool&)>& visit) const {
  visit(shareable_);
  absl::MutexLock lock(&made_mutex_);
  for (const PacketPool* pool : made_) visit(*pool);
}

}  // namespace bess
