// SPDX-License-Identifier: Apache-2.0
//
// Which inside end has which outside end, for how long: the flows of a NAT, with the ports they
// use and the life they lead (RFC 4787, 5382).
//
// Thread: one at a time, but for flows().
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/counter.h"
#include "core/packet/drop_reason.h"
#include "core/packet/headers.h"
#include "modules/nat/endpoint.h"
#include "modules/nat/flow_table.h"
#include "modules/nat/port_allocator.h"

namespace bess::nat {

enum class From : uint8_t { kInside, kOutside };

class Mappings {
 public:
  // At most `max_flows` flows, and never more than there are ports.
  Mappings(std::vector<ExternalAddress> addresses, uint32_t max_flows, uint64_t seed);

  // It is `now` until the next call. Takes back the ports of flows that have expired, of `budget`
  // flows at most.
  void SetNow(Ticks now, uint32_t budget);

  const FlowTable& table() const { return table_; }
  uint64_t addresses() const { return ports_.addresses(); }
  bool Owns(Be32 address) const { return ports_.Owns(address); }
  // Flows there are. Thread: any.
  uint64_t flows() const { return begun_.Get() - ended_.Get(); }

  // The living flow of an end, or nullptr. `hash` is table().Hash(end).
  Flow* FindInside(Endpoint end, uint32_t hash) { return Living(table_.FindInside(end, hash)); }
  Flow* FindOutside(Endpoint end, uint32_t hash) { return Living(table_.FindOutside(end, hash)); }
  // The flow of an inside end that is sending, which keeps it alive; nullptr if it has none.
  Flow* Use(Endpoint inside, uint32_t hash);
  // Makes the flow Use did not find. nullptr with a reason if there is no port or no room left.
  Flow* Begin(Endpoint inside, DropReason& why_not);
  // To be told the TCP flags of each packet of a flow; 0 for other protocols.
  void FollowTcp(Flow& flow, uint8_t flags, From from);

 private:
  Flow* Living(Flow* flow) const { return flow != nullptr && flow->Alive(now_) ? flow : nullptr; }
  void Revive(Flow& flow);
  void FollowTcpEnds(Flow& flow, uint8_t flags, From from);

  PortAllocator ports_;
  FlowTable table_;
  Ticks now_ = 0;
  Counter begun_;
  Counter ended_;
};

inline Flow* Mappings::Use(Endpoint inside, uint32_t hash) {
  Flow* flow = table_.FindInside(inside, hash);
  if (flow != nullptr && flow->last_used != now_) Revive(*flow);
  return flow;
}

inline void Mappings::FollowTcp(Flow& flow, uint8_t flags, From from) {
  if ((flags & (kTcpSyn | kTcpFin | kTcpRst)) != 0) [[unlikely]]
    FollowTcpEnds(flow, flags, from);
}

}  // namespace bess::nat
