// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/mappings.h"

#include <algorithm>
#include <utility>

namespace bess::nat {

Mappings::Mappings(std::vector<ExternalAddress> addresses, uint32_t max_flows, uint64_t seed)
    : ports_(std::move(addresses), seed),
      table_(static_cast<uint32_t>(std::clamp<uint64_t>(ports_.total(), 1, max_flows)), ~seed) {}

void Mappings::SetNow(Ticks now, uint32_t budget) {
  now_ = now;
  table_.Expire(now, budget, [this](const Flow& flow) {
    ports_.Give(flow.outside);
    ended_.Add(1);
  });
}

Flow* Mappings::Begin(Endpoint inside, DropReason& why_not) {
  why_not = DropReason::kPortsExhausted;
  if (ports_.free(inside.protocol()) == 0) return nullptr;
  why_not = DropReason::kTableFull;
  if (table_.full()) return nullptr;
  const uint32_t host = table_.Hash(Endpoint(inside.address(), Be16(0), Protocol::kTcp));
  begun_.Add(1);
  return &table_.Insert(inside, *ports_.Take(inside.protocol(), host), now_);
}

// Only packets from inside keep a flow alive (RFC 4787, REQ-6). One that has expired, but was not
// ended yet, begins anew.
void Mappings::Revive(Flow& flow) {
  if (!flow.Alive(now_)) {
    flow.fins = 0;
    table_.SetClosing(flow, false);
  }
  Share(flow.last_used, now_);
}

// Once both sides have closed, or one has reset, the flow has only its closing time left. Since
// other connections may share it, it goes on working, and a new connection makes it young again.
void Mappings::FollowTcpEnds(Flow& flow, uint8_t flags, From from) {
  constexpr uint8_t kBoth = 3;
  if ((flags & kTcpSyn) != 0 && from == From::kInside) {
    flow.fins = 0;
    table_.SetClosing(flow, false);
  }
  if ((flags & kTcpFin) != 0) flow.fins |= static_cast<uint8_t>(1u << static_cast<uint8_t>(from));
  if (((flags & kTcpRst) == 0 && flow.fins != kBoth) || flow.closing) return;
  Share(flow.last_used, now_);
  table_.SetClosing(flow, true);
}

}  // namespace bess::nat
