// SPDX-License-Identifier: Apache-2.0
//
// An ICMP error carries the beginning of the packet that caused it, as that looked where the error
// was found. Going through NAT, that packet has to be translated with it (RFC 5508, 4).
#pragma once

#include <optional>

#include "absl/types/span.h"
#include "core/packet/checksum.h"
#include "core/packet/drop_reason.h"
#include "core/packet/packet_view.h"
#include "modules/nat/endpoint.h"

namespace bess::nat {

class IcmpError {
 public:
  // Reads a packet that ReadFields called kIcmpError. Tells why it has to be dropped, if so.
  std::optional<DropReason> Read(PacketView packet);

  // The ends of the packet inside.
  Endpoint source() const { return source_; }
  Endpoint destination() const { return destination_; }
  // Rewrites one end, with all checksums that cover it.
  void SetSource(Endpoint to);
  void SetDestination(Endpoint to);

 private:
  std::optional<DropReason> ReadInner();
  std::optional<DropReason> ReadPorts(uint8_t protocol);
  void SetEnd(size_t address_at, size_t port_at, Endpoint from, Endpoint to);
  template <typename Field>
  Field Get(size_t at) const;
  template <typename Field>
  void Set(size_t at, Field value);

  absl::Span<uint8_t> message_;  // from the ICMP header on
  size_t l4_ = 0;                // where in it the L4 header of the packet inside is
  Endpoint source_;
  Endpoint destination_;
};

}  // namespace bess::nat
