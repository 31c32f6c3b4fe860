// SPDX-License-Identifier: Apache-2.0
//
// The packet pools that ports receive into. Packets outlive the port they came in by, so pools
// belong to this object, not to ports: a plain pool goes from a port that is gone to the next.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/packet/packet_pool.h"
#include "core/port/nf_domain.h"

namespace bess {

// Thread: control, one at a time; VisitAll from any.
class PortPools {
  struct Tenant;

 public:
  // `shareable` must outlive this object.
  explicit PortPools(PacketPool& shareable) : shareable_(shareable) {}
  PortPools(const PortPools&) = delete;
  PortPools& operator=(const PortPools&) = delete;

  PacketPool& shareable() { return shareable_; }

  // The right to receive into a plain pool that no other port receives into.
  class PlainPool {
   public:
    PlainPool() = default;
    PlainPool(PlainPool&& other) noexcept { *this = std::move(other); }
    PlainPool& operator=(PlainPool&& other) noexcept;
    ~PlainPool();

    PacketPool* get() const { return pool_.get(); }

   private:
    friend class PortPools;
    PlainPool(PortPools* owner, std::unique_ptr<PacketPool> pool)
        : owner_(owner), pool_(std::move(pool)) {}

    PortPools* owner_ = nullptr;
    std::unique_ptr<PacketPool> pool_;
  };

  // A plain pool for `packets`, half of which may be missing still: packets received by the port
  // that had it before, and those its device lost (net_af_xdp never returns what waits to be
  // filled by the kernel, 2,048 packets a queue).
  absl::StatusOr<PlainPool> TakePlain(uint32_t packets);

  // The right to use a trust domain, which is there as long as anybody has it.
  class DomainLease {
   public:
    DomainLease() = default;
    DomainLease(DomainLease&& other) noexcept { *this = std::move(other); }
    DomainLease& operator=(DomainLease&& other) noexcept;
    ~DomainLease();

    NfDomain* get() const;
    // From here on workers may have packets of it.
    void Serve();

   private:
    friend class PortPools;
    DomainLease(PortPools* owner, Tenant* tenant);

    PortPools* owner_ = nullptr;
    Tenant* tenant_ = nullptr;
  };

  // The trust domain of this name, made when it is first asked for; the empty name is that of the
  // shareable pool. EINVAL for a name of other than letters, digits, '_' and '-', or too long.
  //
  // What a domain took is free again when nobody has a lease of it and none of its packets travels:
  // noticed at the latest when the next domain is asked for. Of a domain that served, the headers
  // of its packets stay, for the next domain of whatever name.
  absl::StatusOr<DomainLease> Domain(std::string_view name);

  // Calls visit(pool) for the shareable pool and each other one, whoever has it.
  void VisitAll(const std::function<void(const PacketPool&)>& visit) const;

 private:
  struct Tenant {
    std::unique_ptr<PacketPool> pool;  // nullptr: the shareable one
    std::unique_ptr<NfDomain> domain;
    uint32_t leases = 0;
    bool served = false;  // workers may know the pool
    bool used = false;    // since its memory was new

    bool idle() const { return leases == 0 && pool != nullptr && pool->in_use() == 0; }
  };

  absl::StatusOr<Tenant> MakeTenant(std::string_view name);
  Tenant* Reuse(std::string_view name);
  void CleanUp();

  PacketPool& shareable_;
  std::map<std::string, Tenant, std::less<>> domains_;
  std::vector<std::unique_ptr<PacketPool>> idle_;  // some packets of theirs may still travel
  uint32_t plain_made_ = 0;
  mutable absl::Mutex made_mutex_;
  std::vector<const PacketPool*> made_ ABSL_GUARDED_BY(made_mutex_);  // as old as this object
};

}  // namespace bess
