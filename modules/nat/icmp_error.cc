// SPDX-License-Identifier: Apache-2.0
#include "modules/nat/icmp_error.h"

#include <cstddef>

#include "core/packet/segments.h"
#include "modules/nat/fields.h"

namespace bess::nat {
namespace {

// Where things are in the message.
constexpr size_t kInner = sizeof(IcmpHeader);
constexpr size_t kInnerChecksum = kInner + offsetof(Ipv4Header, checksum);
constexpr size_t kInnerSource = kInner + offsetof(Ipv4Header, source);
constexpr size_t kInnerDestination = kInner + offsetof(Ipv4Header, destination);
// How much of the inner L4 header every router quotes (RFC 792).
constexpr size_t kQuoted = 8;

size_t ChecksumOffset(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return offsetof(TcpHeader, checksum);
    case Protocol::kUdp:
      return offsetof(UdpHeader, checksum);
    default:
      return offsetof(IcmpHeader, checksum);
  }
}

}  // namespace

template <typename Field>
Field IcmpError::Get(size_t at) const {
  return LoadUnaligned<Field>(message_.data() + at);
}

// Writes a field and corrects the ICMP checksum, which covers all of the message.
template <typename Field>
void IcmpError::Set(size_t at, Field value) {
  constexpr size_t kChecksum = offsetof(IcmpHeader, checksum);
  const Be16 checksum = UpdateChecksum(Get<Be16>(kChecksum), Get<Field>(at), value);
  StoreUnaligned(message_.data() + at, value);
  StoreUnaligned(message_.data() + kChecksum, checksum);
}

std::optional<DropReason> IcmpError::Read(PacketView packet) {
  message_ = packet.L4Bytes();
  // RFC 5508, REQ-3: what arrives damaged must not be repaired by chance.
  const ChecksumSum sum = SumBytes(packet.packet(), packet.layout().l4_offset, packet.L4Length());
  if (FoldChecksum(sum) != 0xffff) return DropReason::kMalformed;
  if (const auto reason = ReadInner()) return reason;
  // An error goes to where the packet came from.
  if (packet.Ipv4()->destination != source_.address()) return DropReason::kMalformed;
  return std::nullopt;
}

std::optional<DropReason> IcmpError::ReadInner() {
  if (message_.size() < kInner + sizeof(Ipv4Header)) return DropReason::kTruncated;
  const auto ip = Get<Ipv4Header>(kInner);
  const size_t header = ip.header_length();
  if (ip.version() != 4 || header < sizeof(ip)) return DropReason::kMalformed;
  l4_ = kInner + header;
  if (message_.size() < l4_ + kQuoted) return DropReason::kTruncated;
  if (FoldChecksum(SumBytes(message_.subspan(kInner, header))) != 0xffff) {
    return DropReason::kMalformed;
  }
  if (ip.fragment_offset() != 0) return DropReason::kUnsupported;
  return ReadPorts(ip.protocol);
}

std::optional<DropReason> IcmpError::ReadPorts(uint8_t protocol) {
  size_t source_at = l4_ + offsetof(UdpHeader, source_port);
  size_t destination_at = l4_ + offsetof(UdpHeader, destination_port);
  Protocol kind = protocol == kProtoTcp ? Protocol::kTcp : Protocol::kUdp;
  if (protocol == kProtoIcmp) {
    if (!IsIcmpQuery(Get<uint8_t>(l4_))) return DropReason::kUnsupported;
    source_at = destination_at = l4_ + offsetof(IcmpHeader, id);
    kind = Protocol::kIcmp;
  } else if (protocol != kProtoTcp && protocol != kProtoUdp) {
    return DropReason::kUnsupported;
  }
  source_ = Endpoint(Get<Be32>(kInnerSource), Get<Be16>(source_at), kind);
  destination_ = Endpoint(Get<Be32>(kInnerDestination), Get<Be16>(destination_at), kind);
  return std::nullopt;
}

void IcmpError::SetSource(Endpoint to) {
  const bool icmp = to.protocol() == Protocol::kIcmp;
  SetEnd(kInnerSource, icmp ? offsetof(IcmpHeader, id) : offsetof(UdpHeader, source_port), source_,
         to);
  source_ = to;
}

void IcmpError::SetDestination(Endpoint to) {
  const bool icmp = to.protocol() == Protocol::kIcmp;
  SetEnd(kInnerDestination, icmp ? offsetof(IcmpHeader, id) : offsetof(UdpHeader, destination_port),
         destination_, to);
  destination_ = to;
}

void IcmpError::SetEnd(size_t address_at, size_t port_at, Endpoint from, Endpoint to) {
  Set(kInnerChecksum, UpdateChecksum(Get<Be16>(kInnerChecksum), from.address(), to.address()));
  Set(address_at, to.address());
  Set(l4_ + port_at, to.port());
  ChecksumDelta delta;
  if (to.protocol() != Protocol::kIcmp) delta.Change(from.address(), to.address());
  delta.Change(from.port(), to.port());
  const size_t at = l4_ + ChecksumOffset(to.protocol());
  if (at + sizeof(Be16) > message_.size()) return;  // the quotation ends before it
  const Be16 before = Get<Be16>(at);
  if (to.protocol() != Protocol::kUdp) {
    Set(at, delta.Apply(before));
  } else if (before.raw() != 0) {
    Set(at, UdpChecksum(delta.Apply(before)));
  }
}

}  // namespace bess::nat
