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

std::string PoolName(std::string_view domain) { return absl::StrCat("domain_", AbslView(domain)); }

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
      auto pool, PacketPool::Create(absl::StrCat("plain", plain_made_), PacketPool::Kind::kPlain,
                                    packets, shareable_.data_room()));
  ++plain_made_;
  made_.push_back(pool.get());
  return PlainPool(this, std::move(pool));
}

// --- trust domains ------------------------------------------------------------------------------

PortPools::DomainLease::DomainLease(PortPools* owner, Tenant* tenant)
    : owner_(owner), tenant_(tenant) {
  ++tenant_->leases;
  tenant_->used = true;
}

PortPools::DomainLease& PortPools::DomainLease::operator=(DomainLease&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(tenant_, other.tenant_);
  return *this;
}

PortPools::DomainLease::~DomainLease() {
  if (tenant_ == nullptr) return;
  if (--tenant_->leases == 0) owner_->CleanUp();
}

NfDomain* PortPools::DomainLease::get() const {
  return tenant_ == nullptr ? nullptr : tenant_->domain.get();
}

void PortPools::DomainLease::Serve() {
  if (tenant_ != nullptr) tenant_->served = true;
}

absl::StatusOr<PortPools::DomainLease> PortPools::Domain(std::string_view name) {
  BESS_RETURN_IF_ERROR(CheckDomain(name));
  if (const auto it = domains_.find(name); it != domains_.end()) {
    return DomainLease(this, &it->second);
  }
  if (shareable_.memfd() < 0) return Error(ENOTSUP, "these packets cannot be shared");
  if (Tenant* tenant = Reuse(name)) return DomainLease(this, tenant);
  BESS_ASSIGN_OR_RETURN(Tenant tenant, MakeTenant(name));
  return DomainLease(this, &domains_.emplace(name, std::move(tenant)).first->second);
}

absl::StatusOr<PortPools::Tenant> PortPools::MakeTenant(std::string_view name) {
  Tenant tenant;
  if (!name.empty()) {
    BESS_ASSIGN_OR_RETURN(tenant.pool,
                          PacketPool::Create(PoolName(name), PacketPool::Kind::kShareable,
                                             shareable_.capacity(), shareable_.data_room()));
    absl::MutexLock lock(&made_mutex_);
    made_.push_back(tenant.pool.get());
  }
  tenant.domain = std::make_unique<NfDomain>(tenant.pool ? *tenant.pool : shareable_);
  return tenant;
}

// A domain that nobody uses any more, under a new name and with new memory, so that who still maps
// the old one sees nothing of its successor. nullptr: there is none.
PortPools::Tenant* PortPools::Reuse(std::string_view name) {
  CleanUp();
  if (name.empty()) return nullptr;
  const auto it = std::find_if(domains_.begin(), domains_.end(),
                               [](const auto& entry) { return entry.second.idle(); });
  if (it == domains_.end()) return nullptr;
  {
    absl::MutexLock lock(&made_mutex_);  // for the name
    if (!it->second.pool->Renew(PoolName(name)).ok()) return nullptr;
  }
  auto node = domains_.extract(it);
  node.key() = std::string(name);
  return &domains_.insert(std::move(node)).position->second;
}

// A pool that workers know is never freed: one of them may just be giving back the last packet.
// It only has its memory taken away, in whose place there are zeros.
void PortPools::CleanUp() {
  for (auto it = domains_.begin(); it != domains_.end();) {
    Tenant& tenant = it->second;
    if (tenant.used && tenant.idle()) {
      absl::MutexLock lock(&made_mutex_);
      if (!tenant.served) {
        std::erase(made_, tenant.pool.get());
        it = domains_.erase(it);
        continue;
      }
      tenant.used = !tenant.pool->Renew(tenant.pool->name()).ok();
    }
    ++it;
  }
}

void PortPools::VisitAll(const std::function<void(const PacketPool&)>& visit) const {
  visit(shareable_);
  absl::MutexLock lock(&made_mutex_);
  for (const PacketPool* pool : made_) visit(*pool);
}

}  // namespace bess
